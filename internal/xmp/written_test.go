package xmp

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"photodesc/internal/photo"
)

// around is XMP with properties in it.
func around(properties string) []byte {
	return []byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="` + nsRDF + `"><rdf:Description rdf:about=""
 xmlns:dc="` + nsDC + `" xmlns:tiff="` + nsTIFF + `" xmlns:photoshop="` + nsPhotoshop + `" xmlns:Iptc4xmpCore="` + nsIPTC + `" xmlns:Iptc4xmpExt="` + nsIPTCExt + `"
 xmlns:mwg-rs="` + nsRegions + `" xmlns:MP="` + nsMicrosoft + `" xmlns:MPRI="` + nsMicrosoftRI + `" xmlns:MPReg="` + nsMicrosoftR + `"
 xmlns:digiKam="` + nsDigiKam + `" xmlns:lr="` + nsLightroom + `" xmlns:mediapro="` + nsMediaPro + `"
 photoshop:Credit="nobody">` + properties + `</rdf:Description></rdf:RDF></x:xmpmeta>`)
}

func alt(text string) string {
	return `<rdf:Alt><rdf:li xml:lang="x-default">` + text + `</rdf:li></rdf:Alt>`
}

// TestWritten reads what programs write, in the forms that they write.
func TestWritten(t *testing.T) {
	rome := photo.PlaceNames{City: "Rome", Country: "Italy"}
	for _, c := range []struct {
		name, sidecar string
		packet        string
		fields        []Field
		want          photo.Written
	}{
		{name: "nothing"},
		{name: "a caption", packet: `<dc:description>` + alt("Ada &lt;at sea&gt;") + `</dc:description>`, want: photo.Written{Caption: "Ada <at sea>"}},
		{name: "the default of several languages", want: photo.Written{Caption: "The sea"},
			packet: `<dc:description><rdf:Alt><rdf:li xml:lang="de">Das Meer</rdf:li><rdf:li xml:lang="x-default">The sea</rdf:li></rdf:Alt></dc:description>`},
		{name: "plain text as Apple writes it", packet: `<dc:description>The sea</dc:description><dc:subject><rdf:Seq><rdf:li>sea</rdf:li></rdf:Seq></dc:subject>`,
			want: photo.Written{Caption: "The sea", Keywords: []string{"sea"}}},
		{name: "a camera's description, and a title", packet: `<dc:description>` + alt("OLYMPUS DIGITAL CAMERA") + `</dc:description><dc:title>` + alt("Summer") + `</dc:title>`,
			want: photo.Written{Caption: "Summer"}},
		{name: "a title in the sidecar, a caption in the photo", sidecar: `<dc:title>` + alt("Summer") + `</dc:title>`, packet: `<dc:description>` + alt("The sea") + `</dc:description>`,
			want: photo.Written{Caption: "The sea"}},
		{name: "the sidecar counts first", sidecar: `<dc:description>` + alt("New") + `</dc:description><photoshop:City>Rome</photoshop:City><photoshop:Country>Italy</photoshop:Country>`,
			packet: `<dc:description>` + alt("Old") + `</dc:description><photoshop:City>Oslo</photoshop:City><photoshop:State>Oslo</photoshop:State>`,
			want:   photo.Written{Caption: "New", Place: rome}},
		{name: "IPTC", fields: []Field{{Name: "dc:description", Values: []string{"The sea"}}, {Name: "dc:subject", Values: []string{"sea", "Sea", "café"}}, {Name: "photoshop:City", Values: []string{"Rome"}}, {Name: "photoshop:Country", Values: []string{"Italy"}}},
			want: photo.Written{Caption: "The sea", Keywords: []string{"sea", "café"}, Place: rome}},
		{name: "regions of digiKam and Lightroom", want: photo.Written{People: []string{"Ada", "Bob"}}, packet: `<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions/><mwg-rs:RegionList><rdf:Bag>
<rdf:li><rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face"><mwg-rs:Area/></rdf:Description></rdf:li>
<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Bob</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li>
<rdf:li mwg-rs:Name="Rex" mwg-rs:Type="Pet"/><rdf:li mwg-rs:Type="Face"/></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>`},
		{name: "regions of Microsoft", want: photo.Written{People: []string{"Ada", "Bob"}}, packet: `<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>
<rdf:li MPReg:Rectangle="0,0,1,1" MPReg:PersonDisplayName="Ada"/><rdf:li><rdf:Description><MPReg:PersonDisplayName>Bob</MPReg:PersonDisplayName></rdf:Description></rdf:li></rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>`},
		{name: "people of IPTC and tags of digiKam", want: photo.Written{Keywords: []string{"sea"}, People: []string{"Ada", "Grace", "Bob"}}, packet: `<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Ada</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
<Iptc4xmpExt:PersonInImageWDetails><rdf:Bag><rdf:li rdf:parseType="Resource"><Iptc4xmpExt:PersonName>` + alt("Grace") + `</Iptc4xmpExt:PersonName></rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImageWDetails>
<digiKam:TagsList><rdf:Seq><rdf:li>People/Family/Bob</rdf:li><rdf:li>People/Unknown</rdf:li><rdf:li>Places/sea</rdf:li></rdf:Seq></digiKam:TagsList>`},
		{name: "places of IPTC's extension", want: photo.Written{Place: photo.PlaceNames{Location: "Colosseum", City: "Rome", State: "Lazio", Country: "Italy"}}, packet: `<Iptc4xmpExt:LocationCreated><rdf:Bag><rdf:li rdf:parseType="Resource"><Iptc4xmpExt:City>Ostia</Iptc4xmpExt:City></rdf:li></rdf:Bag></Iptc4xmpExt:LocationCreated>
<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li/><rdf:li Iptc4xmpExt:City="Rome" Iptc4xmpExt:CountryName="Italy"><Iptc4xmpExt:Sublocation>Colosseum</Iptc4xmpExt:Sublocation><Iptc4xmpExt:ProvinceState>Lazio</Iptc4xmpExt:ProvinceState></rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>`},
		{name: "names with control characters", want: photo.Written{Place: photo.PlaceNames{City: "Ro me"}}, packet: "<photoshop:City>\nRo\u202e\tme </photoshop:City>"},
		{name: "a description with photodesc as its writer", packet: `<dc:description>` + alt("A dog.") + `</dc:description><photoshop:CaptionWriter>photodesc, smolvlm</photoshop:CaptionWriter><dc:title>` + alt("Rex") + `</dc:title>`,
			want: photo.Written{Caption: "Rex"}},
	} {
		var sidecar []byte
		in := Embedded{Fields: c.fields}
		if c.sidecar != "" {
			sidecar = around(c.sidecar)
		}
		if c.packet != "" {
			in.Packet = around(c.packet)
		}
		if got := Written(sidecar, in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

// TestOwnWordsLeftOut has photodesc write into sidecars and photos: what it wrote is not read as a person's, and what a person wrote is.
func TestOwnWordsLeftOut(t *testing.T) {
	ours := Text{Description: "A dog runs.", Keywords: []string{"dog", "sea"}, Model: "m"}
	persons := around(`<dc:subject><rdf:Bag><rdf:li>Rex</rdf:li></rdf:Bag></dc:subject>`)
	written, err := Update(persons, ours, Embedded{})
	if err != nil || !strings.Contains(string(written), "A dog runs.") {
		t.Fatalf("%v: %s", err, written)
	}
	seeded, err := New(ours, Embedded{Fields: []Field{{Name: "photoshop:City", Values: []string{"Rome"}}}})
	if err != nil {
		t.Fatal(err)
	}
	corrected := []byte(strings.Replace(string(written), "A dog runs.", "Rex runs.", 2))
	copied := []Field{{Name: "dc:description", Values: []string{"A dog  runs."}}}
	for _, c := range []struct {
		name    string
		sidecar []byte
		in      Embedded
		want    photo.Written
	}{
		{"a sidecar", written, Embedded{}, photo.Written{Keywords: []string{"Rex"}}},
		{"inside of the photo", nil, Embedded{Packet: written}, photo.Written{Keywords: []string{"Rex"}}},
		{"a sidecar of photodesc alone", seeded, Embedded{}, photo.Written{Place: photo.PlaceNames{City: "Rome"}}},
		{"corrected by a person", corrected, Embedded{}, photo.Written{Caption: "Rex runs.", Keywords: []string{"Rex"}}},
		{"copied into IPTC by another program", written, Embedded{Fields: copied}, photo.Written{Keywords: []string{"Rex"}}},
	} {
		if got := Written(c.sidecar, c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v\n%s", c.name, got, c.want, c.sidecar)
		}
	}
}

// TestWrittenDamaged reads XMP of other encodings, and such that counts as not there.
func TestWrittenDamaged(t *testing.T) {
	caption := `<dc:description>` + alt("Café, 海") + `</dc:description>`
	whole := string(around(caption))
	var wide []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + whole)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	deep := strings.Repeat("<dc:subject><rdf:Bag><rdf:li>", 20_000)
	for name, c := range map[string]struct{ data, want string }{
		"UTF-8 with a BOM":   {"\ufeff" + whole, "Café, 海"},
		"UTF-16":             {string(wide), "Café, 海"},
		"padding":            {whole + strings.Repeat("\x00", 2000), "Café, 海"},
		"cut off":            {whole[:len(whole)-30], ""},
		"an entity":          {`<!DOCTYPE x [<!ENTITY e "Bomb">]>` + strings.Replace(whole, "Café", "&e;", 1), ""},
		"too large":          {whole + strings.Repeat(" ", maxRead), ""},
		"deep":               {strings.Replace(whole, caption, deep, 1), ""},
		"not XML":            {"\xff\xd8 <dc:description>", ""},
		"invalid characters": {strings.Replace(whole, "Café", "\xff", 1), ""},
	} {
		if got := Written([]byte(c.data), Embedded{}); got.Caption != c.want || len(got.Keywords) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// FuzzWritten reads any bytes.
func FuzzWritten(f *testing.F) {
	f.Add(around(`<dc:description>` + alt("Ada") + `</dc:description>`))
	f.Add(around(`<mwg-rs:Regions><mwg-rs:RegionList><rdf:Bag><rdf:li mwg-rs:Name="Ada"/></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range Written(data, Embedded{Packet: data}).Place.List() {
			if strings.ContainsAny(name, "\n\x00") || len(name) > 200 {
				t.Errorf("%q", name)
			}
		}
	})
}
