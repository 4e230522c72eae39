package prompts

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Limits of a keyword. What is longer is prose that the model wrote instead.
const (
	longestKeyword = 60 // characters
	mostWords      = 5
)

// List returns the keywords of a model's answer, without duplicates. truncated says that the
// model was stopped before the end: the last keyword is then removed, unless it is the
// only one. Introductions are removed as [Clean] does.
func List(answer string, truncated bool, l Language) []string {
	var found []string
	intros := introsIn(l)
	for _, l := range lines(answer) {
		text := withoutIntro(l.text, intros)
		if l.item { // "1. dog 2. beach" in one line
			text = numbered.ReplaceAllString(text, ", ")
		}
		found = append(found, strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;|•、，", r) })...)
	}
	var out, long []string
	seen := map[string]bool{}
	for i, s := range found {
		if truncated && i > 0 && i == len(found)-1 {
			break
		}
		s = keyword(s)
		if s == "" || seen[fold(s)] {
			continue
		}
		seen[fold(s)] = true
		if utf8.RuneCountInString(s) > longestKeyword || len(strings.Fields(s)) > mostWords {
			long = append(long, s)
			continue
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return long
	}
	return out
}

var (
	number   = regexp.MustCompile(`^\d{1,2}[.)]\s*(\D)`)
	numbered = regexp.MustCompile(`,?\s\d{1,2}[.)]\s`)
)

// fold returns a form that is equal for spellings of the same keyword.
func fold(s string) string { return strings.ToLower(s) }

// keyword returns one of a list without punctuation, articles and "and" around it.
func keyword(s string) string {
	const around = " \t.:!?…\"'`*#()[]{}“”‘’«»-_/\\"
	s = strings.Trim(number.ReplaceAllString(strings.Trim(s, around), "$1"), around)
	for again := true; again; {
		again = false
		for _, p := range []string{"and ", "or ", "a ", "an ", "the "} {
			if len(s) > len(p) && strings.EqualFold(s[:len(p)], p) {
				s, again = strings.Trim(s[len(p):], around), true
			}
		}
	}
	return s
}
