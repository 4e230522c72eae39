package ui

import (
	"fmt"
	"io"
	"strings"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// Found is a photo that a search found. Marks stand around the words found: begin and end, as given to [WriteFound].
type Found struct {
	Path, Description, Keywords, Answers, Camera, Place string

	Copies int // other photos with the same picture and words
}

// WriteFound writes a photo and its words in lines of at most width cells; 0 is no limit. Keywords, further answers and the camera are
// shown where the words found are in them only.
func WriteFound(w io.Writer, f Found, begin, end string, width int) error {
	p := &errWriter{w: w}
	path := StyleBold.Render(OneLine(tracker.EncodePath(f.Path)))
	switch {
	case f.Copies == 1:
		path += " and 1 copy"
	case f.Copies > 1:
		path += " and " + Comma(f.Copies) + " copies"
	}
	p.printf("%s\n", path)
	text := func(name, s string) {
		if s = strings.TrimSpace(s); s == "" || name != "" && !strings.Contains(s, begin) {
			return
		}
		if name != "" {
			s = name + ": " + s
		}
		for line := range strings.Lines(s) {
			p.printf("  %s\n", wrap(marked(strings.TrimRight(line, "\n"), begin, end), width, 2))
		}
	}
	text("", f.Description)
	text("keywords", f.Keywords)
	text("also", f.Answers)
	text("camera", f.Camera)
	text("place", f.Place)
	return p.err
}

// marked highlights the words between the marks, and makes the text safe for a terminal.
func marked(s, begin, end string) string {
	var b strings.Builder
	for rest := OneLine(s); ; {
		before, hit, found := strings.Cut(rest, begin)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		hit, rest, _ = strings.Cut(hit, end)
		b.WriteString(styleFound.Render(hit))
	}
}

// FoundText says how many photos were found.
func FoundText(shown, matches int, more bool) string {
	all := wording.Count(matches, "photo")
	if more {
		all = "more than " + all
	}
	switch {
	case matches == 0:
		return "No photo matches."
	case shown < matches || more:
		return fmt.Sprintf("The best %s of %s; --limit 0 shows all.", Comma(shown), all)
	}
	return all + "."
}
