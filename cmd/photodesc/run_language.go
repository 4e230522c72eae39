package main

import (
	"fmt"

	"photodesc/internal/models"
	"photodesc/internal/prompts"
)

// languageWarning is what to say of answers in a language that the model was not
// trained for, "" if nothing is known against them.
func languageWarning(l prompts.Language, model models.Files) string {
	if l == "" || l.Base() == "en" || !model.EnglishOnly() {
		return ""
	}
	return fmt.Sprintf("model %s was trained for English only: answers in %s may be wrong, mixed or English; qwen3-vl-2b and qwen3-vl-4b know more languages, see docs/models.md",
		model.Name, l.Name())
}
