package xmp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxSize is how many bytes a sidecar may have. darktable's with long histories and
// Lightroom's with masks have a few million.
const MaxSize = 32 << 20

// maxDepth is how deep elements may lie in one another.
const maxDepth = 200

// A RefusedError says why a file is left as it is.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

func refuse(format string, args ...any) error {
	return &RefusedError{fmt.Sprintf(format, args...)}
}

// span is a part of the data: bytes from <= i < to.
type span struct{ from, to int }

// document is what is known of XMP after one reading. Positions are those in data.
type document struct {
	data       []byte
	rdfEnd     int // of "</rdf:RDF>"
	about      string
	nodes      []node // rdf:Description elements directly below rdf:RDF
	properties []property
	wrapped    bool // in an xpacket
}

// node is an rdf:Description.
type node struct {
	span
	inner span // between its tags; empty at to if it has no end tag of its own
}

// property is a child or an attribute of a node.
type property struct {
	name
	span           // the element, or the attribute from its name to the closing quote
	node   int     // index into document.nodes
	attr   bool    // written as an attribute of the node
	values []value // items of the list, or the text itself
	list   *list   // nil: the property is no rdf:Bag, Seq or Alt
	other  bool    // has more than text and plain items: a structure, qualifiers, a link
	tag    string  // as written, with the prefix
	start  span    // the start tag of an element
}

// value is a text of a property.
type value struct {
	lang, text string
	span       // of its rdf:li, or of the property
}

// list is an rdf:Bag, rdf:Seq or rdf:Alt.
type list struct {
	start  span   // the start tag
	end    int    // of the end tag; start.to if there is none
	closed bool   // "<rdf:Bag/>"
	prefix string // of its tag, with the colon; also right for its rdf:li
}

// blank is whether the property says nothing.
func (p *property) blank() bool {
	if p.other {
		return false
	}
	for _, v := range p.values {
		if strings.TrimSpace(v.text) != "" {
			return false
		}
	}
	return true
}

// find returns the properties with a name.
func (d *document) find(n name) (found []*property) {
	for i := range d.properties {
		if d.properties[i].name == n {
			found = append(found, &d.properties[i])
		}
	}
	return found
}

// texts returns the values of a property that say something, in the order in which they stand.
func (d *document) texts(n name) (texts []string) {
	for _, p := range d.find(n) {
		for _, v := range p.values {
			if t := strings.TrimSpace(v.text); t != "" {
				texts = append(texts, t)
			}
		}
	}
	return texts
}

// scan reads XMP. What it cannot place exactly it refuses with a *RefusedError.
func scan(data []byte) (*document, error) {
	if err := checkEncoding(data); err != nil {
		return nil, err
	}
	s := scanner{d: &document{data: data, rdfEnd: -1}, dec: xml.NewDecoder(bytes.NewReader(data))}
	// "utf8", "UTF-8" and ASCII are the bytes that were checked.
	s.dec.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(label) {
		case "utf8", "ascii", "us-ascii":
			return in, nil
		}
		return nil, refuse("it says that its encoding is %q, and only UTF-8 can be edited", label)
	}
	if err := s.run(); err != nil {
		var refused *RefusedError
		if errors.As(err, &refused) {
			return nil, refused
		}
		return nil, refuse("it is not well-formed XML: %v", err)
	}
	if s.d.rdfEnd < 0 {
		return nil, refuse("it has no rdf:RDF element, so it is no XMP")
	}
	return s.d, nil
}

func checkEncoding(data []byte) error {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "<\x00", "\x00<", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return refuse("it is UTF-16 or UTF-32, and only UTF-8 can be edited; the program that wrote it may have a setting for that")
		}
	}
	switch {
	case len(data) > MaxSize:
		return refuse("it is larger than %d MiB", MaxSize>>20)
	case len(bytes.TrimSpace(data)) == 0:
		return refuse("it is empty")
	case !utf8.Valid(data):
		return refuse("it is not valid UTF-8")
	}
	return nil
}

type scanner struct {
	d     *document
	dec   *xml.Decoder
	open  []element // from the root on
	roots int
	from  int // where the token begins
	to    int
}

// element is one that is open.
type element struct {
	name   xml.Name
	start  span
	tag    string
	depth  int  // of rdf:RDF below which it lies; children of rdf:RDF have 1, -1: outside
	item   bool // a value of the property that is being read
	spaces map[string]bool
}

func (s *scanner) run() error {
	for {
		s.from = int(s.dec.InputOffset())
		token, err := s.dec.Token()
		if err == io.EOF {
			if s.roots != 1 {
				return refuse("it has no element")
			}
			return nil
		}
		if err != nil {
			return err
		}
		s.to = int(s.dec.InputOffset())
		switch t := token.(type) {
		case xml.Directive:
			return refuse("it has a document type, which may redefine what its text means")
		case xml.ProcInst:
			err = s.instruction(t)
		case xml.CharData:
			err = s.text(t)
		case xml.StartElement:
			err = s.start(t)
		case xml.EndElement:
			err = s.end()
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) instruction(t xml.ProcInst) error {
	if t.Target != "xpacket" {
		return nil
	}
	s.d.wrapped = true
	body := strings.Join(strings.Fields(string(t.Inst)), "")
	if strings.HasPrefix(body, `end="r"`) || strings.HasPrefix(body, `end='r'`) {
		return refuse(`it says of itself that it is read-only (<?xpacket end="r"?>)`)
	}
	return nil
}

func (s *scanner) text(t xml.CharData) error {
	if len(s.open) == 0 {
		if len(bytes.Trim(bytes.TrimPrefix(t, []byte("\ufeff")), " \t\r\n")) > 0 {
			return refuse("it has text outside of its root element")
		}
		return nil
	}
	top := &s.open[len(s.open)-1]
	p := s.property()
	if p == nil || top.depth < 2 {
		if top.depth >= 0 && len(bytes.TrimSpace(t)) > 0 {
			return refuse("it has text where XMP has properties")
		}
		return nil
	}
	switch {
	case top.item:
		p.values[len(p.values)-1].text += string(t)
	case top.depth == 2 && p.list == nil:
		if len(p.values) == 0 {
			p.values = []value{{span: p.span}}
		}
		p.values[len(p.values)-1].text += string(t)
	case len(bytes.TrimSpace(t)) > 0:
		p.other = true
	}
	return nil
}

// property is the one that is being read, or nil.
func (s *scanner) property() *property {
	if top := s.open[len(s.open)-1]; top.depth >= 2 {
		return &s.d.properties[len(s.d.properties)-1]
	}
	return nil
}

func (s *scanner) start(t xml.StartElement) error {
	if len(s.open) >= maxDepth {
		return refuse("its elements lie more than %d deep in one another", maxDepth)
	}
	attrs, tag, err := attributes(s.d.data[s.from:s.to], s.from, t)
	if err != nil {
		return err
	}
	e := element{name: t.Name, start: span{s.from, s.to}, tag: tag, depth: -1, spaces: map[string]bool{}}
	if len(s.open) > 0 {
		if parent := s.open[len(s.open)-1]; parent.depth >= 0 {
			e.depth = parent.depth + 1
		}
	} else if s.roots++; s.roots > 1 {
		return refuse("it has two root elements")
	}
	for _, a := range attrs {
		if prefix, ok := strings.CutPrefix(a.tag, "xmlns:"); ok {
			if a.text == "" {
				return refuse("it unbinds the prefix %q", prefix)
			}
			e.spaces[prefix] = true
		}
	}
	s.open = append(s.open, e)
	for _, written := range append([]string{tag}, tagsOf(attrs)...) {
		if prefix, _, ok := strings.Cut(written, ":"); ok && !s.bound(prefix) {
			return refuse("the prefix %q is bound to no namespace", prefix)
		}
	}
	return s.place(&s.open[len(s.open)-1], attrs)
}

func (s *scanner) bound(prefix string) bool {
	if prefix == "xml" || prefix == "xmlns" {
		return true
	}
	for _, e := range s.open {
		if e.spaces[prefix] {
			return true
		}
	}
	return false
}

// place decides what an element is that has just begun.
func (s *scanner) place(e *element, attrs []attribute) error {
	rdf := e.name.Space == nsRDF
	switch {
	case e.depth < 0 && rdf && e.name.Local == "RDF":
		if s.d.rdfEnd >= 0 {
			return refuse("it has two rdf:RDF elements")
		}
		if len(s.open) > 2 {
			return refuse("its rdf:RDF element lies deeper than XMP's does")
		}
		e.depth, s.d.rdfEnd = 0, 0
	case e.depth == 1 && rdf && e.name.Local == "Description":
		return s.node(e, attrs)
	case e.depth == 1:
		return refuse("it has the element %q where XMP has rdf:Description", e.tag)
	case e.depth == 2:
		s.begin(e, attrs)
	case e.depth > 2:
		s.inside(e, attrs)
	}
	return nil
}

func (s *scanner) node(e *element, attrs []attribute) error {
	s.d.nodes = append(s.d.nodes, node{span: e.start})
	for _, a := range attrs {
		switch {
		case a.isNamespace() || a.name.space == nsXML:
		case (a.name.space == nsRDF || a.name.space == "") && a.name.local == "about":
			if s.d.about == "" {
				s.d.about = a.text
			}
		case a.name.space == nsRDF || a.name.space == "":
			if a.name.local != "ID" && a.name.local != "nodeID" {
				return refuse("its rdf:Description has the attribute %q, which XMP does not know", a.tag)
			}
		default:
			s.d.properties = append(s.d.properties, property{name: a.name, span: a.span, node: len(s.d.nodes) - 1, attr: true, tag: a.tag,
				values: []value{{text: a.text, span: a.span}}})
		}
	}
	return nil
}

// begin is of a property's element.
func (s *scanner) begin(e *element, attrs []attribute) {
	p := property{name: name{e.name.Space, e.name.Local}, span: e.start, node: len(s.d.nodes) - 1, tag: e.tag, start: e.start}
	lang := ""
	for _, a := range attrs {
		switch {
		case a.isNamespace():
		case a.name == name{nsXML, "lang"}:
			lang = a.text
		default:
			p.other = true
		}
	}
	if lang != "" {
		p.values = []value{{lang: lang, span: e.start}}
	}
	s.d.properties = append(s.d.properties, p)
}

// inside is of an element within a property.
func (s *scanner) inside(e *element, attrs []attribute) {
	p := s.property()
	rdf := e.name.Space == nsRDF
	plain := true
	lang := ""
	for _, a := range attrs {
		switch {
		case a.isNamespace():
		case a.name == name{nsXML, "lang"}:
			lang = a.text
		default:
			plain = false
		}
	}
	switch {
	case e.depth == 3 && rdf && plain && p.list == nil && (e.name.Local == "Bag" || e.name.Local == "Seq" || e.name.Local == "Alt"):
		if !p.blank() {
			p.other = true
		}
		p.values = nil
		prefix, _, found := strings.Cut(e.tag, ":")
		if prefix += ":"; !found {
			prefix = ""
		}
		p.list = &list{start: e.start, prefix: prefix}
	case e.depth == 4 && rdf && plain && p.list != nil && p.list.end == 0 && e.name.Local == "li":
		e.item = true
		p.values = append(p.values, value{lang: lang, span: e.start})
	default:
		p.other = true
	}
}

func (s *scanner) end() error {
	e := s.open[len(s.open)-1]
	p := s.property()
	s.open = s.open[:len(s.open)-1]
	closed := s.from == s.to // a start tag that ends itself
	switch {
	case e.depth == 0:
		if closed {
			return refuse("its rdf:RDF element is empty")
		}
		s.d.rdfEnd = s.from
	case e.depth == 1:
		n := &s.d.nodes[len(s.d.nodes)-1]
		n.to, n.inner = s.to, span{e.start.to, s.from}
	case e.depth == 2:
		p.to = s.to
		if p.list == nil {
			for i := range p.values {
				p.values[i].span = p.span
			}
		}
	case e.depth == 3 && p.list != nil && p.list.start == e.start:
		p.list.end, p.list.closed = s.from, closed
	case e.item:
		p.values[len(p.values)-1].to = s.to
	}
	return nil
}
