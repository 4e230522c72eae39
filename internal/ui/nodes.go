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
		lines = append(lines, nodeText(n, now))
	}
	return lines
}

// nodeText is what a node does and has done. What matters most comes first, because a line may be cut.
func nodeText(n tracker.Node, now time.Time) string {
	does := ""
	switch n.State {
	case tracker.NodeLeft:
		does = "left " + ago(n.Seen, now)
	case tracker.NodeSilent:
		does = styleWarn.Render("not seen for " + short(now.Sub(n.Seen)))
	case tracker.NodePaused:
		does = styleBad.Render("gets no photos") + ", " + OneLine(n.Paused)
	case tracker.NodeWaiting:
		does = styleWarn.Render(OneLine(n.Phase))
	case tracker.NodeEnded: // of a run that is over, how much each has done matters
		return OneLine(n.Name) + ": " + nodeDone(n)
	default:
		does = Comma(n.InFlight) + " in flight"
	}
	if n.State == tracker.NodePaused {
		return OneLine(n.Name) + ": " + nodeDone(n) + "; " + does
	}
	return OneLine(n.Name) + ": " + does + "; " + nodeDone(n)
}

// nodeDone is what a node has done in this run.
func nodeDone(n tracker.Node) string {
	text := Comma(n.Described) + " described"
	if n.Rate > 0 && n.State != tracker.NodeSilent && n.State != tracker.NodeLeft {
		text += fmt.Sprintf(" at ~%s/hour", RateText(n.Rate))
	}
	if n.Failed > 0 {
		text += ", " + styleBad.Render(Comma(n.Failed)+" failed")
	}
	return text
}

// NodeSummary is what a node has done in a run.
type NodeSummary struct {
	Name      string  `json:"name"`
	Described int     `json:"described"`
	Failed    int     `json:"failed,omitempty"` // on record as failed on it
	Rate      float64 `json:"rate"`             // photos an hour, over its last ten minutes of work at most; 0: not known
	Paused    string  `json:"paused,omitempty"` // why it got no photos at the end
}

// text is a line of a summary.
func (n NodeSummary) text() string {
	text := OneLine(n.Name) + ": " + NodeDone(n.Described, n.Failed)
	if n.Paused != "" {
		text += "; got no more photos: " + OneLine(n.Paused)
	}
	return text
}

// OwnNode is a node on this machine, as its own status and its own terminal show it.
type OwnNode struct {
	PID       int       `json:"pid"`
	Run       string    `json:"run"`             // address, without the token
	Name      string    `json:"name,omitempty"`  // by which the run knows it; "" before it has joined
	Model     string    `json:"model,omitempty"` // likewise
	Since     time.Time `json:"since"`
	Seen      time.Time `json:"seen"` // when the node has told this
	InFlight  int       `json:"in_flight"`
	Described int       `json:"described"`
	Failed    int       `json:"failed"`
	Phase     string    `json:"phase,omitempty"`    // what it does instead of describing
	Paused    string    `json:"paused,omitempty"`   // why it gets no photos
	Lost      bool      `json:"lost,omitempty"`     // the run cannot be reached
	Stopping  bool      `json:"stopping,omitempty"` // it was asked to end
}

// Machine is the status of a workdir with the nodes that are up on this machine, whose runs are elsewhere.
type Machine struct {
	tracker.Snapshot
	OwnNodes []OwnNode `json:"own_nodes,omitempty"`
}

// OwnNodes finds the nodes that are up on this machine.
type OwnNodes func() []OwnNode

// nodeSuspended is after how long a node that is up and tells nothing counts as suspended.
const nodeSuspended = 10 * time.Second

// Suspended is whether the node has told nothing for long.
func (n OwnNode) Suspended(now time.Time) bool { return now.Sub(n.Seen) > nodeSuspended }

// does is what the node does, in a few words, and whether that is to be noticed.
func (n OwnNode) does(now time.Time) (text string, notice bool) {
	inFlight := wording.Count(n.InFlight, "photo") + " in flight"
	switch {
	case n.Suspended(now):
		return "suspended, or it hangs: " + inFlight, true
	case n.Lost:
		return "the run cannot be reached: " + inFlight, true
	case n.Stopping:
		return StoppingPhase + ": " + inFlight, true
	case n.Paused != "":
		return "it gets no photos: " + OneLine(n.Paused), true
	case n.Phase != "":
		return OneLine(n.Phase), true
	case n.Name == "":
		return "waiting for the run", true
	}
	return "describing: " + inFlight, false
}

// Bar is what the node's own terminal shows.
func (n OwnNode) Bar(now time.Time) string {
	text, _ := n.does(now)
	return text + ", " + NodeDone(n.Described, n.Failed)
}

// line is what a node does, on one line.
func (n OwnNode) line(now time.Time) string {
	return fmt.Sprintf("node on this machine (pid %d) for the run at %s: %s", n.PID, OneLine(n.Run), n.Bar(now))
}

// Text is what a node does, on lines of at most width cells; 0 is no limit.
func (n OwnNode) Text(now time.Time, width int) string {
	head := fmt.Sprintf("A node is up on this machine (pid %d)", n.PID)
	if n.Name != "" {
		head += " as " + OneLine(n.Name) + ", model " + OneLine(n.Model)
	}
	text := Fit(head, width) + "\n    " + Fit("for the run at "+OneLine(n.Run)+", since "+ago(n.Since, now), width-4) + "\n"
	does, notice := n.does(now)
	if notice {
		does = styleWarn.Render(does)
	}
	return text + "    " + wrap(does+"; "+NodeDone(n.Described, n.Failed), width, 4) + "\n"
}

// NodeDone is "437 described, 2 failed".
func NodeDone(described, failed int) string {
	text := Comma(described) + " described"
	if failed > 0 {
		text += ", " + Comma(failed) + " failed"
	}
	return text
}
