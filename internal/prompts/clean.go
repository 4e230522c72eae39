package prompts

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes one plain paragraph of a model's answer, without markdown and without
// introductions such as "The image shows", in English and in the language of the answer.
// truncated says that the model was stopped before the end of its answer: an unfinished
// last sentence is then removed, unless it is the only one. The result is empty only if
// the answer is.
func Clean(answer string, truncated bool, l Language) string {
	text, intros := plainest(answer), introsIn(l)
	for {
		s := stripIntros(sentences(text), intros)
		if n := len(s); truncated && n > 1 && !finished(s[n-1]) {
			s = s[:n-1]
		}
		next := plainest(joinSentences(s))
		if next == "" || next == text {
			break
		}
		text = next
	}
	if text == "" {
		text = oneLine(answer)
	}
	return text
}

// joinSentences puts a space between sentences, unless they are written without.
func joinSentences(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 && !strings.ContainsFunc(lastRune(strings.TrimRight(list[i-1], closers)), func(r rune) bool { return strings.ContainsRune(wideTerminators, r) }) {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	return b.String()
}

func lastRune(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[len(s)-n:]
}

// stripIntros removes the introduction of each sentence, and sentences that are then
// empty.
func stripIntros(list []string, intros []introduction) (out []string) {
	for _, s := range list {
		if stripped := stripIntro(s, intros); strings.ContainsFunc(stripped, isWord) {
			out = append(out, stripped)
		}
	}
	return out
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// stripIntro removes the introductions of a sentence and capitalises the rest.
func stripIntro(s string, intros []introduction) string {
	if rest := withoutIntro(s, intros); rest != s {
		return capital(rest)
	}
	return s
}

// withoutIntro returns a sentence without its introductions.
func withoutIntro(s string, intros []introduction) string {
	for again := true; again; {
		again = false
		for _, re := range intros {
			m := re.FindStringSubmatchIndex(s)
			if m == nil || m[1] == 0 {
				continue
			}
			s, again = leave(s, m, re.around), true
		}
	}
	return s
}

// leave is what a match of an introduction leaves of a sentence.
func leave(s string, m []int, around bool) string {
	rest := s[m[1]:]
	if around {
		rest = ""
	}
	kept := ""
	for i := 2; i < len(m); i += 2 {
		if m[i] < 0 {
			continue
		}
		if !around {
			return s[m[i]:] // from the first group on
		}
		kept += s[m[i]:m[i+1]]
	}
	return kept + rest
}

// capital returns a sentence with a capital first letter.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if !unicode.IsLower(r) {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// terminators end a sentence; closers may follow them.
const (
	terminators     = ".!?…" + wideTerminators
	wideTerminators = "。！？" // no space follows them
	closers         = "\"'”’»)]」』"
)

// finished tells whether a sentence ends with a terminator.
func finished(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(s, closers))
	return strings.ContainsRune(terminators, r)
}

// sentences splits a paragraph into sentences. If it cannot tell, it does not split.
func sentences(text string) (out []string) {
	from := 0
	for at := 0; at < len(text); {
		r, n := utf8.DecodeRuneInString(text[at:])
		if !strings.ContainsRune(terminators, r) {
			at += n
			continue
		}
		mark := at
		for at < len(text) {
			r, n = utf8.DecodeRuneInString(text[at:])
			if !strings.ContainsRune(terminators+closers, r) {
				break
			}
			at += n
		}
		if at < len(text) && !begins(text[mark:at], text[at:]) || abbreviated(text[from:mark], text[mark:at]) && at < len(text) {
			continue
		}
		out = append(out, strings.TrimSpace(text[from:at]))
		from = at
	}
	if rest := strings.TrimSpace(text[from:]); rest != "" {
		out = append(out, rest)
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// begins tells whether rest, after terminators, may be a new sentence.
func begins(marks, rest string) bool {
	trimmed := strings.TrimLeft(rest, " ")
	if trimmed == rest && !strings.ContainsAny(marks, wideTerminators) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(trimmed)
	return !unicode.IsLower(r)
}

var abbreviations = []string{
	"mr", "mrs", "ms", "dr", "prof", "st", "mt", "no", "vs", "e.g", "i.e", "approx", "ca", "jr", "sr",
	"z", "d", "u", "bzw", "nr", "str", "mme", "mlle", "sra", "srta", "dra", "sig", "dott", "bijv", // "z. B.", "u. a."
}

// abbreviated tells whether a full stop belongs to the word before it.
func abbreviated(before, marks string) bool {
	if marks != "." {
		return false
	}
	word := before[strings.LastIndexAny(before, " (\"'")+1:]
	if slices.Contains(abbreviations, strings.ToLower(word)) {
		return true
	}
	r, n := utf8.DecodeRuneInString(word)
	return n == len(word) && unicode.IsUpper(r) // an initial
}
