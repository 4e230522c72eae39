package tracker

import (
	"strings"
	"time"
)

// Failure is why a photo has no description.
type Failure struct {
	Kind     Kind   `json:"kind"`
	Message  string `json:"message"`
	Attempts int    `json:"attempts"`

	file stamp     // of the file that failed, 0: not known
	at   time.Time // when it failed
}

// maxMessage bounds what is kept in memory of a failure's message, in bytes.
const maxMessage = 300

func failureOf(r *Record) Failure {
	f := Failure{Attempts: r.Attempts, file: stampOf(r.File), at: r.Time}
	if r.Error != nil {
		f.Kind, f.Message = r.Error.Kind, shorten(r.Error.Message, maxMessage)
	}
	return f
}

// shorten cuts text to at most limit bytes, an ellipsis included, and never
// inside a character.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return strings.Clone(text)
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(text[:limit-len(ellipsis)], "") + ellipsis
}
