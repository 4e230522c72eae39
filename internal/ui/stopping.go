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

// FinishedFirst says what becomes of so many photos in flight when a run or a node stops.
func FinishedFirst(inFlight int) string {
	switch inFlight {
	case 0:
		return "no photo is in flight"
	case 1:
		return "the photo in flight is finished first"
	}
	return "the " + wording.Count(inFlight, "photo") + " in flight are finished first"
}

// StoppingNodeText is what a node that was asked to stop is doing, and for how long.
func StoppingNodeText(n OwnNode, now time.Time, took time.Duration) string {
	what := "waiting for the node"
	switch {
	case n.Suspended(now):
		what = "but it is suspended or hangs; --now ends it"
	case n.InFlight > 0:
		what = "finishing " + wording.Count(n.InFlight, "photo") + " in flight"
	}
	lasts := ""
	if took >= time.Second {
		lasts = " for " + short(took)
	}
	return "stopping" + lasts + ", " + what
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
