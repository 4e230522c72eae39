package prompts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Vocabulary is the keywords that a model may choose from.
type Vocabulary []string

// largestVocabulary limits a vocabulary's file, in bytes. Workers get it in a variable of
// their environment, for which Linux allows 128 KiB.
const largestVocabulary = 48 << 10

// ParseVocabulary parses a vocabulary, a keyword on each line. Empty lines and lines that
// begin with # are ignored. The error names the line.
func ParseVocabulary(file string) (Vocabulary, error) {
	if len(file) > largestVocabulary {
		return nil, fmt.Errorf("it has %d bytes and may have %d", len(file), largestVocabulary)
	}
	if !utf8.ValidString(file) {
		return nil, errors.New("it is not text in UTF-8")
	}
	var v Vocabulary
	seen := map[string]bool{}
	number := 0
	for l := range strings.Lines(strings.TrimPrefix(file, "\ufeff")) {
		number++
		word := strings.Join(strings.Fields(l), " ")
		if word == "" || word[0] == '#' || seen[fold(word)] {
			continue
		}
		switch {
		case strings.ContainsRune(word, ','):
			return nil, fmt.Errorf("line %d has a comma; a line is one keyword", number)
		case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }):
			return nil, fmt.Errorf("line %d has a character that cannot be printed", number)
		case utf8.RuneCountInString(word) > longestKeyword:
			return nil, fmt.Errorf("line %d has more than %d characters", number, longestKeyword)
		}
		seen[fold(word)] = true
		v = append(v, word)
	}
	if len(v) == 0 {
		return nil, errors.New("there is no keyword in it")
	}
	return v, nil
}

// mostKeywords limits the keywords that a photo gets from a vocabulary.
const mostKeywords = 20

// Grammar returns a GBNF grammar of llama.cpp for a list of the vocabulary's keywords.
// Words share their prefixes, so that there are few alternatives at each character,
// however many words there are.
func (v Vocabulary) Grammar() string {
	words := slices.Clone(v)
	slices.Sort(words)
	var b strings.Builder
	fmt.Fprintf(&b, "root ::= \" \"? word (\", \" word){0,%d}\nword ::= ", min(len(words), mostKeywords)-1)
	branch(&b, words)
	b.WriteString("\n")
	return b.String()
}

// branch writes the alternatives of words, which are sorted and all different: common
// prefixes, each followed by the alternatives of the rest.
func branch(b *strings.Builder, words []string) {
	optional := words[0] == ""
	if optional {
		words = words[1:]
	}
	b.WriteString("(")
	for len(words) > 0 {
		first, n := utf8.DecodeRuneInString(words[0])
		alike := 1
		for alike < len(words) && strings.HasPrefix(words[alike], string(first)) {
			alike++
		}
		n = commonPrefix(words[0], words[alike-1], n)
		b.WriteString(literal(words[0][:n]))
		if alike > 1 {
			rest := make([]string, alike)
			for i := range rest {
				rest[i] = words[i][n:]
			}
			b.WriteString(" ")
			branch(b, rest)
		}
		if words = words[alike:]; len(words) > 0 {
			b.WriteString(" | ")
		}
	}
	b.WriteString(")")
	if optional {
		b.WriteString("?")
	}
}

// commonPrefix returns the length in bytes of the common prefix of a and b, which is at
// least from and ends between two characters.
func commonPrefix(a, b string, from int) int {
	for from < len(a) {
		_, n := utf8.DecodeRuneInString(a[from:])
		if !strings.HasPrefix(b[from:], a[from:from+n]) {
			break
		}
		from += n
	}
	return from
}

// literal quotes a string for GBNF.
func literal(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Pick returns the vocabulary's keywords in an answer, each once and in the answer's
// order. One that was cut off is not among them.
func (v Vocabulary) Pick(answer string) (out []string) {
	known := map[string]string{}
	for _, w := range v {
		known[fold(w)] = w
	}
	for s := range strings.SplitSeq(answer, ",") {
		key := fold(strings.TrimSpace(s))
		if w, ok := known[key]; ok {
			out = append(out, w)
			delete(known, key)
		}
	}
	return out
}
