package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"photodesc/internal/prompts"
	"photodesc/llm"
	"photodesc/tracker"
)

// tinyRun describes photos with the small random model and returns the results.
func tinyRun(t *testing.T, model, photos string, flags ...string) map[string]tracker.Record {
	t.Helper()
	work := t.TempDir()
	args := append([]string{"-C", work, "run", "--model", filepath.Join(model, "tiny.gguf"),
		"--mmproj", filepath.Join(model, "mmproj-tiny.gguf"), "--threads", "1", "--keep-raw"}, flags...)
	if out, err := program(t, append(args, photos)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return records(t, work)
}

func examplePhotos(t *testing.T) string {
	photos, err := filepath.Abs("../../examples/photos")
	if err != nil {
		t.Fatal(err)
	}
	return photos
}

func TestDefaultPrompt(t *testing.T) {
	if p, _ := prompts.ByName(prompts.Describe); p.Text != llm.DefaultPrompt {
		t.Errorf("%q is not the engine's %q", p.Text, llm.DefaultPrompt)
	}
}

// Several prompts in one run are answered as each is in a run of its own.
func TestPromptsAloneAndTogether(t *testing.T) {
	model, photos := tinyModel(t), examplePhotos(t)
	const question = "What colour is it?"
	describe := tinyRun(t, model, photos)
	keywords := tinyRun(t, model, photos, "--prompt", "keywords")
	colour := tinyRun(t, model, photos, "--prompt", question)
	for path, got := range tinyRun(t, model, photos, "--prompt", "describe", "--prompt", "keywords", "--prompt", question) {
		d, k, c := describe[path], keywords[path], colour[path]
		if len(got.Answers) != 2 {
			t.Fatalf("%s: answers %v", path, got.Answers)
		}
		same := func(what string, got, want any) {
			t.Helper()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %s\n     got %v\nalone it is %v", path, what, got, want)
			}
		}
		same("description", got.Description, d.Description)
		same("raw description", got.Raw, d.Raw)
		same("tiles", got.Tiles, d.Tiles)
		same("prompt tokens", got.PromptTokens, d.PromptTokens)
		same("keywords", got.Keywords, k.Keywords)
		same("keywords' answer", got.Answers["keywords"], tracker.RecordAnswer{Prompt: k.Prompt, Text: k.Description, Raw: k.Raw, Finish: k.Finish, Tokens: k.Tokens})
		same("third answer", got.Answers["prompt-3"], tracker.RecordAnswer{Prompt: question, Text: c.Description, Raw: c.Raw, Finish: c.Finish, Tokens: c.Tokens})
		if k.Description != strings.Join(k.Keywords, ", ") || len(k.Keywords) == 0 || len(k.Answers) != 0 {
			t.Errorf("%s: keywords alone: %+v", path, k)
		}
	}
}

// A vocabulary may be large, and no keyword comes from elsewhere.
func TestLargeVocabulary(t *testing.T) {
	var words []string
	for i := range 5000 {
		words = append(words, fmt.Sprintf("w%dx", i*7919%5000))
	}
	file := filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(file, []byte(strings.Join(words, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	n := 0
	for path, rec := range tinyRun(t, tinyModel(t), examplePhotos(t), "--prompt", "keywords", "--keywords", file) {
		for _, k := range rec.Keywords {
			n++
			if !slices.Contains(words, k) {
				t.Errorf("%s: %q is not in the vocabulary", path, k)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d keywords for all photos", n)
	}
}

// With --context exif the same pixels under two names are two prompts.
func TestContextOfAPhoto(t *testing.T) {
	photos := t.TempDir()
	b, err := os.ReadFile(filepath.Join(examplePhotos(t), "green-triangle.tiff"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.tiff", "wedding of Ann and Bob, 1999.tiff"} {
		if err := os.WriteFile(filepath.Join(photos, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	model := tinyModel(t)
	for context, differ := range map[string]bool{"none": false, "exif": true} {
		got := tinyRun(t, model, photos, "--context", context)
		a, b := got["a.tiff"], got["wedding of Ann and Bob, 1999.tiff"]
		if (a.PromptTokens != b.PromptTokens) != differ || (a.Raw != b.Raw) != differ || a.PromptTokens == 0 {
			t.Errorf("--context %s: %d and %d tokens, %q and %q", context, a.PromptTokens, b.PromptTokens, a.Raw, b.Raw)
		}
	}
}
