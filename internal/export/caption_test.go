package export

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"photodesc/internal/prompts"
	"photodesc/tracker"
)

func TestCaption(t *testing.T) {
	r := record("a/b c.JPG", "Two\n\tlines, of\u2028a dog.\x00")
	first, _ := prompts.ByName("alt-text")
	r.Prompt = first.Text
	for _, c := range []struct {
		prompt   string
		keywords bool
		want     string
	}{
		{"", false, "Two lines, of a dog."},
		{"", true, "Two lines, of a dog, dog, red, or so"},
		{"short", false, "A dog."},
		{"short", true, "A dog, dog, red, or so"},
		{"alt-text", false, "Two lines, of a dog."},
		{"keywords", false, "dog, red"},
		{"scene", false, ""},
		{"scene", true, ""},
		{"prompt-1", false, ""},
	} {
		if got := NewCaption(c.prompt, c.keywords).Text(r); got != c.want {
			t.Errorf("%q, keywords %v: %q, want %q", c.prompt, c.keywords, got, c.want)
		}
	}
	r.Prompt, r.Keywords, r.Answers = "What is this?", nil, nil
	if got := NewCaption("prompt-1", true).Text(r); got != "Two lines, of a dog." {
		t.Error(got)
	}
}

func TestParseCaption(t *testing.T) {
	r := record("a/b c.JPG", "A dog.\nIt runs.")
	for form, want := range map[string]string{
		"{description}":                       "A dog. It runs.",
		"ohwx {name}, {answers.short} {{x}}":  "ohwx b c, A dog. {x}",
		"{folder}: {path}; {keywords}":        "a: a/b c.JPG; dog, red, or so",
		"{answers.prompt-9}{answers.missing}": "",
		" {width} × {height} {taken}":         "4000 × 3000 2019-07-14 12:30:05",
	} {
		c, err := ParseCaption(form)
		if err != nil {
			t.Errorf("%q: %v", form, err)
		} else if got := c.Text(r); got != want {
			t.Errorf("%q: %q, want %q", form, got, want)
		}
	}
	// Not every photo has keywords or is in a folder, and none of that makes a caption useless.
	c, err := ParseCaption("{folder}{keywords}{taken}{camera}{description}")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Text(&tracker.Photo{Record: tracker.Record{Path: "b.jpg", Description: "A dog."}}); got != "A dog." {
		t.Error(got)
	}
	for _, form := range []string{"", "no place", "{", "}", "{description", "{descr}", "{answers.}", "{{description}}", "{}"} {
		if _, err := ParseCaption(form); err == nil {
			t.Errorf("%q: no error", form)
		}
	}
}

func FuzzParseCaption(f *testing.F) {
	for _, s := range []string{"{description}", "a{{b}}c {name}", "{", "{}}", "{answers.x}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, form string) {
		c, err := ParseCaption(form)
		if err != nil {
			return
		}
		if got := c.Text(record("a.jpg", "x")); strings.ContainsAny(got, "\n\r\x00") {
			t.Errorf("%q: %q", form, got)
		}
	})
}

func TestImageFolder(t *testing.T) {
	var b bytes.Buffer
	f := NewImageFolder(&b, "photos")
	if err := f.Write(record("a/b \"<&>\".jpg", ""), "A dog."); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(&tracker.Photo{Record: tracker.Record{Path: "c.jpg"}}, "A cat."); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(&tracker.Photo{Record: tracker.Record{Path: "\xff.jpg"}}, "A cat."); !errors.Is(err, ErrNotUTF8) {
		t.Error(err)
	}
	want := `{"file_name":"photos/a/b \"<&>\".jpg","text":"A dog.","keywords":"dog, red, or so"}` + "\n" + `{"file_name":"photos/c.jpg","text":"A cat.","keywords":""}` + "\n"
	if b.String() != want {
		t.Errorf("%s\nwant %s", b.String(), want)
	}
}
