package tracker

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"time"
)

// Photo is all that a workdir knows of a photo: its newest description or, if it never was described, its last failure, with
// the words of its correction in place of the model's. Answers to further prompts are in Answers, by their names.
type Photo struct {
	Record
	// Where a person's words count, Description and Keywords are those, and this is when they were written, and the model's own.
	CorrectedAt      time.Time `json:"corrected,omitzero"`          // when a person corrected the words that count
	ModelDescription string    `json:"model_description,omitempty"` // the model's own, where the photo is corrected
	ModelKeywords    []string  `json:"model_keywords,omitempty"`    // the model's own, where the photo is corrected

	Gone   bool     `json:"gone,omitempty"`   // not in the photo folder any more, see [Gone]
	Copies []string `json:"copies,omitempty"` // photos that have these words, with the same picture; EncodePath'd on the line
}

// Corrected is whether a person's words count for the photo.
func (p *Photo) Corrected() bool { return !p.CorrectedAt.IsZero() }

// HasWords is whether the photo is described, by a model or a person.
func (p *Photo) HasWords() bool { return p.Status == OK || p.Corrected() }

// Line is the photo as a line of JSON, newline included: its result line with what was corrected.
func (p Photo) Line() ([]byte, error) {
	p.encodePaths()
	copies := p.Copies
	p.Copies = nil
	for _, path := range copies {
		p.Copies = append(p.Copies, EncodePath(path))
	}
	p.Time = p.Time.Truncate(time.Millisecond)
	var w bytes.Buffer
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	err := enc.Encode(p)
	return w.Bytes(), err
}

// Select says which photos [Photos] gives.
type Select struct {
	// Match is called by several goroutines at once. nil: all photos.
	Match func(path string) bool
	// Last is how many of the photos done last, at most; 0: all.
	Last int
}

// Photos gives each photo of a workdir once, in the order in which they were done, with corrections merged and the dates of
// old photos filled in: it is the one
// place that decides which line of a photo counts. It only reads, also while a run works; lines that are added meanwhile may be
// left out. Lines that cannot be read are left out, too. An error is the last pair, with an empty photo.
//
// The outputs are read twice and a million photos take about 60 MB and the corrections; nothing else is kept.
func Photos(dir string, s Select) iter.Seq2[Photo, error] {
	return func(yield func(Photo, error) bool) {
		corrections, err := ReadCorrections(dir)
		if err != nil {
			yield(Photo{}, err)
			return
		}
		facts, err := ReadFacts(dir)
		if err != nil {
			yield(Photo{}, err)
			return
		}
		if s.Match == nil {
			s.Match = func(string) bool { return true }
		}
		err = Find(dir, s.Match, s.Last, func(r Record) error {
			facts.Fill(&r)
			if !yield(corrections.Apply(r), nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(Photo{}, err)
		}
	}
}

var errEnough = errors.New("enough")
