// Package prompts is what is asked of a model and what is made of its answers:
// the prompts with a name, cleaning, lists of keywords, a photo's context.
// It is pure: words in, words out.
package prompts

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"photodesc/internal/wording"
)

// Prompt is a question to every photo.
type Prompt struct {
	Name string // by which its answer is found; unique in a run
	Text string
	List bool // the answer is a list of keywords
}

// The prompts with a name. The first is what is asked when nothing is.
const (
	Describe = "describe"
	Keywords = "keywords"
)

var named = []Prompt{
	{Name: Describe, Text: "Describe this image in detail."},
	{Name: "short", Text: "Describe this image in one short sentence."},
	{Name: "alt-text", Text: "Write the alt text of this image: one plain sentence that tells a person who cannot see it what it shows."},
	{Name: Keywords, Text: "List the ten most fitting keywords for this image, separated by commas.", List: true},
	{Name: "scene", Text: "Where and when was this taken? Name the kind of place, indoors or outdoors, the time of day and the weather, in one sentence."},
}

// All are the prompts that have a name.
func All() []Prompt { return slices.Clone(named) }

// Names lists them, "describe, short, …".
func Names() string { return strings.Join(names(), ", ") }

func names() (names []string) {
	for _, p := range named {
		names = append(names, p.Name)
	}
	return names
}

// ByName returns a prompt that has a name.
func ByName(name string) (Prompt, bool) {
	i := slices.IndexFunc(named, func(p Prompt) bool { return p.Name == name })
	if i < 0 {
		return Prompt{}, false
	}
	return named[i], true
}

// Named is the prompt with a text: one that has a name, if it asks the same.
func Named(text string) Prompt {
	if i := slices.IndexFunc(named, func(p Prompt) bool { return p.Text == text }); i >= 0 {
		return named[i]
	}
	return Prompt{Text: text}
}

// Parse takes what a person gave as a prompt, a name or a text. A single word
// that is nearly a name is an error: nobody asks a model "keyword".
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
			return Prompt{}, fmt.Errorf("there is no prompt with the name %q; did you mean %s?\n  the names are %s; a text of one's own may have any words", given, near, Names())
		}
	}
	return Prompt{Text: text}, nil
}

// longest bounds the prompts of a run together, in bytes; a model's context
// holds less.
const longest = 16 << 10

// Text checks and trims a text to ask with.
func Text(given string) (string, error) {
	text := strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(given, "\ufeff"), "\r\n", "\n"))
	switch {
	case text == "":
		return "", fmt.Errorf("the prompt is empty")
	case len(text) > longest:
		return "", fmt.Errorf("the prompt has %d bytes and may have %d", len(text), longest)
	case strings.ToValidUTF8(text, "") != text:
		return "", fmt.Errorf("the prompt is not text in UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		return "", fmt.Errorf("the prompt has control characters")
	}
	return text, nil
}

// Number gives prompts without a name their place in the run as one, and
// refuses two that ask the same.
func Number(list []Prompt) error {
	seen := map[string]bool{}
	size := 0
	for i := range list {
		p := &list[i]
		if size += len(p.Text); size > longest {
			return fmt.Errorf("the prompts have more than %d bytes together", longest)
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
