package photo

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// IgnoreName is the file in the photo folder or a folder below it that says in
// the syntax of .gitignore what is left out there.
const IgnoreName = ".photodescignore"

const (
	maxIgnore    = 1 << 20 // bytes in such a file
	maxWrong     = 10      // lines of a file that are named because they are wrong
	maxWrongLine = 200     // bytes of such a line that are shown
)

// match is what patterns say of a path.
type match uint8

const (
	noMatch match = iota
	matched
	unmatched // by a pattern with "!"
)

// Patterns are lines in the syntax of .gitignore, of which the last that fits
// decides. The zero value fits nothing.
type Patterns struct {
	list     []pattern
	negating bool // one of them begins with "!"
}

type pattern struct {
	line     string
	used     bool   // it has decided about something
	glob     string // for doublestar
	negated  bool
	folders  bool // it is for folders only
	anchored bool // it is compared with the whole path, else with the name
}

// ParsePatterns reads patterns as they are given one by one, such as on the
// command line: an empty one, a comment or an invalid one is an error.
func ParsePatterns(lines []string) (Patterns, error) {
	var ps Patterns
	for _, line := range lines {
		p, ok, err := parsePattern(line)
		switch {
		case err != nil:
			return Patterns{}, fmt.Errorf("%q: %w", line, err)
		case !ok:
			return Patterns{}, fmt.Errorf("%q is no pattern: it is empty, or a comment in .gitignore's syntax", line)
		}
		ps.add(p)
	}
	return ps, nil
}

// Any is whether there is a pattern.
func (ps *Patterns) Any() bool { return len(ps.list) > 0 }

func (ps *Patterns) add(p pattern) {
	ps.list = append(ps.list, p)
	ps.negating = ps.negating || p.negated
}

// parsePattern reads one line; ok is false if it is empty or a comment.
func parsePattern(line string) (p pattern, ok bool, err error) {
	line = trimEnd(strings.TrimSuffix(line, "\r"))
	p.line = line
	if line == "" || line[0] == '#' {
		return p, false, nil
	}
	if strings.ContainsAny(line, "\x00\n") {
		return p, false, errors.New("a pattern has no line breaks and no zero bytes")
	}
	if !utf8.ValidString(line) {
		return p, false, errors.New("a pattern is UTF-8; a ? stands for a byte that is not")
	}
	if line[0] == '!' {
		p.negated, line = true, line[1:]
	}
	if strings.HasSuffix(line, "/") {
		p.folders, line = true, strings.TrimSuffix(line, "/")
	}
	if strings.HasPrefix(line, "./") || strings.HasPrefix(line, "../") {
		return p, false, errors.New("a pattern is from the folder on that it is for: leave out the ./")
	}
	p.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return p, false, errors.New("it names nothing")
	}
	if strings.Contains(line, "[[:") {
		return p, false, errors.New("classes such as [[:upper:]] are unsupported: write [A-Z]")
	}
	p.glob = quoteBraces(line)
	if rest, inside := strings.CutSuffix(p.glob, "/**"); inside {
		p.glob = rest + "/**/*" // what is in a folder, without the folder
	}
	if !doublestar.ValidatePattern(p.glob) {
		return p, false, errors.New("the pattern is invalid: a [ without a ], or a \\ at the end")
	}
	return p, true, nil
}

// trimEnd takes spaces off the end, as far as no backslash is before them.
func trimEnd(s string) string {
	for strings.HasSuffix(s, " ") && !strings.HasSuffix(s, `\ `) {
		s = s[:len(s)-1]
	}
	return s
}

// quoteBraces protects braces, which mean something to doublestar only.
func quoteBraces(s string) string {
	if !strings.ContainsAny(s, "{}") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			b.WriteByte(c)
			i++
		case c == '{' || c == '}':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// match compares a path, relative to where the patterns are from.
func (ps *Patterns) match(path string, folder bool) match {
	for i := len(ps.list) - 1; i >= 0; i-- {
		p := &ps.list[i]
		if p.folders && !folder {
			continue
		}
		against := path
		if !p.anchored {
			against = path[strings.LastIndexByte(path, '/')+1:]
		}
		if doublestar.MatchUnvalidated(p.glob, against) {
			p.used = true
			if p.negated {
				return unmatched
			}
			return matched
		}
	}
	return noMatch
}

// Unused are the patterns that have decided about nothing in the walks so far.
func (ps *Patterns) Unused() (lines []string) {
	for _, p := range ps.list {
		if !p.used {
			lines = append(lines, p.line)
		}
	}
	return lines
}

// ignoreFile are the patterns of one IgnoreName.
type ignoreFile struct {
	Patterns
	below string // its folder, "" for the root, else with a slash at the end
}

// parseIgnore reads the content of an IgnoreName. What is wrong with single lines is
// told to warn; the others count.
func parseIgnore(data []byte, warn func(error)) (Patterns, error) {
	if strings.Contains(string(data), "\x00") {
		return Patterns{}, errors.New("it is not UTF-8 but UTF-16 or no text at all, so nothing in it counts: save it as UTF-8")
	}
	var ps Patterns
	n, wrong := 0, 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		n++
		p, ok, err := parsePattern(strings.TrimSuffix(line, "\n"))
		if err != nil {
			if wrong++; wrong <= maxWrong {
				warn(fmt.Errorf("line %d: %q: %w", n, shorten(strings.TrimSpace(line), maxWrongLine), err))
			}
		} else if ok {
			ps.add(p)
		}
	}
	if more := wrong - maxWrong; more > 0 {
		warn(fmt.Errorf("%d more lines are wrong", more))
	}
	return ps, nil
}
