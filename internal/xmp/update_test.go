package xmp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

var sea = Text{
	Description: "A dog runs along the beach & barks at <waves>.",
	AltText:     "A dog at the sea", Keywords: []string{"beach", "dog", "sea"}, Model: "smolvlm", Language: "en",
}

// updated is Update without an error. It checks that Remove undoes it.
func updated(t *testing.T, before string, text Text, in Embedded) string {
	t.Helper()
	out, err := Update([]byte(before), text, in)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func get(t *testing.T, data string, n name) []string {
	t.Helper()
	d, err := scan([]byte(data))
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return d.texts(n)
}

// TestSamples updates sidecars of other programs, again with the same and another text,
// and takes it all out again.
func TestSamples(t *testing.T) {
	for of, before := range samples {
		t.Run(of, func(t *testing.T) {
			after := updated(t, before, sea, Embedded{})
			if after == before {
				t.Fatal("nothing was added")
			}
			if again := updated(t, after, sea, Embedded{}); again != after {
				t.Errorf("a second time it is\n%s\nafter\n%s", again, after)
			}
			other := sea
			other.Description, other.Keywords = "Another text", []string{"Sea", "gull"}
			changed := updated(t, after, other, Embedded{})
			for _, data := range []string{after, changed} {
				rest, made, err := Remove([]byte(data))
				if err != nil || string(rest) != before || made {
					t.Errorf("removed: %v, %v, it is\n%s\nand was\n%s", err, made, rest, before)
				}
			}
			if personal := get(t, before, description); len(personal) > 0 {
				if got := get(t, changed, description); !slices.Equal(got, personal) || len(get(t, changed, imageDescription)) > 0 {
					t.Errorf("a person's description is %q, the other %q", got, get(t, changed, imageDescription))
				}
			} else if got := get(t, changed, description); len(got) == 0 || got[0] != "Another text" {
				t.Errorf("description %q", got)
			}
			for _, n := range []name{subject, tagsList, hierarchical} {
				if n == hierarchical && len(get(t, before, n)) == 0 {
					if made := get(t, after, n); len(made) > 0 {
						t.Errorf("%v was made: %q", n, made)
					}
					continue
				}
				was, is := get(t, before, n), get(t, after, n)
				if n == tagsList && len(was) == 0 {
					was = get(t, before, subject)
				}
				for _, k := range was {
					if !slices.ContainsFunc(is, func(s string) bool { return strings.HasSuffix(s, k) }) {
						t.Errorf("%v lost %q: %q", n, k, is)
					}
				}
				if of == "attributes" && n == subject {
					continue // a text that is no list stays alone
				}
				for _, k := range sea.Keywords {
					count := 0
					for _, s := range is {
						if strings.EqualFold(s[strings.LastIndexAny(s, "/|")+1:], k) {
							count++
						}
					}
					if count != 1 {
						t.Errorf("%v has %q %d times: %q", n, k, count, is)
					}
				}
			}
		})
	}
}

// TestBlock shows the block itself.
func TestBlock(t *testing.T) {
	out := updated(t, bare, Text{Description: "Snow", Keywords: []string{"snow"}, Model: "smolvlm", Language: "en"}, Embedded{})
	for _, want := range []string{
		"\n  <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">Snow</rdf:li></rdf:Alt></dc:description>\n",
		"<tiff:ImageDescription><rdf:Alt><rdf:li xml:lang=\"x-default\">Snow</rdf:li><rdf:li xml:lang=\"en\">Snow</rdf:li></rdf:Alt></tiff:ImageDescription>\n",
		"<photoshop:CaptionWriter>photodesc, smolvlm</photoshop:CaptionWriter>", "photodesc:DescribedBy=\"smolvlm\"\n",
		"<digiKam:TagsList><rdf:Seq><rdf:li>snow</rdf:li></rdf:Seq></digiKam:TagsList>",
		"\n </rdf:Description>\n </rdf:RDF>\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it has no %q:\n%s", want, out)
		}
	}
}

// TestLanguage has the description under the tag of its language, too, where a program
// may look for it, and takes it out when a person has changed the text.
func TestLanguage(t *testing.T) {
	snow := Text{Description: "Schnee", Model: "m"}
	for language, want := range map[string]string{"de": "de", "zh-Hant-TW": "zh-Hant-TW", "": "", "x-default": "", "\"><a": "", "de ": "de", "deutsch ist schön": ""} {
		snow.Language = language
		out := updated(t, bare, snow, Embedded{})
		tagged := `<rdf:li xml:lang="` + want + `">Schnee</rdf:li></rdf:Alt></tiff:ImageDescription>`
		if want == "" {
			tagged = `<tiff:ImageDescription><rdf:Alt><rdf:li xml:lang="x-default">Schnee</rdf:li></rdf:Alt>`
		}
		if !strings.Contains(out, tagged) || strings.Count(out, "x-default") != 2+strings.Count(language, "x-default") {
			t.Errorf("%q: no %s in\n%s", language, tagged, out)
		}
	}

	snow.Language = ""
	old := updated(t, bare, snow, Embedded{})
	snow.Language = "de"
	made := updated(t, bare, snow, Embedded{})
	if got := updated(t, old, snow, Embedded{}); got != made {
		t.Errorf("of one without a language it became\n%s", got)
	}
	// Programs change the text of all languages alone, in one property or both.
	for _, n := range []int{1, 2} {
		i := strings.LastIndex(made, `"x-default">Schnee`)
		by := made[:i] + strings.Replace(made[i:], "Schnee", "By hand", 1)
		if n == 2 {
			by = strings.Replace(by, `"x-default">Schnee`, `"x-default">By hand`, 1)
		}
		out := updated(t, by, snow, Embedded{})
		if strings.Contains(out, "Schnee") || !strings.Contains(out, ">By hand</rdf:li></rdf:Alt></tiff:ImageDescription>") {
			t.Errorf("a person's text is beside ours:\n%s", out)
		}
		if again := updated(t, out, snow, Embedded{}); again != out {
			t.Errorf("a second time it is\n%s", again)
		}
	}
}

func TestRefusals(t *testing.T) {
	utf16 := func(s string, big bool) string {
		out := "\xff\xfe"
		if big {
			out = "\xfe\xff"
		}
		for _, r := range s {
			if big {
				out += "\x00" + string(r)
			} else {
				out += string(r) + "\x00"
			}
		}
		return out
	}
	const open, end = `<x:xmpmeta xmlns:x="adobe:ns:meta/">` + rdfOpen, `</rdf:RDF></x:xmpmeta>`
	for data, want := range map[string]string{
		"":                              "it is empty",
		" \n":                           "it is empty",
		"<a/>":                          "no rdf:RDF element",
		"not XML":                       "outside of its root",
		open:                            "not well-formed",
		open + end + open + end:         "two root elements",
		open + "\xff" + end:             "not valid UTF-8",
		open + "&mine;" + end:           "not well-formed",
		open + "text" + end:             "it has text where",
		open + "<x:a/>" + end:           `the element "x:a" where XMP has rdf:Description`,
		open + "<y:a/>" + end:           `the prefix "y" is bound to no namespace`,
		open + rdfOpen + end + end:      "where XMP has rdf:Description",
		rdfOpen[:len(rdfOpen)-1] + "/>": "rdf:RDF element is empty",
		utf16(open+end, false):          "UTF-16",
		utf16(open+end, true):           "UTF-16",
		`<?xml version="1.0" encoding="ISO-8859-1"?>` + open + end:          `its encoding is "ISO-8859-1"`,
		`<!DOCTYPE x [<!ENTITY e "x">]>` + open + end:                       "document type",
		open + end + `<?xpacket end="r"?>`:                                  "read-only",
		open + `<rdf:Description rdf:about="" rdf:about="x"/>` + end:        "stands twice",
		open + strings.Repeat("<x:a>", 300) + strings.Repeat("</x:a>", 300): "where XMP has rdf:Description",
		strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300):            "deep",
		"<x:a xmlns:x='u'>" + strings.Repeat(" ", MaxSize) + "</x:a>":       "larger than 32 MiB",
	} {
		_, err := Update([]byte(data), sea, Embedded{})
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", data, err, want)
		}
		if _, _, err := Remove([]byte(data)); !errors.As(err, &refused) {
			t.Errorf("%.60q: removing: %v", data, err)
		}
	}
}

// FuzzUpdate edits any bytes: they are refused, or the result is read again, keeps
// all bytes of what was there, and can be undone exactly.
func FuzzUpdate(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s), "A dog", "dog")
		if out, err := Update([]byte(s), sea, Embedded{}); err == nil {
			f.Add(out, "Another", "sea")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, text, keyword string) {
		words := Text{Description: text, AltText: text, Keywords: []string{keyword, "dog"}, Model: "m"}
		out, err := Update(data, words, Embedded{})
		var refused *RefusedError
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatal(err)
			}
			return
		}
		if _, err := scan(out); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		d, err := scan(data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Update(out, words, Embedded{})
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("a second time: %v\n%s\nafter\n%s", err, again, out)
		}
		if d.state().present {
			return
		}
		rest, _, err := Remove(out)
		if err != nil || !bytes.Equal(rest, data) {
			t.Fatalf("removed: %v\n%s", err, rest)
		}
		// Not by Remove: every byte is still there, in its order.
		rest = out
		for _, p := range d.properties {
			if p.blank() {
				return // it may have been filled
			}
		}
		for i, b := range data {
			at := bytes.IndexByte(rest, b)
			if at < 0 {
				t.Fatalf("what begins with %.40q is gone", data[i:])
			}
			rest = rest[at+1:]
		}
	})
}
