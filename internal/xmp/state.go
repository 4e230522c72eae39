package xmp

import (
	"slices"
	"strings"
)

// The properties of our own namespace. Their names are nobody else's: Immich and PhotoPrism
// take a property by its name alone, and a Model would be the camera's.
var (
	ownModel       = name{nsOwn, "DescribedBy"}     // that wrote the description
	ownLanguage    = name{nsOwn, "TextLanguage"}    // of our texts
	ownInput       = name{nsOwn, "InputHash"}       // hash of the Text
	ownDescription = name{nsOwn, "DescriptionHash"} // hash of the description as it was written last
	ownAltText     = name{nsOwn, "AltTextHash"}     // the same of the alternative text
	ownSeed        = name{nsOwn, "SeedHash"}        // hash of the sidecar without the block, where we have made it
	ownBlock       = name{nsOwn, "BlockHash"}       // hash of the block
	ownKeywords    = name{nsOwn, "AddedKeywords"}   // that were added to dc:subject
	ownTags        = name{nsOwn, "AddedTags"}       // that were added to digiKam:TagsList
	ownPaths       = name{nsOwn, "AddedPaths"}      // that were added to lr:hierarchicalSubject
	ownCopied      = name{nsOwn, "CopiedTags"}      // that were there, and were copied into a TagsList of ours
	ownReplaced    = name{nsOwn, "ReplacedEmpty"}   // empty properties that were filled, as they were
)

// state is what an earlier Update has left in a sidecar.
type state struct {
	present bool
	block   int // index of the node that is as Update wrote it, or -1

	model, input, description, altText, seed string
	keywords, tags, paths, copied, replaced  []string
}

func (d *document) state() state {
	s := state{block: -1}
	first := func(n name) string {
		if texts := d.texts(n); len(texts) > 0 {
			return texts[0]
		}
		return ""
	}
	for _, p := range d.properties {
		if p.space != nsOwn {
			continue
		}
		s.present = true
		if p.name == ownBlock && p.attr && d.intact(&p) {
			s.block = p.node
		}
	}
	s.model, s.input, s.seed = first(ownModel), first(ownInput), first(ownSeed)
	s.description, s.altText = first(ownDescription), first(ownAltText)
	s.keywords, s.tags, s.copied = d.texts(ownKeywords), d.texts(ownTags), d.texts(ownCopied)
	s.paths, s.replaced = d.texts(ownPaths), d.texts(ownReplaced)
	return s
}

// intact is whether the node with the attribute is as it was written.
func (d *document) intact(p *property) bool {
	n := d.nodes[p.node]
	block := string(d.data[n.from:p.from]) + blockAttribute(noSum) + string(d.data[p.to:n.to])
	return strings.TrimSpace(p.values[0].text) == sum(block)
}

const noSum = "0000000000000000"

func blockAttribute(sum string) string { return "photodesc:BlockHash=\"" + sum + `"` }

// ours is whether all that the property says has the hash.
func (p *property) ours(hash string) bool {
	if hash == "" || p.other || p.blank() {
		return false
	}
	return !slices.ContainsFunc(p.values, func(v value) bool {
		h := sumText(v.text)
		return h != "" && h != hash
	})
}

// outdated is whether a person has changed the text of all languages and a program has left
// ours under the tag of its own.
func (p *property) outdated(hash string) bool {
	ours, changed := false, false
	for _, v := range p.values {
		switch h := sumText(v.text); {
		case v.lang == "x-default":
			changed = h != "" && h != hash
		case h == hash:
			ours = true
		}
	}
	return ours && changed
}

// wrote is whether a photoshop:CaptionWriter is ours.
func (s *state) wrote(p *property) bool {
	return s.model != "" && len(p.values) == 1 && strings.TrimSpace(p.values[0].text) == writer(s.model)
}

// writer is the value of photoshop:CaptionWriter beside a description of a model.
func writer(model string) string { return "photodesc, " + model }
