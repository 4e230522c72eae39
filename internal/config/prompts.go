package config

import (
	"errors"
	"os"
	"slices"

	"photodesc/internal/fsutil"
	"photodesc/internal/prompts"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
)

// ask returns the questions that the flags ask for.
func (f *Flags) ask() (q worker.Questions, err error) {
	// A prompt file replaces the default prompt, but not one that was given.
	if len(f.promptFiles) == 0 || IsGiven(f.Set.Lookup("prompt")) {
		for _, given := range f.prompts {
			p, err := prompts.Parse(given)
			if err != nil {
				return q, ui.UsageError("--prompt: %w", err)
			}
			q.Prompts = append(q.Prompts, p)
		}
	}
	for _, name := range f.promptFiles {
		text, err := readText(name)
		if err == nil {
			text, err = prompts.Text(text)
		}
		if err != nil {
			return q, ui.UsageError("--prompt-file %q: %w", name, err)
		}
		q.Prompts = append(q.Prompts, prompts.Named(text))
	}
	if f.keywords != "" {
		text, err := readText(f.keywords)
		if err == nil {
			q.Vocabulary, err = prompts.ParseVocabulary(text)
		}
		if err != nil {
			return q, ui.UsageError("--keywords %q: %w", f.keywords, err)
		}
		if p, _ := prompts.ByName(prompts.Keywords); !slices.Contains(q.Prompts, p) {
			q.Prompts = append(q.Prompts, p)
		}
	}
	if len(q.Prompts) == 0 {
		return q, ui.UsageError("--prompt: the list is empty; leave it out to ask for a description")
	}
	if err := prompts.Number(q.Prompts); err != nil {
		return q, ui.UsageError("--prompt: %w", err)
	}
	if q.Language, err = prompts.ParseLanguage(f.language); err != nil {
		return q, ui.UsageError("--language: %w", err)
	}
	told, err := prompts.ParseFacts(f.context)
	if err != nil {
		return q, ui.UsageError("--context: %w", err)
	}
	f.context = told.String() // the settings of a run are the same in any order
	q.Context, q.KeepRaw = told, f.keepRaw
	return q, nil
}

// readText reads a text file of at most 1 MiB. The errors do not name it.
func readText(name string) (string, error) {
	const limit = 1 << 20
	text, err := fsutil.ReadSmall(name, limit)
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("there is no such file")
	}
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		err = pe.Err
	}
	return string(text), err
}
