package xmp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Embedded is what is known from inside the photo that the sidecar belongs to.
type Embedded struct {
	Packet []byte  // XMP; nil if there is none
	Fields []Field // of EXIF and IPTC, as XMP has them
}

// Field is a value of EXIF or IPTC under the name that it has in XMP.
type Field struct {
	Name   string // "dc:title", with a prefix of dc, photoshop or Iptc4xmpCore
	Kind   string // "Alt", "Bag", "Seq" or "", a text
	Values []string
}

// Update returns XMP with the text in it. What a person wrote stays, and so does what a
// person has removed: texts and keywords that were written once are not written again.
// data is returned as it is where nothing is to be changed. The error is a *[RefusedError]
// for data that cannot be edited without a risk.
func Update(data []byte, t Text, in Embedded) ([]byte, error) { return update(data, t, in, "") }

// update is Update; seed is the hash of data for a sidecar that is made now.
func update(data []byte, t Text, in Embedded, seed string) ([]byte, error) {
	t = t.cleaned()
	d, err := scan(data)
	if err != nil {
		return nil, err
	}
	was := d.state()
	if t.empty() && !was.present {
		return data, nil
	}
	rest, err := remove(d, was)
	if err != nil {
		return nil, err
	}
	base, err := scan(rest)
	if err != nil {
		return nil, fmt.Errorf("without what photodesc wrote: %w", err)
	}
	u := updater{Text: t, before: d, was: was, d: base, in: in.scan()}
	u.now = state{input: t.input(), seed: was.seed, model: t.Model}
	if seed != "" {
		u.now.seed = seed
	}
	out := u.run()
	if was.present && was.block < 0 && !u.due() {
		return data, nil
	}
	return out, check(out, rest)
}

// check is whether out can be undone. It finds mistakes of this package, before they
// are in a file.
func check(out, rest []byte) error {
	d, err := scan(out)
	if err != nil {
		return errors.Join(refuse("the result could not be read again"), err)
	}
	undone, err := remove(d, d.state())
	if err != nil || !bytes.Equal(undone, rest) {
		return errors.Join(refuse("it is written in a way in which the change could not be undone"), err)
	}
	return nil
}

// updater builds what Update writes.
type updater struct {
	Text
	before *document // with what was written earlier
	was    state
	d      *document // without
	in     *embedded
	now    state
	edits  []edit
	block  block
}

func (u *updater) run() []byte {
	u.block.d = u.d
	u.describe()
	u.alt()
	u.addKeywords()
	b := &u.block
	b.attribute(ownModel, u.now.model)
	b.attribute(ownLanguage, u.Language)
	b.attribute(ownInput, u.now.input)
	b.attribute(ownDescription, u.now.description)
	b.attribute(ownAltText, u.now.altText)
	b.attribute(ownSeed, u.now.seed)
	b.list(ownKeywords, "Bag", u.now.keywords)
	b.list(ownTags, "Bag", u.now.tags)
	b.list(ownPaths, "Bag", u.now.paths)
	b.list(ownCopied, "Bag", u.now.copied)
	b.list(ownReplaced, "Bag", u.now.replaced)
	return apply(u.d.data, append(u.edits, b.insert()))
}

// due is whether a sidecar that another program has rewritten since needs a change.
func (u *updater) due() bool {
	if u.was.input != u.now.input || u.was.description == "" && u.now.description != "" {
		return true
	}
	if u.personal() {
		if slices.ContainsFunc(u.before.find(captionWriter), u.was.wrote) {
			return true
		}
		for _, n := range []name{description, imageDescription} {
			if slices.ContainsFunc(u.before.find(n), func(p *property) bool { return p.ours(u.was.description) || p.outdated(u.was.description) }) {
				return true
			}
		}
	}
	return !slices.Equal(u.was.copied, u.now.copied)
}

// personal is whether a person has described the photo.
func (u *updater) personal() bool {
	for _, n := range []name{description, imageDescription} {
		for _, p := range u.d.find(n) {
			if !p.blank() {
				return true
			}
		}
	}
	// A text of ours may have been copied into the photo.
	return slices.ContainsFunc(u.in.descriptions, func(t string) bool { return sumText(t) != u.was.description })
}

// describe writes the description, unless a person has written one or removed ours.
func (u *updater) describe() {
	u.now.description = u.was.description
	if u.Description == "" || u.personal() || u.was.description != "" && !u.has(description, imageDescription) {
		return
	}
	u.now.description = sumText(u.Description)
	// darktable 4.2.1, which reads the first only, would show a second language and its tag behind the text.
	u.write(description, u.Description, alternatives(u.Description))
	u.write(imageDescription, u.Description, alternativesIn(u.Language, u.Description))
	if u.Model != "" {
		u.write(captionWriter, writer(u.Model), escape(writer(u.Model)))
	}
}

// alt writes the alternative text under the same conditions.
func (u *updater) alt() {
	u.now.altText = u.was.altText
	if u.AltText == "" || u.was.altText != "" && !u.has(altText) {
		return
	}
	for _, p := range u.d.find(altText) {
		if !p.blank() {
			return
		}
	}
	u.now.altText = sumText(u.AltText)
	u.write(altText, u.AltText, alternatives(u.AltText))
}

// has is whether the file, as it was found, has one of the properties with a text.
func (u *updater) has(names ...name) bool {
	for _, n := range names {
		for _, p := range u.before.find(n) {
			if !p.blank() {
				return true
			}
		}
	}
	return false
}

// write puts a property into the block or fills an empty one that is there. One that
// says something stays.
func (u *updater) write(n name, text, content string) {
	found := u.d.find(n)
	switch {
	case len(found) == 0:
		u.block.element(n, content)
	case len(found) == 1 && found[0].blank():
		if strings.HasPrefix(content, "<rdf:") {
			content = bound(content)
		}
		e, replaced := u.d.fill(found[0], text, content)
		u.edits = append(u.edits, e)
		u.now.replaced = append(u.now.replaced, replaced)
	}
}

// addKeywords adds keywords to each list in which programs look for them.
func (u *updater) addKeywords() {
	u.now.keywords = u.addTo(subject, "Bag", "", u.was.keywords, nil)
	// darktable looks nowhere else if this list is there. It is not made.
	if len(u.d.find(hierarchical)) > 0 {
		u.now.paths = u.addTo(hierarchical, "Bag", "|", u.was.paths, nil)
	} else {
		u.now.paths = u.was.paths
	}
	// For digiKam and Immich. A new list begins with the tags that are there already, because
	// Immich looks nowhere else if it is there.
	var copied []string
	isNew := len(u.d.find(tagsList)) == 0
	if isNew {
		copied = u.tagsElsewhere()
	}
	u.now.tags = u.addTo(tagsList, "Seq", "/", u.was.tags, copied)
	if isNew && u.block.has(tagsList) {
		u.now.copied = copied
	}
}

// addTo adds the keywords that a list has not to its end, and returns those that are to be
// recorded: these, and those that were added earlier and that somebody has taken out
// since, which are not added again. A new list begins with others. In the list a keyword
// with the separator would be a path of tags; it is left out.
func (u *updater) addTo(n name, kind, separator string, recorded, others []string) []string {
	there := slices.Concat(u.d.texts(n), others)
	for _, tag := range there {
		if separator != "" {
			there = append(there, tag[strings.LastIndex(tag, separator)+1:])
		}
	}
	var record, add []string
	before := u.before.texts(n)
	for _, k := range recorded {
		if !slices.Contains(before, k) {
			record = append(record, k)
		}
	}
	for _, k := range u.Keywords {
		if !hasFold(there, k) && !hasFold(record, k) && (separator == "" || !strings.Contains(k, separator)) {
			add = append(add, k)
		}
	}
	if len(add) > 0 && u.addItems(n, kind, add, others) {
		record = append(record, add...)
	}
	return record
}

// tagsElsewhere are the tags of a photo without a TagsList, from where Immich looks next.
func (u *updater) tagsElsewhere() []string {
	lists := [][]string{slashed(u.d.texts(hierarchical)), u.d.texts(subject), u.in.tags}
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// slashed are Lightroom's paths of tags, as digiKam writes them.
func slashed(tags []string) (paths []string) {
	for _, t := range tags {
		paths = append(paths, strings.ReplaceAll(t, "|", "/"))
	}
	return paths
}

// addItems adds to a list, or makes one that begins with others. It is false where the
// property is there and is no list.
func (u *updater) addItems(n name, kind string, items, others []string) bool {
	found := u.d.find(n)
	if len(found) == 0 {
		u.block.list(n, kind, slices.Concat(others, items))
		return true
	}
	p := found[0]
	switch {
	case p.other || p.attr:
		return false
	case p.list != nil && !p.list.closed:
		u.edits = append(u.edits, u.d.insertItems(p, items))
		return true
	case p.blank():
		e, replaced := u.d.fill(p, "", bound(listOf(kind, items)))
		u.edits = append(u.edits, e)
		u.now.replaced = append(u.now.replaced, replaced)
		return true
	}
	return false
}
