package worker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"photodesc/internal/prompts"
	"photodesc/internal/ui"
	"photodesc/llm"
	"photodesc/tracker"
)

// Questions are the prompts of a run, and how the answers are recorded.
type Questions struct {
	Prompts    []prompts.Prompt
	Vocabulary prompts.Vocabulary `json:",omitempty"` // the allowed keywords; empty: all
	Language   prompts.Language   `json:",omitempty"` // of the answers; empty: none is asked for
	Context    prompts.Facts      `json:",omitempty"` // what of the photo's metadata is part of the prompt
	KeepRaw    bool               `json:",omitempty"` // the model's raw text is recorded, too
}

// DescribesOnly reports whether only a description is asked for.
func (q Questions) DescribesOnly() bool {
	return len(q.Vocabulary) == 0 && !slices.ContainsFunc(q.Prompts, func(p prompts.Prompt) bool { return p.Name != prompts.Describe })
}

// First returns the text of the prompt whose answer is the description.
func (q Questions) First() string { return q.Prompts[0].Text }

// Asked returns the texts of all prompts as one text.
func (q Questions) Asked() string {
	var texts []string
	for _, p := range q.Prompts {
		texts = append(texts, p.Text)
	}
	return OneText(texts)
}

// Names returns the names of the prompts, in their order.
func (q Questions) Names() (names []string) {
	for _, p := range q.Prompts {
		names = append(names, p.Name)
	}
	return names
}

// Text returns a line for the log, or "" if only a description is asked for.
func (q Questions) Text() string {
	text := "Prompts: " + strings.Join(q.Names(), ", ")
	if n := len(q.Vocabulary); n > 0 {
		text += fmt.Sprintf("; keywords out of a list of %s", ui.Comma(n))
	}
	if len(q.Context) > 0 {
		text += "; the model is told " + q.Context.Text()
	}
	if q.Language != "" {
		text += "; answers in " + q.Language.Name()
	}
	if text == "Prompts: "+prompts.Describe {
		return ""
	}
	return text
}

// picks is whether the answer to a prompt is made of the vocabulary, whose words are what they are.
func (q Questions) picks(p prompts.Prompt) bool { return p.List && len(q.Vocabulary) > 0 }

// Texts are the prompts as the model is asked them.
func (q Questions) Texts() (texts []string) {
	for _, p := range q.Prompts {
		if q.picks(p) {
			texts = append(texts, p.Text)
		} else {
			texts = append(texts, q.Language.Ask(p.Text))
		}
	}
	return texts
}

// engine returns an engine's options with the prompts added.
func (q Questions) engine(opt llm.Options) llm.Options {
	opt.Prompts = nil
	for i, text := range q.Texts() {
		asked := llm.Prompt{Text: text}
		if q.picks(q.Prompts[i]) {
			asked.Grammar = q.Vocabulary.Grammar()
		}
		opt.Prompts = append(opt.Prompts, asked)
	}
	opt.Context = q.Context.Tokens()
	return opt
}

// replies returns the replies to all prompts, in their order.
func replies(a llm.Answer) []llm.Reply { return append([]llm.Reply{a.Reply}, a.More...) }

// blank returns the indices of the prompts with a blank reply.
func (q Questions) blank(a llm.Answer) (blank []int) {
	for i, r := range replies(a) {
		if text, _ := q.clean(q.Prompts[i], r); text == "" {
			blank = append(blank, i)
		}
	}
	return blank
}

// record writes the answers into rec.
func (q Questions) record(rec *tracker.Record, a llm.Answer) {
	rec.Language = string(q.Language)
	for i, r := range replies(a) {
		p := q.Prompts[i]
		text, keywords := q.clean(p, r)
		raw := ""
		if q.KeepRaw {
			raw = r.Text
		}
		if p.List {
			rec.Keywords = keywords
		}
		if i == 0 {
			rec.Description, rec.Finish, rec.Raw = text, tracker.Finish(r.Finish), raw
			rec.PromptTokens, rec.Tokens = r.PromptTokens, r.Tokens
			continue
		}
		if rec.Answers == nil {
			rec.Answers = map[string]tracker.RecordAnswer{}
		}
		rec.Answers[p.Name] = tracker.RecordAnswer{
			Prompt: p.Text, Text: text, Finish: tracker.Finish(r.Finish), Tokens: r.Tokens, Raw: raw,
		}
	}
}

// clean returns the cleaned text of a reply and, for a list, its keywords. Both are
// empty if the reply is blank.
func (q Questions) clean(p prompts.Prompt, r llm.Reply) (text string, keywords []string) {
	cut := r.Finish != llm.FinishStop
	switch {
	case p.List && len(q.Vocabulary) > 0:
		// No entry of a vocabulary counts as blank.
		keywords = q.Vocabulary.Pick(r.Text)
		return strings.Join(keywords, ", "), keywords
	case p.List:
		keywords = prompts.List(r.Text, cut, q.Language)
		text = strings.Join(keywords, ", ")
	}
	if text == "" {
		text = prompts.Clean(r.Text, cut, q.Language)
	}
	if p.Blank(text) {
		return "", nil
	}
	return text, keywords
}

// OneText returns a single value as it is and other lists as JSON.
func OneText(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	b, _ := json.Marshal(values) // cannot fail for strings
	return string(b)
}
