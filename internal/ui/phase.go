package ui

import (
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// shownFrom is how long something takes before it is said how long.
const shownFrom = 2 * time.Second

// withTime is a text and how long that has lasted, where it has, within width.
func withTime(text string, since, now time.Time, width int) string {
	lasts := ""
	if d := now.Sub(since); !since.IsZero() && d >= shownFrom {
		lasts = " " + short(d)
	}
	return Fit(Fit(text, max(width-Cells(lasts), 1))+lasts, width)
}

// phaseText is what a run does instead of describing, and for how long.
func phaseText(s tracker.Snapshot, now time.Time) string {
	if s.Watching {
		return watchingText(s, now)
	}
	text := OneLine(s.Phase)
	if s.Waiting {
		text = "waiting for " + text
	}
	text += forText(s.PhaseSince, now)
	if s.Phase == StoppingPhase && s.InFlight > 0 {
		text += ", " + wording.Count(s.InFlight, "photo") + " in flight"
	}
	return text
}

// watchingText says of a run that waits for new photos when the last one came.
func watchingText(s tracker.Snapshot, now time.Time) string {
	if last := s.LastPhoto(); last != nil {
		return tracker.WatchingPhase + ", last new photo " + ago(last.Time, now)
	}
	return tracker.WatchingPhase + ", no photo has come yet"
}

// forText is " for 12 seconds", or "" as long as that is nothing to speak of.
func forText(since, now time.Time) string {
	if d := now.Sub(since); !since.IsZero() && d >= shownFrom {
		return " for " + Spell(d)
	}
	return ""
}
