package ui

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"photodesc/tracker"
)

// WriteRecord writes all that a record says of its photo, in lines of at most width cells; 0 is no limit.
func WriteRecord(w io.Writer, r tracker.Record, width int) error {
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
	if r.Status == tracker.Failed {
		p.printf("  %s (%s): %s\n", styleBad.Render("failed"), r.Error.Kind, wrap(folded(r.Error.Message), width, 2))
	} else {
		text("", r.Description)
	}
	// Keywords of the first prompt are the description already.
	for _, name := range slices.Sorted(maps.Keys(r.Answers)) {
		if name == "keywords" && len(r.Keywords) > 0 {
			text(name, strings.Join(r.Keywords, ", "))
		} else {
			text(name, r.Answers[name].Text)
		}
	}
	p.printf("  %s\n", StyleFaint.Render(Fit(recordFacts(r), max(width-2, 0))))
	return p.err
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
