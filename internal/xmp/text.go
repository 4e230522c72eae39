package xmp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"strings"
	"unicode/utf8"
)

// Text is what is said of a photo.
type Text struct {
	Description string
	Language    string // of the texts, BCP-47; empty if not known
	AltText     string
	Keywords    []string
	Model       string // by which it was made; empty if a person has written or corrected it
}

// cleaned returns t with what XML cannot hold replaced, and without empty and repeated
// keywords.
func (t Text) cleaned() Text {
	t.Description, t.AltText = clean(t.Description), clean(t.AltText)
	t.Language, t.Model = clean(t.Language), clean(t.Model)
	var keywords []string
	for _, k := range t.Keywords {
		if k = strings.Join(strings.Fields(clean(k)), " "); k != "" && !hasFold(keywords, k) {
			keywords = append(keywords, k)
		}
	}
	t.Keywords = keywords
	return t
}

// empty is whether there is nothing to say.
func (t Text) empty() bool { return t.Description == "" && t.AltText == "" && len(t.Keywords) == 0 }

// input identifies the text, so that it is known whether it was written before.
func (t Text) input() string {
	return sum(append([]string{t.Description, t.Language, t.AltText, t.Model}, t.Keywords...)...)
}

func hasFold(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}

// clean returns s with characters that XML has not replaced by U+FFFD, and with line
// breaks as XML has them.
func clean(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\ufffd"))
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff || r == utf8.RuneError {
			return utf8.RuneError
		}
		return r
	}, s))
}

// escape returns s as text or value of an attribute.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder has no errors
	return b.String()
}

// sum is a short hash of texts.
func sum(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		h.Write([]byte(t))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// sumText is the hash by which a text of ours is recognised. Programs change spaces and
// line breaks, which do not make it somebody else's.
func sumText(text string) string {
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return ""
	}
	return sum(text)
}
