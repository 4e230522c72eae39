package xmp

import (
	"regexp"
	"slices"
	"strings"
)

// block collects what is put before the end of the RDF.
type block struct {
	d        *document
	attrs    []string
	elements []string
}

func (b *block) attribute(n name, text string) {
	if text != "" {
		b.attrs = append(b.attrs, n.written()+`="`+escape(text)+`"`)
	}
}

func (b *block) element(n name, content string) {
	b.elements = append(b.elements, "<"+n.written()+">"+content+"</"+n.written()+">")
}

// has is whether the block has a property as an element.
func (b *block) has(n name) bool {
	return slices.ContainsFunc(b.elements, func(e string) bool { return strings.HasPrefix(e, "<"+n.written()+">") })
}

// list adds a property with an rdf:Bag or rdf:Seq.
func (b *block) list(n name, kind string, items []string) {
	if len(items) > 0 {
		b.element(n, listOf(kind, items))
	}
}

func listOf(kind string, items []string) string {
	s := "<rdf:" + kind + ">"
	for _, item := range items {
		s += "<rdf:li>" + escape(item) + "</rdf:li>"
	}
	return s + "</rdf:" + kind + ">"
}

// alternatives is a text for all languages.
func alternatives(text string) string {
	return "<rdf:Alt>" + alternative("x-default", text) + "</rdf:Alt>"
}

// alternativesIn is a text for all languages and under the tag of its own, as XMP wants it where that is known.
func alternativesIn(language, text string) string {
	if !tag.MatchString(language) {
		return alternatives(text)
	}
	return "<rdf:Alt>" + alternative("x-default", text) + alternative(language, text) + "</rdf:Alt>"
}

func alternative(language, text string) string {
	return `<rdf:li xml:lang="` + language + `">` + escape(text) + "</rdf:li>"
}

// tag is a language as xml:lang has it.
var tag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// bound binds the prefix of a list or alternatives where it may not be bound to RDF.
func bound(content string) string {
	kind, rest, _ := strings.Cut(content, ">")
	return kind + ` xmlns:rdf="` + nsRDF + `">` + rest
}

// insert is the edit that puts the block into the document.
func (b *block) insert() edit {
	d := b.d
	from := blankBefore(d.data, d.rdfEnd, 0)
	// What stands before the end tag is repeated behind the block, so that the block ends as its neighbours do.
	space := string(d.data[from:d.rdfEnd])
	if i := strings.LastIndexByte(space, '\n'); i < 0 {
		space = ""
	} else if space = space[i:]; i > 0 && d.data[from+i-1] == '\r' {
		space = "\r" + space
	}
	inner := space
	if space != "" {
		inner = space + " "
	}
	var s strings.Builder
	s.WriteString(`<rdf:Description`)
	rdf := `rdf:about="` + escape(d.about) + `"`
	s.WriteString(` xmlns:rdf="` + nsRDF + `" ` + rdf)
	text := strings.Join(b.attrs, "\n") + strings.Join(b.elements, "\n")
	for _, p := range prefixes[1:] {
		if p.space == nsOwn || strings.Contains(text, p.prefix+":") {
			s.WriteString(attributeSpace(inner) + `xmlns:` + p.prefix + `="` + p.space + `"`)
		}
	}
	s.WriteString(attributeSpace(inner) + blockAttribute(noSum))
	for _, a := range b.attrs {
		s.WriteString(attributeSpace(inner) + a)
	}
	s.WriteString(">")
	for _, e := range b.elements {
		s.WriteString(inner + e)
	}
	s.WriteString(space + "</rdf:Description>")
	whole := strings.Replace(s.String(), blockAttribute(noSum), blockAttribute(sum(s.String())), 1)
	return edit{span{d.rdfEnd, d.rdfEnd}, whole + space}
}

func attributeSpace(inner string) string {
	if inner == "" {
		return " "
	}
	return inner + " "
}
