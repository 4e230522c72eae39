package prompts

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes one plain paragraph of a model's answer, without markdown and without
// introductions such as "The image shows". truncated says that the model was stopped
// before the end of its answer: an unfinished last sentence is then removed, unless it
// is the only one. The result is empty only if the answer is.
func Clean(answer string, truncated bool) string {
	text := plainest(answer)
	for {
		s := stripIntros(sentences(text))
		if n := len(s); truncated && n > 1 && !finished(s[n-1]) {
			s = s[:n-1]
		}
		next := plainest(strings.Join(s, " "))
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

// stripIntros removes the introduction of each sentence, and sentences that are then
// empty.
func stripIntros(list []string) (out []string) {
	for _, s := range list {
		if stripped := stripIntro(s); strings.ContainsFunc(stripped, isWord) {
			out = append(out, stripped)
		}
	}
	return out
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

const (
	pictureWords = `(?:image|photo|photograph|picture|snapshot)`
	thePicture   = `(?:this|the|that)\s+(?:(?:given|provided|attached)\s+)?` + pictureWords
	showsWords   = `(?:shows|depicts|features|captures|displays|presents|portrays|contains|illustrates|showcases|includes|is\s+showing|is\s+depicting|is\s+of|appears\s+to\s+show|seems\s+to\s+show)`
)

// intros match what models put before the description. The text of a group is kept.
var intros = compile(
	`(?:sure|certainly|of course|absolutely|okay|ok)\b(?:\s+thing)?[,.!]+\s*`,
	`(?:here|below)(?:'s|’s|\s+is|\s+are)\s+[^.:!?]{0,80}:\s*`,
	`(?:(?:image|photo|picture)\s+)?(?:description|answer|assistant|caption|alt[ -]?text|summary|scene|keywords?|tags?|response)\s*:\s*`,
	`(?:(?:overall|additionally|also|furthermore|moreover|finally|in addition),?\s+)?`+thePicture+`\s+(?:also\s+|clearly\s+|mainly\s+|primarily\s+|prominently\s+)?`+showsWords+`(?:\s+us)?(?:\s+that)?\s+`,
	thePicture+`\s+is\s+((?:an?|the)\s)`,
	`(?:this|it)\s+is\s+an?\s+`+pictureWords+`\s+(?:of|showing|depicting|that\s+shows|which\s+shows)\s+`,
	`an?\s+`+pictureWords+`\s+(?:of|showing|depicting)\s+`,
	`in\s+(?:this|the)\s+`+pictureWords+`,\s*`,
	`in\s+(?:this|the)\s+`+pictureWords+`\s+((?:there|we|you|one)\s)`,
	`(?:we|you|one)\s+can\s+(?:also\s+)?(?:see|observe)\s+(?:that\s+)?`,
)

func compile(patterns ...string) (out []*regexp.Regexp) {
	for _, p := range patterns {
		out = append(out, regexp.MustCompile(`^(?i)`+p))
	}
	return out
}

// stripIntro removes the introductions of a sentence and capitalises the rest.
func stripIntro(s string) string {
	if rest := withoutIntro(s); rest != s {
		return capital(rest)
	}
	return s
}

// withoutIntro returns a sentence without its introductions.
func withoutIntro(s string) string {
	for again := true; again; {
		again = false
		for _, re := range intros {
			m := re.FindStringSubmatchIndex(s)
			if m == nil {
				continue
			}
			from := m[1]
			if len(m) > 2 {
				from = m[2]
			}
			s, again = s[from:], true
		}
	}
	return s
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
	terminators = ".!?…。！？"
	closers     = "\"'”’»)]"
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
	if trimmed == rest && !strings.ContainsAny(marks, "。！？") {
		return false
	}
	r, _ := utf8.DecodeRuneInString(trimmed)
	return !unicode.IsLower(r)
}

var abbreviations = []string{"mr", "mrs", "ms", "dr", "prof", "st", "mt", "no", "vs", "e.g", "i.e", "approx", "ca", "jr", "sr"}

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
