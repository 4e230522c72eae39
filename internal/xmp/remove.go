package xmp

import (
	"slices"
	"strings"
)

// Remove returns XMP without what [Update] put in. made is whether nothing is left that
// was not made by Update, so that the sidecar itself can go. The error is a
// *[RefusedError].
func Remove(data []byte) (rest []byte, made bool, err error) {
	d, err := scan(data)
	if err != nil {
		return nil, false, err
	}
	s := d.state()
	if !s.present {
		return data, false, nil
	}
	if rest, err = remove(d, s); err != nil {
		return nil, false, err
	}
	left, err := scan(rest)
	if err != nil {
		return nil, false, err
	}
	return rest, s.seed != "" && (sum(string(rest)) == s.seed || len(left.properties) == 0), nil
}

// mirrors are properties into which digiKam copies a description.
var mirrors = []name{
	{"http://ns.adobe.com/exif/1.0/", "UserComment"},
	{"http://ns.acdsee.com/iptc/1.0/", "notes"},
}

func remove(d *document, s state) ([]byte, error) {
	if !s.present {
		return d.data, nil
	}
	r := remover{document: d, state: s, cutNodes: map[int]int{}}
	if s.block >= 0 {
		n := d.nodes[s.block]
		r.edits = append(r.edits, edit{span: span{n.from, blankAfter(d.data, n.to)}})
		r.restore()
	} else {
		r.texts(s.description, description, imageDescription)
		r.texts(s.description, mirrors...)
		r.texts(s.altText, altText)
		for _, p := range r.others(captionWriter) {
			if s.wrote(p) {
				r.property(p)
			}
		}
	}
	r.items(subject, s.keywords, nil)
	r.items(tagsList, s.tags, s.copied)
	r.items(hierarchical, s.paths, nil)
	if s.block < 0 {
		for i := range d.properties {
			if p := &d.properties[i]; p.space == nsOwn {
				r.property(p)
			}
		}
		r.emptied()
	}
	return apply(d.data, r.edits), nil
}

// remover collects the edits that take out what Update wrote.
type remover struct {
	*document
	state
	edits    []edit
	cutNodes map[int]int // properties that are cut, by the index of their node
}

// others are the properties of a name outside of the block.
func (r *remover) others(n name) []*property {
	return slices.DeleteFunc(r.find(n), func(p *property) bool { return p.node == r.block })
}

func (r *remover) property(p *property) {
	r.edits = append(r.edits, r.cut(p))
	r.cutNodes[p.node]++
}

// restore puts properties back that were empty and were filled.
func (r *remover) restore() {
	for _, record := range r.replaced {
		written, raw, _ := strings.Cut(record, " ")
		for _, n := range []name{description, imageDescription, captionWriter, altText, subject, tagsList, hierarchical} {
			if n.written() != written {
				continue
			}
			for _, p := range r.others(n) {
				if r.filled(p) {
					r.edits = append(r.edits, edit{p.span, raw})
					break
				}
			}
		}
	}
}

// filled is whether a property has nothing but what Update put there.
func (r *remover) filled(p *property) bool {
	all := func(allowed []string) bool {
		return !p.other && !slices.ContainsFunc(p.values, func(v value) bool { return !slices.Contains(allowed, strings.TrimSpace(v.text)) })
	}
	switch p.name {
	case subject:
		return all(r.keywords)
	case tagsList:
		return all(r.tags)
	case hierarchical:
		return all(r.paths)
	case captionWriter:
		return all([]string{writer(r.model)})
	case altText:
		return p.ours(r.altText)
	}
	return p.ours(r.description)
}

// texts cuts texts of ours. Where a person has added a translation, that stays.
func (r *remover) texts(hash string, names ...name) {
	if hash == "" {
		return
	}
	for _, n := range names {
		for _, p := range r.find(n) {
			if p.ours(hash) {
				r.property(p)
				continue
			}
			if p.list == nil || p.other {
				continue
			}
			for i, v := range p.values {
				if sumText(v.text) == hash {
					r.edits = append(r.edits, r.cutItem(p, i))
				}
			}
		}
	}
}

// items cuts the keywords of ours from a list, each once. In a list that another program
// has rewritten, a list goes that has nothing else but what was copied into it.
func (r *remover) items(n name, ours, copied []string) {
	left := slices.Clone(ours)
	for _, p := range r.others(n) {
		if p.list == nil || p.other || r.restored(p) {
			continue
		}
		var cuts []edit
		kept := false
		for i, v := range p.values {
			text := strings.TrimSpace(v.text)
			if j := slices.Index(left, text); j >= 0 {
				left = slices.Delete(left, j, j+1)
				cuts = append(cuts, r.cutItem(p, i))
			} else if !slices.Contains(copied, text) {
				kept = true
			}
		}
		if len(cuts) > 0 && !kept && r.block < 0 {
			r.property(p)
			continue
		}
		r.edits = append(r.edits, cuts...)
	}
}

// restored is whether the property is put back as it was.
func (r *remover) restored(p *property) bool {
	return slices.ContainsFunc(r.edits, func(e edit) bool { return e.span == p.span })
}

// emptied cuts the nodes of which all properties are cut.
func (r *remover) emptied() {
	all := map[int]int{}
	for _, p := range r.properties {
		all[p.node]++
	}
	for i, n := range r.nodes {
		if all[i] > 0 && all[i] == r.cutNodes[i] {
			r.edits = slices.DeleteFunc(r.edits, func(e edit) bool { return e.from >= n.from && e.to <= n.to })
			r.edits = append(r.edits, edit{span: span{n.from, blankAfter(r.data, n.to)}})
		}
	}
}
