// Package prompts has the prompts with a name, and turns a model's answers into what
// is written to the outputs: cleaned text and lists of keywords. It also writes what
// is known of a photo as text for the prompt. It works on text only and knows nothing
// of models or files.
package prompts

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"photodesc/internal/wording"
)

// Prompt is a question about every photo.
type Prompt struct {
	Name string // the key of its answer in the outputs; unique in a run
	Text string
	List bool // the answer is a list of keywords
}

// Names that the program refers to. Describe is asked where no prompt is given.
const (
	Describe = "describe"
	AltText  = "alt-text"
	Keywords = "keywords"
)

var named = []Prompt{
	{Name: Describe, Text: "Describe this image in detail."},
	{Name: "short", Text: "Describe this image in one short sentence."},
	{Name: AltText, Text: "Write the alt text of this image: one plain sentence that tells a person who cannot see it what it shows."},
	{Name: Keywords, Text: "List the ten most fitting keywords for this image, separated by commas.", List: true},
	{Name: "scene", Text: "Where and when was this taken? Name the kind of place, indoors or outdoors, the time of day and the weather, in one sentence."},
}

// All returns the prompts that have a name.
func All() []Prompt { return slices.Clone(named) }

// Names lists their names: "describe, short, …".
func Names() string { return strings.Join(names(), ", ") }

func names() (names []string) {
	for _, p := range named {
		names = append(names, p.Name)
	}
	return names
}

// ByName returns the prompt with a name.
func ByName(name string) (Prompt, bool) {
	i := slices.IndexFunc(named, func(p Prompt) bool { return p.Name == name })
	if i < 0 {
		return Prompt{}, false
	}
	return named[i], true
}

// Named returns the prompt with a text, which has a name if a named prompt has this text.
func Named(text string) Prompt {
	if i := slices.IndexFunc(named, func(p Prompt) bool { return p.Text == text }); i >= 0 {
		return named[i]
	}
	return Prompt{Text: text}
}

// Parse parses a prompt as a person gives it, a name or a text. A single word that is
// nearly a name is an error that names the prompts.
func Parse(given string) (Prompt, error) {
	if p, ok := ByName(given); ok {
		return p, nil
	}
	text, err := Text(given)
	if err != nil {
		return Prompt{}, err
	}
	if p := Named(text); p.Name != "" {
		return p, nil
	}
	if !strings.ContainsFunc(text, unicode.IsSpace) {
		if near := wording.Nearest(strings.ToLower(text), names(), 2); near != "" {
			return Prompt{}, fmt.Errorf("there is no prompt with the name %q; did you mean %s?\n  the names are %s; a text of more than one word is asked as it is", given, near, Names())
		}
	}
	return Prompt{Text: text}, nil
}

// maxBytes limits the prompts of a run together. A model's context holds less.
const maxBytes = 16 << 10

// Text trims and checks the text of a prompt. The error says what is wrong with it.
func Text(given string) (string, error) {
	text := strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(given, "\ufeff"), "\r\n", "\n"))
	switch {
	case text == "":
		return "", fmt.Errorf("the prompt is empty")
	case len(text) > maxBytes:
		return "", fmt.Errorf("the prompt has %d bytes and may have %d", len(text), maxBytes)
	case strings.ToValidUTF8(text, "") != text:
		return "", fmt.Errorf("the prompt is not text in UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		return "", fmt.Errorf("the prompt has control characters")
	}
	return text, nil
}

// Number names the prompts without a name "prompt-1", "prompt-2", … by their place in
// the list. Two prompts with the same text are an error.
func Number(list []Prompt) error {
	seen := map[string]bool{}
	size := 0
	for i := range list {
		p := &list[i]
		if size += len(p.Text); size > maxBytes {
			return fmt.Errorf("the prompts have more than %d bytes together", maxBytes)
		}
		called := p.Name
		if p.Name == "" {
			p.Name = fmt.Sprintf("prompt-%d", i+1)
			called = fmt.Sprintf("%q", p.Text)
		}
		if seen[p.Text] {
			return fmt.Errorf("the prompt %s is there twice", called)
		}
		seen[p.Text] = true
	}
	return nil
}
