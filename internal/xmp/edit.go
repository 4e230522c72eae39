package xmp

import (
	"cmp"
	"slices"
	"strings"
)

// edit replaces a part of the data.
type edit struct {
	span
	text string
}

// apply makes the edits, which do not overlap. Those at one place keep their order.
func apply(data []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out []byte
	at := 0
	for _, e := range edits {
		if e.from < at { // inside of what was cut already
			continue
		}
		out = append(append(out, data[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, data[at:]...)
}

// blankBefore returns where the white space before at begins, not before limit.
func blankBefore(data []byte, at, limit int) int {
	for at > limit && strings.IndexByte(xmlSpace, data[at-1]) >= 0 {
		at--
	}
	return at
}

func blankAfter(data []byte, at int) int {
	for at < len(data) && strings.IndexByte(xmlSpace, data[at]) >= 0 {
		at++
	}
	return at
}

// cutItem cuts the i-th value of a list with the white space before it.
func (d *document) cutItem(p *property, i int) edit {
	before := p.list.start.to
	if i > 0 {
		before = p.values[i-1].to
	}
	from := p.values[i].from
	if b := blankBefore(d.data, from, before); b == before {
		from = b
	}
	return edit{span: span{from, p.values[i].to}}
}

// cut removes a property with the white space before it.
func (d *document) cut(p *property) edit {
	return edit{span: span{blankBefore(d.data, p.from, d.nodes[p.node].from), p.to}}
}

// insertItems adds items to the end of a list, set out as the last one is.
func (d *document) insertItems(p *property, items []string) edit {
	at, space := p.list.start.to, ""
	if n := len(p.values); n > 0 {
		before := p.list.start.to
		if n > 1 {
			before = p.values[n-2].to
		}
		if from := p.values[n-1].from; blankBefore(d.data, from, before) == before {
			space = string(d.data[before:from])
		}
		at = p.values[n-1].to
	}
	var b strings.Builder
	for _, item := range items {
		li := p.list.prefix + "li>"
		b.WriteString(space + "<" + li + escape(item) + "</" + li)
	}
	return edit{span{at, at}, b.String()}
}

// fill gives an empty property a content, which is XML for an element. It returns the
// record that undoes it.
func (d *document) fill(p *property, text, content string) (e edit, replaced string) {
	raw := string(d.data[p.from:p.to])
	replaced = p.written() + " " + raw
	if p.attr {
		return edit{p.span, p.tag + `="` + escape(text) + `"`}, replaced
	}
	start := strings.TrimSuffix(strings.TrimSuffix(string(d.data[p.start.from:p.start.to]), ">"), "/")
	return edit{p.span, start + ">" + content + "</" + p.tag + ">"}, replaced
}
