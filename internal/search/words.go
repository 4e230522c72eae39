package search

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// separator stands between the characters of scripts that are written without spaces, for the index alone. It is no letter
// to the tokenizer, and no text has a use for it between these characters.
const separator = '\u200b'

var noMarks = strings.NewReplacer(MarkBegin, "", MarkEnd, "")

// unspaced are the scripts of which each character is a word to the index, so that any part of a sentence can be searched.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// segment puts separators around the characters of such scripts, and takes marks out. Other text stays as it is.
func segment(s string) string {
	if isASCII(s) { // most are
		return s
	}
	s = noMarks.Replace(s)
	if !strings.ContainsFunc(s, isUnspaced) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isUnspaced(r) {
			b.WriteRune(separator)
			b.WriteRune(r)
			b.WriteRune(separator)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isUnspaced(r rune) bool { return r >= 0x0e00 && unicode.IsLetter(r) && unicode.In(r, unspaced...) }

// unsegment takes the separators out again.
func unsegment(s string) string { return strings.ReplaceAll(s, string(separator), "") }

// folderTokens has a word for each folder that a path lies in, the photo folder included.
func folderTokens(path string) string {
	tokens := []string{folderToken("")}
	for i, c := range path {
		if c == '/' {
			tokens = append(tokens, folderToken(path[:i]))
		}
	}
	return strings.Join(tokens, " ")
}

func folderToken(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	return "f" + hex.EncodeToString(sum[:8])
}
