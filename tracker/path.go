package tracker

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var errBadPath = errors.New("not a path as photodesc writes it")

// EncodePath turns a path of any bytes into one line of valid UTF-8 without
// control characters. Nearly every path stays as it is. One that is empty, is
// not valid UTF-8, holds a control character, or begins with a quote or a byte
// order mark is quoted as in Go source. [DecodePath] is its exact inverse.
func EncodePath(path string) string {
	if needsQuotes(path) {
		return strconv.Quote(path)
	}
	return path
}

// DecodePath turns what [EncodePath] wrote back into the path. It fails on
// text that EncodePath cannot have written.
func DecodePath(text string) (string, error) {
	if !strings.HasPrefix(text, `"`) {
		if needsQuotes(text) {
			return "", errBadPath
		}
		return text, nil
	}
	path, err := strconv.Unquote(text)
	// A second spelling of the same path, or quotes around a path that needs
	// none, is the work of a flipped byte.
	if err != nil || EncodePath(path) != text {
		return "", errBadPath
	}
	return path, nil
}

func needsQuotes(path string) bool {
	if plainPath(path) {
		return false
	}
	return path == "" || path[0] == '"' || strings.HasPrefix(path, byteOrderMark) || !utf8.ValidString(path) ||
		strings.ContainsFunc(path, unicode.IsControl)
}

// plainPath says of most paths, quickly, that they need no quotes.
func plainPath[T string | []byte](path T) bool {
	for i := range len(path) {
		if c := path[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return len(path) > 0 && path[0] != '"'
}
