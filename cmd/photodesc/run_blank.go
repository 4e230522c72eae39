package main

import (
	"fmt"

	"photodesc/tracker"
)

// saidNothing is whether the model answered blank in all tries.
func saidNothing(rec tracker.Record) bool {
	return rec.Status == tracker.Failed && rec.Blank > 0 && rec.Error != nil && rec.Error.Kind == tracker.Model
}

// If many of a run's first photos are answered blank, the prompt, the vocabulary or
// other settings are the reason.
const (
	blankSample = 20 // photos
	blankOften  = 5  // of them
)

// blankWatch counts how often the model said nothing at first.
type blankWatch struct{ answered, blank int }

// add counts a photo and returns a warning, at most once in a run.
func (w *blankWatch) add(blank bool) (warning string) {
	if w.answered++; w.answered > blankSample {
		return ""
	}
	if blank {
		w.blank++
	}
	if w.answered < blankSample || w.blank < blankOften {
		return ""
	}
	return fmt.Sprintf("The model said nothing at first about %d of the first %d photos; each such photo takes up to three times as long, and fails if nothing comes of it. "+
		"Mostly the prompt, the list of --keywords or a low --max-tokens is the reason", w.blank, blankSample)
}
