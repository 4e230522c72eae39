package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"photodesc/internal/photo"
	"photodesc/internal/prompts"
	"photodesc/llm"
	"photodesc/tracker"
)

// questions is what a run asks of each photo, and what becomes of the answers.
type questions struct {
	Prompts    []prompts.Prompt
	Vocabulary prompts.Vocabulary `json:",omitempty"` // of keywords; empty: any
	Context    bool               `json:",omitempty"` // the photo's metadata is told
	KeepRaw    bool               `json:",omitempty"`
}

// describesOnly is whether nothing but a description is asked for.
func (q questions) describesOnly() bool {
	return len(q.Vocabulary) == 0 && !slices.ContainsFunc(q.Prompts, func(p prompts.Prompt) bool { return p.Name != prompts.Describe })
}

// first is the text of the prompt whose answer is the description.
func (q questions) first() string { return q.Prompts[0].Text }

// asked is the text of all prompts, one alone as it is.
func (q questions) asked() string {
	var texts []string
	for _, p := range q.Prompts {
		texts = append(texts, p.Text)
	}
	return oneText(texts)
}

func (q questions) names() (names []string) {
	for _, p := range q.Prompts {
		names = append(names, p.Name)
	}
	return names
}

// text is a line for the log; empty where nothing is out of the ordinary.
func (q questions) text() string {
	text := "Prompts: " + strings.Join(q.names(), ", ")
	if n := len(q.Vocabulary); n > 0 {
		text += fmt.Sprintf("; keywords out of a list of %s", comma(n))
	}
	if q.Context {
		text += "; the model is told file name, date and place"
	}
	if text == "Prompts: "+prompts.Describe {
		return ""
	}
	return text
}

// engine completes an engine's options with the questions.
func (q questions) engine(opt llm.Options) llm.Options {
	opt.Prompts = nil
	for _, p := range q.Prompts {
		asked := llm.Prompt{Text: p.Text}
		if p.List && len(q.Vocabulary) > 0 {
			asked.Grammar = q.Vocabulary.Grammar()
		}
		opt.Prompts = append(opt.Prompts, asked)
	}
	if q.Context {
		opt.Context = prompts.ContextTokens
	}
	return opt
}

// context is what the model is told of a photo.
func (q questions) context(rel string, m photo.Metadata) string {
	if !q.Context {
		return ""
	}
	return prompts.Context(path.Base(rel), m)
}

// record puts the answers into a result line.
func (q questions) record(rec *tracker.Record, a llm.Answer) {
	for i, r := range append([]llm.Reply{a.Reply}, a.More...) {
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

// clean makes of a reply what is kept of it.
func (q questions) clean(p prompts.Prompt, r llm.Reply) (text string, keywords []string) {
	cut := r.Finish != llm.FinishStop
	if !p.List {
		return prompts.Clean(r.Text, cut), nil
	}
	if len(q.Vocabulary) > 0 {
		keywords = q.Vocabulary.Pick(r.Text)
		return strings.Join(keywords, ", "), keywords
	}
	if keywords = prompts.List(r.Text, cut); len(keywords) == 0 {
		return prompts.Clean(r.Text, cut), nil
	}
	return strings.Join(keywords, ", "), keywords
}
