package worker

import (
	"slices"
	"testing"

	"photodesc/internal/prompts"
	"photodesc/llm"
	"photodesc/tracker"
)

// TestBlank has several prompts answered: which say nothing, and what is kept.
func TestBlank(t *testing.T) {
	named := func(name string) prompts.Prompt {
		p, ok := prompts.ByName(name)
		if !ok {
			t.Fatal(name)
		}
		return p
	}
	own := prompts.Prompt{Name: "prompt-2", Text: "How many people?"}
	words := prompts.Vocabulary{"12", "oak"}
	for _, c := range []struct {
		name                       string
		vocabulary                 prompts.Vocabulary
		describe, number, keywords string
		blank                      []int
		list                       []string
	}{
		{"all say something", nil, "A dog.", "2", "dog, cat", nil, []string{"dog", "cat"}},
		{"nothing at all", nil, "", "", "", []int{0, 1, 2}, nil},
		{"no letters", nil, "** **\n...", "?", "1, 2, 3", []int{0, 1, 2}, nil},
		{"a number describes nothing", nil, "2", "2", "dog", []int{0}, []string{"dog"}},
		{"prose instead of a list", nil, "A dog.", "Two.", "It is a dog that runs along a beach in the evening.", nil,
			[]string{"It is a dog that runs along a beach in the evening"}},
		{"a list's own numbers", words, "A dog.", "2", "12", nil, []string{"12"}},
		{"cut off in a word", words, "A dog.", "2", "o", []int{2}, nil},
	} {
		q := Questions{Prompts: []prompts.Prompt{named(prompts.Describe), own, named(prompts.Keywords)}, Vocabulary: c.vocabulary, KeepRaw: true}
		reply := func(text string) llm.Reply { return llm.Reply{Text: text, Finish: llm.FinishStop} }
		a := llm.Answer{Reply: reply(c.describe), More: []llm.Reply{reply(c.number), reply(c.keywords)}}
		if got := q.blank(a); !slices.Equal(got, c.blank) {
			t.Errorf("%s: blank %v, want %v", c.name, got, c.blank)
		}
		var rec tracker.Record
		q.record(&rec, a)
		if !slices.Equal(rec.Keywords, c.list) || rec.Raw != c.describe {
			t.Errorf("%s: keywords %q, raw %q", c.name, rec.Keywords, rec.Raw)
		}
		for i, text := range []string{rec.Description, rec.Answers["prompt-2"].Text, rec.Answers[prompts.Keywords].Text} {
			if (text == "") != slices.Contains(c.blank, i) {
				t.Errorf("%s: answer %d is %q", c.name, i, text)
			}
		}
	}
}
