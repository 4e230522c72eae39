package prompts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ given, name, text, err string }{
		{given: "describe", name: "describe", text: "Describe this image in detail."},
		{given: "Describe this image in detail.", name: "describe", text: "Describe this image in detail."},
		{given: " Who is this?\r\n", text: "Who is this?"},
		{given: "Keywords of the mood", text: "Keywords of the mood"},
		{given: "keyword", err: "did you mean keywords?"},
		{given: "Short", err: "did you mean short?"},
		{given: "Colours?", text: "Colours?"},
		{given: " ", err: "is empty"},
		{given: "a\x00b", err: "control characters"},
		{given: "\xff", err: "UTF-8"},
		{given: strings.Repeat("a ", 9000), err: "may have 16384"},
	} {
		p, err := Parse(c.given)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%.20q: %v, want %q", c.given, err, c.err)
			}
			continue
		}
		if err != nil || p.Name != c.name || p.Text != c.text {
			t.Errorf("%q: %+v, %v", c.given, p, err)
		}
	}
}

func TestNumber(t *testing.T) {
	list := []Prompt{{Name: "short", Text: "s"}, {Text: "x"}, {Text: "y"}, {Name: "scene", Text: "z"}}
	if err := Number(list); err != nil {
		t.Fatal(err)
	}
	if list[1].Name != "prompt-2" || list[2].Name != "prompt-3" {
		t.Errorf("%+v", list)
	}
	for _, p := range []Prompt{{Name: "short", Text: "s"}, {Text: "x"}} {
		if err := Number([]Prompt{p, p}); err == nil || !strings.Contains(err.Error(), "is there twice") {
			t.Errorf("%+v twice: %v", p, err)
		}
	}
}

// TestNamesInDocs checks that a paragraph or table of the documentation has the names
// of all named prompts.
func TestNamesInDocs(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for paragraph := range strings.SplitSeq(string(text), "\n\n") {
			if !slices.ContainsFunc(All(), func(p Prompt) bool { return !strings.Contains(paragraph, "`"+p.Name+"`") }) {
				return
			}
		}
	}
	t.Errorf("no paragraph of README.md or docs names %s", Names())
}
