package xmp

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// maxRead is how many bytes of XMP are read for what is written in them. Long histories of
// edits have less.
const maxRead = 4 << 20

// rdf is an element of XMP with what is in it. Attributes that are properties are elements, too.
type rdf struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []rdf      `xml:",any"`
}

func (e *rdf) is(space, local string) bool {
	return e.XMLName.Space == space && e.XMLName.Local == local
}

// fields calls see for each field of a structure, in whichever form of RDF it is written.
func (e *rdf) fields(see func(name, *rdf)) {
	for _, a := range e.Attrs {
		see(name{a.Name.Space, a.Name.Local}, &rdf{XMLName: a.Name, Text: a.Value})
	}
	for i := range e.Nodes {
		n := &e.Nodes[i]
		if n.is(nsRDF, "Description") {
			n.fields(see)
			continue
		}
		see(name{n.XMLName.Space, n.XMLName.Local}, n)
	}
}

// items are the values of a property: those of its list, or itself.
func (e *rdf) items() (list []*rdf) {
	for i := range e.Nodes {
		n := &e.Nodes[i]
		if !n.is(nsRDF, "Bag") && !n.is(nsRDF, "Seq") && !n.is(nsRDF, "Alt") {
			continue
		}
		for k := range n.Nodes {
			if n.Nodes[k].is(nsRDF, "li") {
				list = append(list, &n.Nodes[k])
			}
		}
		return list
	}
	return []*rdf{e}
}

// texts are the texts of a property that say something. Of several languages it is the one
// that is the default, or the first.
func (e *rdf) texts() (list []string) {
	for _, item := range e.items() {
		text := item.Text
		item.fields(func(n name, f *rdf) {
			if (n == name{nsRDF, "value"}) {
				text = f.Text
			}
		})
		if text = clean(text); text != "" {
			list = append(list, text)
		}
	}
	for i := range e.Nodes {
		if e.Nodes[i].is(nsRDF, "Alt") && len(list) > 0 {
			return []string{e.Nodes[i].standard(list[0])}
		}
	}
	return list
}

// standard is the text of the default language among alternatives.
func (e *rdf) standard(first string) string {
	for i := range e.Nodes {
		for _, a := range e.Nodes[i].Attrs {
			if text := clean(e.Nodes[i].Text); a.Name.Space == nsXML && a.Name.Local == "lang" && a.Value == "x-default" && text != "" {
				return text
			}
		}
	}
	return first
}

// text is the first text of a property.
func (e *rdf) text() string {
	if list := e.texts(); len(list) > 0 {
		return list[0]
	}
	return ""
}

// properties calls see for the properties of XMP that are wanted.
func properties(data []byte, wanted func(name) bool, see func(name, *rdf)) error {
	if len(data) > maxRead {
		return fmt.Errorf("it is larger than %d MiB", maxRead>>20)
	}
	data = utf8Of(data)
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(label) {
		case "utf8", "ascii", "us-ascii", "utf-16", "utf-16le", "utf-16be":
			return in, nil
		}
		return nil, fmt.Errorf("its encoding %q is not known", label)
	}
	depth := 0 // of rdf:RDF's children
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.EndElement:
			depth = max(depth-1, 0)
		case xml.StartElement:
			n := name{t.Name.Space, t.Name.Local}
			switch {
			case depth == 2:
				if !wanted(n) {
					if err := dec.Skip(); err != nil {
						return err
					}
					continue
				}
				var e rdf
				if err := dec.DecodeElement(&e, &t); err != nil {
					return err
				}
				see(n, &e)
			case depth == 1: // rdf:Description
				for _, a := range t.Attr {
					if n := (name{a.Name.Space, a.Name.Local}); wanted(n) {
						see(n, &rdf{XMLName: a.Name, Text: a.Value})
					}
				}
				depth = 2
			case n == name{nsRDF, "RDF"}:
				depth = 1
			}
		}
	}
}

// utf8Of returns XML that is in UTF-16 in UTF-8, without the zeros that fill up a packet.
func utf8Of(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("<\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")), bytes.HasPrefix(data, []byte("\x00<")):
		order = binary.BigEndian
	default:
		return bytes.TrimRight(data, "\x00")
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(strings.TrimRight(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"), "\x00"))
}
