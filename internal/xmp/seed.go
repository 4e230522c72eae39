package xmp

import (
	"bytes"
	"strings"
)

// bare is a sidecar with nothing in it.
const bare = `<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="` + nsMeta + `">
 <rdf:RDF xmlns:rdf="` + nsRDF + `">
 </rdf:RDF>
</x:xmpmeta>
`

// New returns a sidecar for a photo that has none. It begins with what is embedded in the
// photo, because digiKam ignores that as soon as there is a sidecar. It is nil where there
// is nothing to say. The error is a *[RefusedError] where the embedded XMP cannot be taken
// over.
func New(t Text, in Embedded) ([]byte, error) {
	if t.cleaned().empty() {
		return nil, nil
	}
	data := []byte(bare)
	if packet := unwrap(in.Packet); len(packet) > 0 {
		d, err := scan(packet)
		if err != nil {
			return nil, refuse("the XMP inside of the photo would be hidden by a sidecar and cannot be taken over: %v", err)
		}
		rest, _, err := Remove(packet)
		if err != nil {
			return nil, err
		}
		if data = rest; len(d.properties) == 0 {
			data = []byte(bare)
		}
	}
	data, err := addFields(data, in.Fields)
	if err != nil {
		return nil, err
	}
	out, err := update(data, t, in, sum(string(data)))
	if err != nil || bytes.Equal(out, data) {
		return nil, err
	}
	return out, nil
}

// splitPacket returns a packet's wrapper and what is in it. The wrapper says whether
// programs that do not know the photo's format may change the packet, and is not asked.
func splitPacket(packet []byte) (before, body, after []byte) {
	packet = bytes.TrimRight(packet, "\x00")
	body = packet
	if begin := bytes.Index(packet, []byte("<?xpacket")); begin >= 0 && begin < 8 {
		if end := bytes.Index(packet[begin:], []byte("?>")); end >= 0 {
			before, body = packet[:begin+end+2], packet[begin+end+2:]
		}
		if last := bytes.LastIndex(body, []byte("<?xpacket")); last >= 0 {
			body, after = body[:last], body[last:]
		}
	}
	return before, body, after
}

// unwrap returns a packet without its wrapper, with which the space behind it goes that
// is kept free in photos.
func unwrap(packet []byte) []byte {
	_, body, _ := splitPacket(packet)
	if body = bytes.TrimSpace(body); len(body) > 0 {
		body = append(bytes.Clone(body), '\n')
	}
	return body
}

// addFields adds values of EXIF and IPTC that the XMP has not.
func addFields(data []byte, fields []Field) ([]byte, error) {
	d, err := scan(data)
	if err != nil {
		return nil, err
	}
	var elements strings.Builder
	spaces := map[string]bool{}
	for _, f := range fields {
		prefix, local, _ := strings.Cut(f.Name, ":")
		if len(d.find(name{seedPrefixes[prefix], local})) > 0 || len(f.Values) == 0 {
			continue
		}
		content := ""
		switch f.Kind {
		case "Alt":
			content = alternatives(clean(f.Values[0]))
		case "":
			content = escape(clean(f.Values[0]))
		default:
			var values []string
			for _, v := range f.Values {
				values = append(values, clean(v))
			}
			content = listOf(f.Kind, values)
		}
		spaces[prefix] = true
		elements.WriteString("\n  <" + f.Name + ">" + content + "</" + f.Name + ">")
	}
	if elements.Len() == 0 {
		return data, nil
	}
	node := `<rdf:Description xmlns:rdf="` + nsRDF + `" rdf:about="` + escape(d.about) + `"`
	for _, prefix := range []string{"dc", "photoshop", "Iptc4xmpCore"} {
		if spaces[prefix] {
			node += "\n   xmlns:" + prefix + `="` + seedPrefixes[prefix] + `"`
		}
	}
	node += ">" + elements.String() + "\n </rdf:Description>\n "
	return apply(data, []edit{{span{d.rdfEnd, d.rdfEnd}, node}}), nil
}

// text is the first of the property's texts, or "?" where that is more than a text.
func (p *property) text() string {
	for _, v := range p.values {
		if strings.TrimSpace(v.text) != "" {
			return v.text
		}
	}
	return "?"
}

// embedded is what Update needs to know of a photo's inside.
type embedded struct {
	descriptions []string // by persons
	tags         []string
}

func (in Embedded) scan() *embedded {
	e := &embedded{}
	field := func(name string) []string {
		for _, f := range in.Fields {
			if f.Name == name {
				return f.Values
			}
		}
		return nil
	}
	e.descriptions = field("dc:description")
	tags := field("dc:subject")
	d, err := scan(unwrap(in.Packet))
	if err == nil {
		s := d.state()
		for _, n := range []name{description, imageDescription} {
			for _, p := range d.find(n) {
				if !p.blank() && !p.ours(s.description) {
					e.descriptions = append(e.descriptions, p.text())
				}
			}
		}
		for _, list := range [][]string{d.texts(subject), slashed(d.texts(hierarchical)), d.texts(tagsList)} {
			if len(list) > 0 {
				tags = list
			}
		}
	}
	e.tags = tags
	return e
}
