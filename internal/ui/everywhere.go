package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"photodesc/tracker"
)

// Place is a workdir of this user, for `status --all`.
type Place struct {
	Workdir string    `json:"workdir"` // EncodePath'd, as Root
	Root    string    `json:"root"`
	Began   time.Time `json:"last_run"` // when its last run began

	// Answers is false for a workdir that could not be looked at in time, as on a
	// disk that hangs; Problem says why.
	Answers bool              `json:"answers"`
	Problem string            `json:"problem,omitempty"`
	Status  *tracker.Snapshot `json:"status,omitempty"`
}

// Places are the workdirs of this user on this machine.
type Places struct {
	Workdirs []Place   `json:"workdirs"`
	OwnNodes []OwnNode `json:"own_nodes,omitempty"`
}

// WritePlaces writes some lines for each workdir, at most width cells long except for paths, which
// are there to be copied. A width of 0 is no limit.
func WritePlaces(w io.Writer, places []Place, now time.Time, width int) {
	if len(places) == 0 {
		fmt.Fprintln(w, "No run of this user is known on this machine. Begin one:\n    "+CommandLine("", "run", "DIR"))
		return
	}
	const indent = "    "
	for i, p := range places {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, StyleBold.Render(OneLine(AtHome(p.Workdir))))
		fmt.Fprintln(w, indent+"photos in "+OneLine(AtHome(p.Root)))
		text := styleBad.Render("does not answer") + ": " + OneLine(p.Problem) + "; last run " + ago(p.Began, now)
		if p.Answers {
			text = placeText(*p.Status, now)
		}
		fmt.Fprintln(w, indent+wrap(text, width, len(indent)))
	}
}

// placeText is a workdir's status in one sentence.
func placeText(s tracker.Snapshot, now time.Time) string {
	text := stateText(s) + ", " + doneText(s.Progress)
	if s.Running {
		if details := progressDetails(s.Progress); details != "" {
			text += ", " + details
		}
		if s.Phase != "" {
			text += ", " + strings.TrimPrefix(phaseText(s, now), tracker.WatchingPhase+", ")
		}
		return text
	}
	if s.Failed > 0 {
		text += ", " + Comma(s.Failed) + " failed"
	}
	return text + endedAgo(s, now)
}

// endedAgo is when the last run ended, or was last heard of.
func endedAgo(s tracker.Snapshot, now time.Time) string {
	switch {
	case s.Stop != nil && !s.Stop.Time.IsZero():
		return ", " + ago(s.Stop.Time, now)
	case !s.LastUpdate.IsZero():
		return ", last heard of " + ago(s.LastUpdate, now)
	}
	return ""
}
