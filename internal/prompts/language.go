package prompts

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Language is the language that answers are wanted in, as a BCP-47 tag such as "de" or
// "pt-BR". It is empty where none is asked for; the prompts are English.
type Language string

// requests ask for an answer in a language, in that language, which small models follow
// better than a request in English.
var requests = map[string]string{
	"de":      "Antworte auf Deutsch.",
	"fr":      "Réponds en français.",
	"es":      "Responde en español.",
	"it":      "Rispondi in italiano.",
	"pt":      "Responda em português.",
	"nl":      "Antwoord in het Nederlands.",
	"ja":      "日本語で答えてください。",
	"zh":      "请用中文回答。",
	"zh-Hant": "請用繁體中文回答。",
}

// Languages are those with a request and introductions of their own.
func Languages() []Language { return []Language{"de", "fr", "es", "it", "pt", "nl", "ja", "zh"} }

// longestTag limits a tag, in bytes. RFC 5646 recommends buffers for 35.
const longestTag = 64

// ParseLanguage parses a BCP-47 tag and returns its canonical form. Nothing is no
// language. The error says what to give instead.
func ParseLanguage(text string) (Language, error) {
	if text == "" {
		return "", nil
	}
	if len(text) > longestTag {
		return "", fmt.Errorf("a language of %d bytes is none\n  give a tag such as de, fr, pt-BR or zh-Hant", len(text))
	}
	tag, err := language.Parse(text)
	base, _, _ := tag.Raw()
	if err != nil || slices.Contains([]string{"und", "zxx", "mul", "mis"}, base.String()) || display.English.Languages().Name(tag) == "" {
		return "", fmt.Errorf("there is no language %q\n  give a tag such as de, fr, pt-BR or zh-Hant", text)
	}
	return Language(tag.String()), nil
}

// Base is the language without script and region: "pt" of "pt-BR". It is empty where
// there is none.
func (l Language) Base() string {
	base, _, _ := strings.Cut(string(l), "-")
	return base
}

// Name is the language's name in English: "Brazilian Portuguese".
func (l Language) Name() string {
	if l == "" {
		return ""
	}
	return display.English.Languages().Name(language.Make(string(l)))
}

// Ask returns the text of a prompt with the request to answer in the language. A prompt
// for English answers stays as it is, because models are trained with it.
func (l Language) Ask(text string) string {
	if l == "" || l.Base() == "en" {
		return text
	}
	return text + "\n" + l.request()
}

func (l Language) request() string {
	if l.Base() == "zh" {
		if script, _ := language.Make(string(l)).Script(); script.String() == "Hant" {
			return requests["zh-Hant"] // also of zh-TW and zh-HK
		}
	}
	if own, there := requests[l.Base()]; there && (l.Base() == "zh" || string(l) == l.Base()) {
		return own
	}
	return "Answer in " + l.Name() + "."
}
