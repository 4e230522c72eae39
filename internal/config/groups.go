package config

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"photodesc/internal/prompts"
	"photodesc/internal/ui"
)

// Group is a heading of the help with the flags below it.
type Group struct {
	Title string
	Flags []string
}

// Groups are those of a run's flags, in the order of the help. A flag that is in
// none is listed under the last.
var Groups = []Group{
	{"What is asked", []string{"prompt", "prompt-file", "keywords", "context", "max-tokens", "keep-raw"}},
	{"Model", []string{"model", "mmproj", "detail"}},
	{"Which photos", []string{"exclude", "include", "files-from", "null", "limit", "newest-first", "retry-failed", "redo"}},
	{"Resources", []string{"memory", "workers", "parallel", "threads", "nice", "batch-size", "cooldown", "timeout", "max-temp", "keep-awake"}},
	{"Output", []string{"dry-run", "background", "json"}},
	{"Rare", []string{"temperature", "top-p", "repeat-penalty", "seed", "exact-tokens", "untrusted-loaders", "no-config"}},
}

// GroupOf is the place in Groups of a flag of a run.
func GroupOf(flag string) int {
	i := slices.IndexFunc(Groups, func(g Group) bool { return slices.Contains(g.Flags, flag) })
	if i < 0 {
		return len(Groups) - 1
	}
	return i
}

// Word is a value that a flag may have, and what it means.
type Word struct{ Value, Means string }

// words are the values of flags that take one of a few words, or such a word
// and something else.
var words = map[string][]Word{
	"context":  {{contextNone, "only the picture"}, {contextEXIF, "file name, date and place, too"}},
	"detail":   {{"low", "one tile, fastest"}, {"auto", "at most half of the model's longest edge, never enlarged"}, {"high", "the model's longest edge, slowest"}},
	"redo":     {{RedoAsk, "say what differs and do nothing"}, {RedoChanged, "describe those photos again"}, {RedoNever, "leave them as they are"}},
	"cooldown": {{"auto", "only while memory or heat asks for it"}, {"0", "never"}},
	"workers":  {{"auto", "one a core, as memory allows"}},
	"parallel": {{"auto", "as memory allows"}},
	"threads":  {{"auto", "one, or more where memory has no room for a worker a core"}},
	"color":    {{ui.ColorAuto, "on a terminal"}, {ui.ColorAlways, "also in files and pipes"}, {ui.ColorNever, "nowhere"}},
}

// besides is what else such a flag takes.
var besides = map[string]string{"detail": "PIXELS", "cooldown": "TIME", "workers": "N", "parallel": "N", "threads": "N"}

// Words are the values that a flag takes one of; more says that others are
// right, too.
func Words(flag string) (list []Word, more bool) {
	if flag == "prompt" {
		for _, p := range prompts.All() {
			list = append(list, Word{p.Name, p.Text})
		}
		return list, true
	}
	return words[flag], besides[flag] != ""
}

// ValueName is what the help calls a flag's value: "low|auto|high|PIXELS", "N".
// A flag that is true or false has none.
func ValueName(f *pflag.Flag) string {
	if list := words[f.Name]; len(list) > 0 {
		var names []string
		for _, w := range list {
			if w.Value != "0" {
				names = append(names, w.Value)
			}
		}
		if more := besides[f.Name]; more != "" {
			names = append(names, more)
		}
		return strings.Join(names, "|")
	}
	name, _ := pflag.UnquoteUsage(f)
	switch f.Value.Type() {
	case "bool":
		return ""
	case "int", "uint32", "uint":
		return quotedOr(f, "N")
	case "float64":
		return quotedOr(f, "X")
	case "duration":
		return quotedOr(f, "TIME")
	case "string":
		return quotedOr(f, "VALUE")
	}
	return name
}

// quotedOr is the name in backticks in a flag's usage, or another.
func quotedOr(f *pflag.Flag, other string) string {
	if strings.Count(f.Usage, "`") < 2 {
		return other
	}
	name, _ := pflag.UnquoteUsage(f)
	return name
}

// Default is a flag's default as the help has it, "" where there is nothing to
// say of it.
func Default(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return ""
	case "duration":
		if f.DefValue == "0s" {
			return ""
		}
		return durationText(f.DefValue)
	}
	if f.DefValue == "0" || f.DefValue == "[]" {
		return ""
	}
	if _, list := f.Value.(pflag.SliceValue); list {
		return strings.Trim(f.DefValue, "[]")
	}
	return f.DefValue
}
