package export

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"photodesc/internal/prompts"
	"photodesc/tracker"
)

// AnswerTo is a photo's answer to the prompt with a name, be it the first prompt or a further one; "" where there is none.
func AnswerTo(r *tracker.Photo, name string) string {
	if a, ok := r.Answers[name]; ok {
		return a.Text
	}
	switch first := prompts.Named(r.Prompt).Name; {
	case first == name && name != "", first == "" && name == "prompt-1":
		return r.Description
	case name == prompts.Keywords:
		return joined(r.Keywords)
	}
	return ""
}

// Caption is the form of a caption: text with places for what is known of a photo.
type Caption struct{ parts []captionPart }

// captionPart is fixed text, or a place.
type captionPart struct {
	text     string
	value    func(*tracker.Photo) string // nil for fixed text
	optional bool                        // a caption without it is whole
}

// optionalPlaces may be empty in a caption that is written: not every photo has keywords, or a date.
var optionalPlaces = []string{"keywords", "folder", "taken", "camera"}

// pathPlaces are places beside the columns of a table.
var pathPlaces = []Column{
	{"name", func(r *tracker.Photo) string { return strings.TrimSuffix(path.Base(r.Path), path.Ext(r.Path)) }, false},
	{"folder", func(r *tracker.Photo) string { return strings.TrimPrefix(path.Dir(r.Path), ".") }, false},
}

// NewCaption is the caption of a prompt's answer, or of the description where prompt is "", with the keywords behind it if
// they are wanted.
func NewCaption(prompt string, keywords bool) Caption {
	text := captionPart{value: func(r *tracker.Photo) string { return r.Description }}
	if prompt != "" {
		text.value = func(r *tracker.Photo) string { return AnswerTo(r, prompt) }
	}
	if !keywords {
		return Caption{[]captionPart{text}}
	}
	plain := text.value
	text.value = func(r *tracker.Photo) string {
		s := oneLine(plain(r))
		if len(r.Keywords) == 0 || s == "" {
			return s
		}
		return strings.TrimSuffix(s, ".") + ", " + joined(r.Keywords)
	}
	return Caption{[]captionPart{text}}
}

// ParseCaption reads the form of a caption that a person wrote: "{description}", and so with the names of columns, name and
// folder, are places, {{ and }} are braces. The error says what is wrong with it.
func ParseCaption(form string) (c Caption, err error) {
	text := func(s string) {
		if n := len(c.parts); n > 0 && c.parts[n-1].value == nil {
			c.parts[n-1].text += s
		} else if s != "" {
			c.parts = append(c.parts, captionPart{text: s})
		}
	}
	places := 0
	for rest := form; rest != ""; {
		at := strings.IndexAny(rest, "{}")
		if at < 0 {
			text(rest)
			break
		}
		text(rest[:at])
		brace := rest[at : at+1]
		if rest = rest[at+1:]; strings.HasPrefix(rest, brace) {
			text(brace)
			rest = rest[1:]
			continue
		}
		name, after, closed := strings.Cut(rest, "}")
		if brace == "}" || !closed {
			return c, fmt.Errorf("%q has a brace without its other; for a brace itself write it twice", form)
		}
		place, err := placeNamed(name)
		if err != nil {
			return c, err
		}
		c.parts, rest, places = append(c.parts, place), after, places+1
	}
	if places == 0 {
		return c, fmt.Errorf("%q has no place for a text, as {description}", form)
	}
	return c, nil
}

func placeNamed(name string) (captionPart, error) {
	if further, is := strings.CutPrefix(name, answersPrefix); is && further != "" {
		return captionPart{value: func(r *tracker.Photo) string { return AnswerTo(r, further) }}, nil
	}
	for _, p := range pathPlaces {
		if p.Name == name {
			return captionPart{value: p.value, optional: slices.Contains(optionalPlaces, name)}, nil
		}
	}
	columns, err := ChosenColumns([]string{name})
	if err != nil {
		return captionPart{}, fmt.Errorf("there is nothing called {%s}\n  there are {%s}, {name}, {folder}, and {%sNAME} with the answer to a prompt", name, strings.Join(ColumnNames(), "}, {"), answersPrefix)
	}
	return captionPart{value: columns[0].value, optional: slices.Contains(optionalPlaces, name)}, nil
}

// Text is the caption of a photo on one line. It is "" where the photo has not all that the caption needs.
func (c Caption) Text(r *tracker.Photo) string {
	var b strings.Builder
	for _, p := range c.parts {
		s := p.text
		if p.value != nil {
			s = oneLine(p.value(r))
			if s == "" && !p.optional {
				return ""
			}
		}
		b.WriteString(s)
	}
	return oneLine(b.String())
}

// oneLine puts text on one line, as trainers read it, without control characters.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	return strings.ToValidUTF8(s, "\ufffd")
}
