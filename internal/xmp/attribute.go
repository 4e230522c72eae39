package xmp

import (
	"bytes"
	"encoding/xml"
)

// attribute is one of a start tag, with its place, which encoding/xml does not tell.
type attribute struct {
	span        // from its name to the closing quote
	tag  string // as written, with the prefix
	name name
	text string
}

func (a *attribute) isNamespace() bool {
	return a.tag == "xmlns" || bytes.HasPrefix([]byte(a.tag), []byte("xmlns:"))
}

func tagsOf(attrs []attribute) []string {
	tags := make([]string, len(attrs))
	for i, a := range attrs {
		tags[i] = a.tag
	}
	return tags
}

const xmlSpace = " \t\r\n"

// attributes returns the attributes of a start tag and its name as written. raw is the
// tag, which begins at the offset and which encoding/xml has accepted as t.
func attributes(raw []byte, offset int, t xml.StartElement) (attrs []attribute, tag string, err error) {
	odd := refuse("its start tag %.80q cannot be read", raw)
	at := 1
	word := func(end string) string {
		from := at
		for at < len(raw) && !bytes.ContainsRune([]byte(end), rune(raw[at])) {
			at++
		}
		return string(raw[from:at])
	}
	skip := func() {
		for at < len(raw) && bytes.IndexByte([]byte(xmlSpace), raw[at]) >= 0 {
			at++
		}
	}
	if len(raw) < 3 || raw[0] != '<' {
		return nil, "", odd
	}
	tag = word(xmlSpace + "/>")
	seen := map[name]bool{}
	for {
		skip()
		if at >= len(raw) {
			return nil, "", odd
		}
		if raw[at] == '/' || raw[at] == '>' {
			break
		}
		a := attribute{span: span{from: offset + at}}
		a.tag = word(xmlSpace + "=/>")
		skip()
		if at+1 >= len(raw) || raw[at] != '=' {
			return nil, "", odd
		}
		at++
		skip()
		if at >= len(raw) || raw[at] != '"' && raw[at] != '\'' {
			return nil, "", odd
		}
		quote := raw[at]
		at++
		word(string(quote))
		if at >= len(raw) || len(attrs) >= len(t.Attr) {
			return nil, "", odd
		}
		at++
		a.to = offset + at
		x := t.Attr[len(attrs)]
		a.name, a.text = name{x.Name.Space, x.Name.Local}, x.Value
		if seen[a.name] {
			return nil, "", refuse("the attribute %q stands twice in one element", a.tag)
		}
		seen[a.name] = true
		attrs = append(attrs, a)
	}
	if len(attrs) != len(t.Attr) || tag == "" {
		return nil, "", odd
	}
	return attrs, tag, nil
}
