package models

import (
	"photodesc/internal/families"
	"photodesc/internal/models/gguf"
)

// EnglishOnly tells whether a model was trained for answers in English only, as its
// family says. It is false for files that cannot be read.
func (f Files) EnglishOnly() bool {
	vision, err := gguf.Open(f.Vision)
	if err != nil {
		return false
	}
	family, err := families.Of(vision)
	return err == nil && family.English
}
