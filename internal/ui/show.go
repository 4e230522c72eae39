package ui

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"photodesc/tracker"
)

// WritePhoto writes all that is known of a photo, in lines of at most width cells; 0 is no limit.
func WritePhoto(w io.Writer, r tracker.Photo, width int) error {
	p := &errWriter{w: w}
	p.printf("%s\n", StyleBold.Render(OneLine(tracker.EncodePath(r.Path))))
	text := func(name, s string) {
		if name != "" {
			s = name + ": " + s
		}
		for line := range strings.Lines(strings.TrimSpace(s)) {
			p.printf("  %s\n", wrap(OneLine(strings.TrimRight(line, "\n")), width, 2))
		}
	}
	if r.Status == tracker.Failed && r.Error != nil {
		p.printf("  %s (%s): %s\n", styleBad.Render("failed"), r.Error.Kind, wrap(folded(r.Error.Message), width, 2))
	}
	if r.HasWords() && (r.Status != tracker.Failed || r.Description != "") {
		text("", r.Description)
	}
	if r.Corrected() {
		correctedWords(r, text)
	}
	// Keywords of the first prompt are the description already.
	for _, name := range slices.Sorted(maps.Keys(r.Answers)) {
		switch {
		case name != "keywords" || len(r.Keywords) == 0 && !r.Corrected():
			text(name, r.Answers[name].Text)
		case !r.Corrected():
			text(name, strings.Join(r.Keywords, ", "))
		}
	}
	if r.Context != "" {
		text("the model was told", r.Context)
	}
	livingFacts(r, text)
	for _, facts := range []string{fileFacts(r.Record), recordFacts(r.Record)} {
		if facts != "" {
			p.printf("  %s\n", StyleFaint.Render(Fit(facts, max(width-2, 0))))
		}
	}
	return p.err
}

// correctedWords writes the keywords of a corrected photo and what the model had said.
func correctedWords(r tracker.Photo, text func(name, s string)) {
	if len(r.Keywords) > 0 {
		text("keywords", strings.Join(r.Keywords, ", "))
	}
	text("corrected", r.CorrectedAt.Local().Format("2 Jan 2006 15:04"))
	if r.ModelDescription != r.Description && r.ModelDescription != "" {
		text("the model's description", r.ModelDescription)
	}
	if len(r.ModelKeywords) > 0 && !slices.Equal(r.ModelKeywords, r.Keywords) {
		text("the model's keywords", strings.Join(r.ModelKeywords, ", "))
	}
}

// livingFacts writes where a photo is and was, and what has the same picture.
func livingFacts(r tracker.Photo, text func(name, s string)) {
	if r.Gone {
		text("", "gone from the photo folder")
	}
	if r.From != "" {
		text("moved from", tracker.EncodePath(r.From))
	}
	if r.IsDuplicate() {
		text("a duplicate, with the words of", tracker.EncodePath(r.Of))
	}
	const most = 5
	for i, path := range r.Copies {
		if i == most {
			text("", "and "+Comma(len(r.Copies)-most)+" more with the same picture")
			break
		}
		text("same picture", tracker.EncodePath(path))
	}
}

// fileFacts is what the file says of itself: date taken, camera, place, size.
func fileFacts(r tracker.Record) string {
	var facts []string
	if t, zoned, err := tracker.ParseTaken(r.Taken); err == nil {
		layout := "2 Jan 2006 15:04"
		if zoned {
			layout += " -07:00"
		}
		facts = append(facts, "taken "+t.Format(layout))
	}
	if r.Camera != "" {
		facts = append(facts, OneLine(r.Camera))
	}
	if names := r.Place.Names(); names != "" {
		facts = append(facts, OneLine(names))
	}
	if latitude, longitude, ok := r.Place.Point(); ok {
		facts = append(facts, fmt.Sprintf("at %.5f, %.5f", latitude, longitude))
	}
	if r.File != nil {
		facts = append(facts, bytesText(float64(r.File.Size)))
	}
	return strings.Join(facts, " · ")
}

// recordFacts is the line below the words: size, model, time taken, date.
func recordFacts(r tracker.Record) string {
	var facts []string
	if r.Width > 0 && r.Height > 0 {
		facts = append(facts, fmt.Sprintf("%d×%d", r.Width, r.Height))
	}
	if r.Model != "" {
		facts = append(facts, "model "+OneLine(r.Model))
	}
	if r.Language != "" {
		facts = append(facts, "in "+OneLine(r.Language))
	}
	if r.Seconds.Total > 0 {
		facts = append(facts, secondsText(r.Seconds.Total)+" s")
	}
	if !r.Time.IsZero() {
		facts = append(facts, r.Time.Local().Format("2 Jan 2006 15:04"))
	}
	return strings.Join(facts, " · ")
}

// errWriter keeps the first error.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) printf(format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, format, args...)
	}
}
