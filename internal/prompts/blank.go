package prompts

import "unicode"

// Blank tells whether a cleaned answer to the prompt has no content. An answer to a
// named prompt must have a letter. A person's own prompt, such as "How many people?",
// may also be answered by a number or a symbol.
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
