package prompts

import "unicode"

// Blank tells whether an answer to the prompt, cleaned, says nothing. An answer
// to a prompt of this package says something if it has a letter. A person's own
// prompt may be answered by a number or a symbol, as "How many people?" is.
func (p Prompt) Blank(answer string) bool {
	known, named := ByName(p.Name)
	named = named && known.Text == p.Text
	for _, r := range answer {
		switch {
		case unicode.IsLetter(r):
			return false
		case named || r == unicode.ReplacementChar:
		case unicode.IsNumber(r) || unicode.Is(unicode.So, r):
			return false
		}
	}
	return true
}
