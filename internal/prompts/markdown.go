package prompts

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	ruleLine   = regexp.MustCompile("^(?:(?:[-*_=] ?){3,}|```.*|~~~.*|[|:+ -]*\\|[|:+ -]*)$")
	heading    = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	boldLine   = regexp.MustCompile(`^(?:\*\*|__)[^*_]{1,60}(?::(?:\*\*|__)|(?:\*\*|__):?)$`)
	quoted     = regexp.MustCompile(`^(?:>\s*)+`)
	item       = regexp.MustCompile(`^(?:[-*+•–]|\d{1,2}[.)])\s+`)
	tableRow   = regexp.MustCompile(`^\|(.*)\|$`)
	link       = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()]*\)`)
	tag        = regexp.MustCompile(`(?i)</?(?:br|p|b|i|em|strong|u|ul|ol|li|div|span|h[1-6])\s*/?>`)
	stars      = regexp.MustCompile(`\*([^*\s](?:[^*]*[^*\s])?)\*`)
	underlines = regexp.MustCompile(`(^|[^\pL\pN_])_+([^_\s](?:[^_]*[^_\s])?)_+($|[^\pL\pN_])`)
)

// line is a line of an answer without its markdown.
type line struct {
	text string
	item bool // of a list
}

// lines returns the lines of an answer without markdown. Headings are left out, unless
// there is nothing else.
func lines(answer string) (out []line) {
	var headings []line
	for raw := range strings.Lines(answer) {
		l := strings.TrimSpace(tidy(raw))
		l = quoted.ReplaceAllString(l, "")
		if ruleLine.MatchString(l) {
			continue
		}
		if m := heading.FindStringSubmatch(l); m != nil {
			headings = append(headings, line{text: inline(m[1])})
			continue
		}
		if boldLine.MatchString(l) {
			headings = append(headings, line{text: inline(l)})
			continue
		}
		if m := tableRow.FindStringSubmatch(l); m != nil {
			l = strings.ReplaceAll(strings.TrimSpace(m[1]), "|", ",")
		}
		rest := item.ReplaceAllString(l, "")
		if text := inline(rest); text != "" {
			out = append(out, line{text, rest != l})
		}
	}
	if len(out) == 0 {
		return headings
	}
	return out
}

// inline removes the markdown within a line.
func inline(s string) string {
	s = tag.ReplaceAllString(s, " ")
	s = link.ReplaceAllString(s, "$1")
	s = strings.NewReplacer("**", "", "`", "", "~~", "").Replace(s)
	s = stars.ReplaceAllString(s, "$1")
	for range 2 { // a match uses up the character before the next one
		s = underlines.ReplaceAllString(s, "$1$2$3")
	}
	return oneLine(s)
}

// plain makes one paragraph of an answer. Items of a list are separated by semicolons,
// and quotation marks around the whole are removed.
func plain(answer string) string {
	var b strings.Builder
	wasItem := false
	for _, l := range lines(answer) {
		switch before := b.String(); {
		case before == "":
		case l.item && wasItem && !strings.ContainsAny(before[len(before)-1:], ".,;:!?"):
			b.WriteString("; ")
		default:
			b.WriteString(" ")
		}
		b.WriteString(l.text)
		wasItem = l.item
	}
	return unquote(b.String())
}

// plainest repeats plain, because removing markdown may leave other markdown.
func plainest(text string) string {
	for {
		next := plain(text)
		if next == text {
			return text
		}
		text = next
	}
}

// unquote removes quotation marks around the whole.
func unquote(s string) string {
	for _, q := range []struct{ open, close string }{{`"`, `"`}, {"“", "”"}, {"'", "'"}} {
		inner, a := strings.CutPrefix(s, q.open)
		inner, b := strings.CutSuffix(inner, q.close)
		if a && b && strings.TrimSpace(inner) != "" && !strings.Contains(inner, q.open) && !strings.Contains(inner, q.close) {
			return strings.TrimSpace(inner)
		}
	}
	return s
}

// oneLine returns s on one line, with single spaces only.
func oneLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }

// tidy makes text valid UTF-8 and removes control characters and those that change the
// direction of writing.
func tidy(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff', r == '\u200e', r == '\u200f':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
