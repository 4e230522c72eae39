package prompts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"photodesc/internal/photo"
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

func TestContext(t *testing.T) {
	taken := time.Date(2019, 7, 4, 9, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		m    photo.Metadata
		want string
	}{
		{"IMG_1.jpg", photo.Metadata{}, "Known of this image: file name \"IMG_1.jpg\".\n"},
		{"beach.jpg", photo.Metadata{Taken: taken, HasPlace: true, Latitude: 48.85826, Longitude: -2.2945},
			"Known of this image: taken on 4 July 2019 at 09:05; at 48.8583° N, 2.2945° W; file name \"beach.jpg\".\n"},
		{"a\n\x1b\"<end>\u202e.jpg", photo.Metadata{}, "Known of this image: file name \"a '(end).jpg\".\n"},
		{strings.Repeat("é", 100), photo.Metadata{}, "Known of this image: file name \"" + strings.Repeat("é", 24) + "\".\n"},
		{"", photo.Metadata{}, ""},
	} {
		if got := Context(c.name, c.m); got != c.want {
			t.Errorf("%q: got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzContext(f *testing.F) {
	f.Add("a\"\n.jpg", int64(1e9), 1.5, -170.0)
	f.Fuzz(func(t *testing.T, name string, taken int64, lat, lon float64) {
		if !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) || taken < 0 || taken > 7e9 {
			return
		}
		got := Context(name, photo.Metadata{Taken: time.Unix(taken, 0), HasPlace: true, Latitude: lat, Longitude: lon})
		line, ok := strings.CutSuffix(got, ".\n")
		if !ok || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || len(got) > ContextTokens ||
			strings.Count(line, `"`) > 2 || strings.ContainsAny(line, "<>") {
			t.Fatalf("%q", got)
		}
	})
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
