package ui

import (
	"fmt"
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// maxNodeLines is how many nodes status names.
const maxNodeLines = 12

// nodeLines are the machines that take part in a run, a line each of at most most lines.
func nodeLines(s tracker.Snapshot, now time.Time, most int) (lines []string) {
	for i, n := range s.Nodes {
		if i == most-1 && len(s.Nodes) > most {
			return append(lines, fmt.Sprintf("and %s more", Comma(len(s.Nodes)-i)))
		}
		lines = append(lines, nodeText(n, now, s.Running))
	}
	return lines
}

func nodeText(n tracker.Node, now time.Time, running bool) string {
	text := OneLine(n.Name) + ": "
	switch {
	case n.Gone:
		text += styleWarn.Render("gone") + ", seen " + ago(n.Seen, now)
	case n.Paused != "":
		text += styleBad.Render("gets no photos") + ": " + OneLine(n.Paused)
	case running && n.Phase != "":
		text += OneLine(n.Phase)
	case running:
		text += wording.Count(n.InFlight, "photo") + " in flight, since " + ago(n.Since, now)
	default:
		text += "seen " + ago(n.Seen, now)
	}
	text += fmt.Sprintf("; %s described", Comma(n.Described))
	if n.Rate > 0 {
		text += fmt.Sprintf(", %s/hour", RateText(n.Rate))
	}
	if n.Failed > 0 {
		text += ", " + styleBad.Render(Comma(n.Failed)+" failed")
	}
	return text
}
