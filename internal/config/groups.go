package config

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"photodesc/internal/prompts"
	"photodesc/internal/ui"
	"photodesc/internal/xmp"
)

// Group is a heading of the help with the flags below it.
type Group struct {
	Title string
	Flags []string
}

// Groups are the groups of a run's flags, in the order of the help. A flag that is
// in none is listed in the last one.
var Groups = []Group{
	{"What is asked", []string{"prompt", "prompt-file", "keywords", "language", "context", "max-tokens", "keep-raw"}},
	{"Model", []string{"model", "mmproj", "model-unchecked", "detail"}},
	{"Which photos", []string{"exclude", "include", "files-from", "null", "limit", "newest-first", "shard", "retry-failed", "redo", "duplicates", "requested", "watch", "rescan", "settle"}},
	{"Photos in a bucket", []string{"s3-endpoint", "s3-region", "spool"}},
	{"Resources", []string{"memory", "workers", "parallel", "threads", "nice", "batch-size", "cooldown", "timeout", "max-temp", "on-battery", "keep-awake"}},
	{"Other machines", []string{"serve", "serve-addr", "no-local", "nats", "nats-context", "nats-creds", "nats-ca", "nats-cert", "nats-key"}},
	{"Output", []string{"dry-run", "background", "xmp", "sidecar-name", "on-finish", "json", "metrics"}},
	{"Rare", []string{"temperature", "top-p", "repeat-penalty", "seed", "exact-tokens", "untrusted-loaders", "no-config"}},
}

// GroupOf returns the index in Groups of a flag of a run.
func GroupOf(flag string) int {
	i := slices.IndexFunc(Groups, func(g Group) bool { return slices.Contains(g.Flags, flag) })
	if i < 0 {
		return len(Groups) - 1
	}
	return i
}

// Word is a value that a flag may have, and what it means.
type Word struct{ Value, Means string }

// words are the values of flags that take one of a few words. Some of these flags
// take other values, too, see otherValues.
var words = map[string][]Word{
	"context":      contextWords(),
	"detail":       {{"low", "one tile, fastest"}, {"auto", "at most half of the model's longest edge, never enlarged"}, {"high", "the model's longest edge, slowest"}},
	"on-battery":   {{BatteryRun, "as on mains power"}, {BatteryPause, "finish the photos in flight and wait for mains power"}},
	"redo":         {{RedoAsk, "say what differs and do nothing"}, {RedoChanged, "describe those photos again"}, {RedoNever, "leave them as they are"}},
	"duplicates":   {{DuplicatesShare, "the words of the first one count for all; nothing is described twice"}, {DuplicatesDescribe, "describe each"}},
	"cooldown":     {{"auto", "only while memory or heat asks for it"}, {"0", "never"}},
	"workers":      {{"auto", "one a core, as memory allows"}},
	"parallel":     {{"auto", "as memory allows"}},
	"threads":      {{"auto", "one, or more where memory has no room for a worker a core"}},
	"sidecar-name": {{string(xmp.FullName), "IMG.jpg.xmp, as darktable, digiKam and Immich read it"}, {string(xmp.StemName), "IMG.xmp, as Lightroom reads it"}},
	"color":        {{ui.ColorAuto, "on a terminal"}, {ui.ColorAlways, "also in files and pipes"}, {ui.ColorNever, "nowhere"}},
}

// languageWords are the languages that the program has sentences of its own for.
func languageWords() (list []Word) {
	for _, tag := range prompts.Languages() {
		list = append(list, Word{string(tag), tag.Name()})
	}
	return list
}

// otherValues names the other values of such flags.
var otherValues = map[string]string{"detail": "PIXELS", "context": "LIST", "cooldown": "TIME", "workers": "N", "parallel": "N", "threads": "N"}

func contextWords() []Word {
	list := []Word{{prompts.Facts(nil).String(), "only the picture"}}
	for _, name := range prompts.FactNames() {
		list = append(list, Word{name, prompts.Facts{name}.Text() + ", too"})
	}
	return list
}

// Words returns the words that a flag takes. more reports whether it takes other
// values, too.
func Words(flag string) (list []Word, more bool) {
	if flag == "prompt" {
		for _, p := range prompts.All() {
			list = append(list, Word{p.Name, p.Text})
		}
		return list, true
	}
	if flag == "language" {
		return languageWords(), true
	}
	return words[flag], otherValues[flag] != ""
}

// ValueName returns the name of a flag's value in the help: "low|auto|high|PIXELS",
// "N". It is empty for a flag that is true or false.
func ValueName(f *pflag.Flag) string {
	if list := words[f.Name]; len(list) > 0 {
		var names []string
		for _, w := range list {
			if f.Name == "context" && w != list[0] {
				break // the usage names the others
			}
			if w.Value != "0" {
				names = append(names, w.Value)
			}
		}
		if more := otherValues[f.Name]; more != "" {
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

// quotedOr returns the name in backticks in a flag's usage, or other if there is none.
func quotedOr(f *pflag.Flag, other string) string {
	if strings.Count(f.Usage, "`") < 2 {
		return other
	}
	name, _ := pflag.UnquoteUsage(f)
	return name
}

// Default returns a flag's default for the help, or "" if the help does not show it.
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
