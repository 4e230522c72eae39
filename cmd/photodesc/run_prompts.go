package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"photodesc/internal/photo"
	"photodesc/internal/prompts"
	"photodesc/llm"
	"photodesc/tracker"
)

// What --context says of a photo's own metadata.
const (
	contextNone = "none"
	contextEXIF = "exif"
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

// ask makes the run's questions of its flags.
func (f *runFlags) ask() (q questions, err error) {
	// A file takes the place of the default, not of what somebody asked for.
	if len(f.promptFiles) == 0 || isGiven(f.set.Lookup("prompt")) {
		for _, given := range f.prompts {
			p, err := prompts.Parse(given)
			if err != nil {
				return q, usageError("--prompt: %w", err)
			}
			q.Prompts = append(q.Prompts, p)
		}
	}
	for _, name := range f.promptFiles {
		text, err := readSmall(name)
		if err == nil {
			text, err = prompts.Text(text)
		}
		if err != nil {
			return q, usageError("--prompt-file %q: %w", name, err)
		}
		q.Prompts = append(q.Prompts, prompts.Named(text))
	}
	if f.keywords != "" {
		text, err := readSmall(f.keywords)
		if err == nil {
			q.Vocabulary, err = prompts.ParseVocabulary(text)
		}
		if err != nil {
			return q, usageError("--keywords %q: %w", f.keywords, err)
		}
		if p, _ := prompts.ByName(prompts.Keywords); !slices.Contains(q.Prompts, p) {
			q.Prompts = append(q.Prompts, p)
		}
	}
	if len(q.Prompts) == 0 {
		return q, usageError("--prompt: the list is empty; leave it out to ask for a description")
	}
	if err := prompts.Number(q.Prompts); err != nil {
		return q, usageError("--prompt: %w", err)
	}
	if f.context != contextNone && f.context != contextEXIF {
		return q, usageError("--context %q is neither %s nor %s", f.context, contextNone, contextEXIF)
	}
	q.Context, q.KeepRaw = f.context == contextEXIF, f.keepRaw
	return q, nil
}

// readSmall reads a file that a person has written.
func readSmall(name string) (string, error) {
	const most = 1 << 20
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", errors.New("there is no such file")
	case err != nil:
		return "", err
	case !info.Mode().IsRegular(): // a pipe would keep its reader waiting
		return "", errors.New("it is no file")
	}
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, most))
	return string(b), err
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
