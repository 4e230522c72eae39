package ui

import (
	"fmt"
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// StoppingText is what a run that was asked to stop is doing, and for how long.
func StoppingText(s tracker.Snapshot, took time.Duration) string {
	what := "waiting for the run"
	switch n := s.InFlight; {
	case s.Phase != "" && s.Waiting:
		what = "the run is waiting for " + OneLine(s.Phase)
	case s.Phase != "" && s.Phase != StoppingPhase:
		what = "it is " + OneLine(s.Phase)
	case n == 1:
		what = "finishing 1 photo in flight"
	case n > 1:
		what = fmt.Sprintf("finishing %s in flight", wording.Count(n, "photo"))
	}
	lasts := ""
	if took >= time.Second {
		lasts = " for " + short(took)
	}
	return fmt.Sprintf("stopping%s, %s", lasts, what)
}

// ProgressText is how far a workdir is: "30 / 200 (15.0%), 1 failed".
func ProgressText(s tracker.Snapshot) string {
	text := Comma(s.Completed) + " described"
	if s.TotalKnown {
		text = fmt.Sprintf("%s / %s (%s)", Comma(s.Completed), Comma(s.Total), PercentText(s.Percent()))
	}
	if s.Failed > 0 {
		text += ", " + Comma(s.Failed) + " failed"
	}
	return text
}
