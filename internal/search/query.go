package search

import (
	"errors"
	"strings"
	"unicode"
)

// query is what a person asked for, as FTS5's expressions.
type query struct {
	wanted   string // "" is any photo
	excluded string // "" is none
}

// ErrEmpty says that a query has no word to look for.
var ErrEmpty = errors.New("there is no word to search for")

// parse reads a query: words, all of which are wanted; "a phrase"; a beginning*; place:word is a word of names of places;
// -word or -"a phrase" excludes; OR between two words wants one of them. Everything else is text. A query of exclusions alone means all other photos.
func parse(text string) (query, error) {
	var wanted, excluded []string
	or := false
	for _, t := range split(text) {
		if t.text == "OR" && !t.quoted && !t.not {
			or = len(wanted) > 0
			continue
		}
		expr := t.expression()
		switch {
		case expr == "":
		case t.not:
			excluded = append(excluded, expr)
		case or:
			wanted[len(wanted)-1] += " OR " + expr
		default:
			wanted = append(wanted, expr)
		}
		or = false
	}
	if len(wanted)+len(excluded) == 0 {
		return query{}, ErrEmpty
	}
	for i, w := range wanted {
		wanted[i] = "(" + w + ")"
	}
	return query{strings.Join(wanted, " AND "), strings.Join(excluded, " OR ")}, nil
}

// term is a word or phrase of a query.
type term struct {
	text   string
	quoted bool
	not    bool
	place  bool // only in names of places
	prefix bool
}

// split cuts a query at spaces outside of quotes. A quote that is not closed reaches to the end.
func split(text string) (terms []term) {
	rest := []rune(text)
	for {
		for len(rest) > 0 && unicode.IsSpace(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return terms
		}
		var t term
		if rest[0] == '-' && len(rest) > 1 && !unicode.IsSpace(rest[1]) {
			t.not, rest = true, rest[1:]
		}
		if len(rest) > len(inPlace) && strings.EqualFold(string(rest[:len(inPlace)]), inPlace) && !unicode.IsSpace(rest[len(inPlace)]) {
			t.place, rest = true, rest[len(inPlace):]
		}
		if isQuote(rest[0]) {
			t.quoted = true
			end := 1
			for end < len(rest) && !isQuote(rest[end]) {
				end++
			}
			t.text = string(rest[1:end])
			rest = rest[min(end+1, len(rest)):]
		} else {
			end := 0
			for end < len(rest) && !unicode.IsSpace(rest[end]) && !isQuote(rest[end]) {
				end++
			}
			t.text = string(rest[:end])
			rest = rest[end:]
		}
		if len(rest) > 0 && rest[0] == '*' {
			t.prefix, rest = true, rest[1:]
		}
		if cut, ok := strings.CutSuffix(t.text, "*"); ok && !t.quoted {
			t.text, t.prefix = cut, true
		}
		terms = append(terms, t)
	}
}

// inPlace stands before words that are searched in names of places alone.
const inPlace = "place:"

func isQuote(r rune) bool { return r == '"' || r == '“' || r == '”' || r == '„' }

// expression is the term in FTS5's language, "" where it has no letter and no digit.
func (t term) expression() string {
	if !strings.ContainsFunc(t.text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		return ""
	}
	expr := `"` + strings.ReplaceAll(strings.ReplaceAll(segment(t.text), "\x00", " "), `"`, `""`) + `"`
	if t.prefix {
		expr += " *"
	}
	if t.place {
		expr = "{place} : " + expr
	}
	return expr
}
