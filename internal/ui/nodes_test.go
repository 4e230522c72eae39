package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"photodesc/tracker"
)

func TestNodeText(t *testing.T) {
	now := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	n := tracker.Node{Name: "de\nsk", State: tracker.NodeWorking, Seen: now.Add(-5*time.Minute - 3*time.Second), InFlight: 9, Described: 1437, Rate: 86_085.4}
	with := func(change func(*tracker.Node)) tracker.Node { n := n; change(&n); return n }
	for want, n := range map[string]tracker.Node{
		"de sk: 9 in flight; 1,437 described at ~86,085/hour": n,
		"de sk: not seen for 5 min 3 s; 1,437 described":      with(func(n *tracker.Node) { n.State = tracker.NodeSilent }),
		"de sk: left 5 minutes ago; 1,437 described":          with(func(n *tracker.Node) { n.State = tracker.NodeLeft }),
		"de sk: waiting for heat; 1,437 described at ~86,085/hour": with(func(n *tracker.Node) {
			n.State, n.Phase = tracker.NodeWaiting, "waiting for heat"
		}),
		"de sk: 1,437 described, 2 failed; gets no photos, it failed": with(func(n *tracker.Node) {
			n.State, n.Paused, n.Failed, n.Rate = tracker.NodePaused, "it failed", 2, 0
		}),
		"de sk: 1,437 described at ~86,085/hour": with(func(n *tracker.Node) { n.State = tracker.NodeEnded }),
	} {
		if got := ansi.Strip(nodeText(n, now)); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

// A node that gets no photos says all of why, on lines of its own where one is too narrow.
func TestNodeLinesWrap(t *testing.T) {
	now := time.Now()
	s := tracker.Snapshot{HasRun: true, Running: true, State: tracker.StateRunning, Nodes: []tracker.Node{{
		Name: "laptop", State: tracker.NodePaused, Seen: now, Paused: "it failed on 12 photos that another machine described, among the newest of all",
	}}}
	for range 20 {
		s.Nodes = append(s.Nodes, tracker.Node{Name: "rack", State: tracker.NodeWorking, Seen: now})
	}
	var b strings.Builder
	WriteStatus(&b, s, now, 60)
	if got := ansi.Strip(b.String()); !strings.Contains(strings.Join(strings.Fields(got), " "), s.Nodes[0].Paused) || !strings.Contains(got, "and 10 more") {
		t.Error(got)
	}
	for line := range strings.Lines(b.String()) {
		if Cells(strings.TrimRight(line, "\n")) > 60 {
			t.Errorf("%d cells: %s", Cells(line), line)
		}
	}
}

func TestOwnNodeText(t *testing.T) {
	now := time.Now()
	own := OwnNode{PID: 7, Run: "nats://192.0.2.1:4711", Name: "laptop", Model: "smolvlm", Since: now.Add(-time.Hour), Seen: now, InFlight: 1, Described: 12, Failed: 3}
	with := func(change func(*OwnNode)) OwnNode { n := own; change(&n); return n }
	for want, n := range map[string]OwnNode{
		"describing: 1 photo in flight; 12 described, 3 failed": own,
		"waiting for the run; 12 described, 3 failed":           with(func(n *OwnNode) { n.Name = "" }),
		"suspended, or it hangs: 1 photo in flight; 12 described, 3 failed": with(func(n *OwnNode) {
			n.Seen, n.Lost = now.Add(-time.Minute), true
		}),
		"the run cannot be reached: 1 photo in flight; 12 described, 3 failed": with(func(n *OwnNode) { n.Lost = true }),
		"stopping: 1 photo in flight; 12 described, 3 failed":                  with(func(n *OwnNode) { n.Stopping = true }),
		"it gets no photos: it failed; 12 described, 3 failed":                 with(func(n *OwnNode) { n.Paused = "it\nfailed" }),
		"waiting for mains power; 12 described, 3 failed":                      with(func(n *OwnNode) { n.Phase = "waiting for mains power" }),
	} {
		got := strings.Split(ansi.Strip(n.Text(now, 0)), "\n")
		if len(got) != 4 || got[1] != "    for the run at nats://192.0.2.1:4711, since 1 hour ago" || got[2] != "    "+want {
			t.Errorf("%q\nwant\n%s", got, want)
		}
		if bar, want := n.Bar(now), strings.Replace(want, "; ", ", ", 1); bar != want {
			t.Errorf("%s\nwant\n%s", bar, want)
		}
	}
}

// The summary of a run that was shared names the machines.
func TestRunSummaryNodes(t *testing.T) {
	s := RunSummary{Described: 20, Nodes: []NodeSummary{{Name: "desk", Described: 12, Failed: 1}, {Name: "nas", Described: 8, Paused: "it failed"}}}
	want := "\n  Nodes:         desk: 12 described, 1 failed\n                 nas: 8 described; got no more photos: it failed\n"
	got := strings.Join(strings.Fields(s.Text()+"\n"), " ")
	if !strings.Contains(got, strings.Join(strings.Fields(want), " ")) {
		t.Errorf("%s\nwant\n%s", s.Text(), want)
	}
}

// TestOwnNodesShown: status --watch tells of nodes on this machine, where no run has worked, too.
func TestOwnNodesShown(t *testing.T) {
	now := time.Now()
	own := []OwnNode{{PID: 17, Run: "nats://10.0.0.1:4711", Name: "laptop\x1b", Model: "tiny", Since: now, Seen: now, InFlight: 2, Described: 5}}
	for _, state := range []tracker.State{tracker.StateNone, tracker.StateFinished} {
		screen := drawDashboard(Machine{tracker.Snapshot{State: state}, own}, nil, now, 80, 24)
		for _, want := range []string{"A node is up on this machine (pid 17) as ", "2 photos in flight"} {
			if !strings.Contains(screen, want) {
				t.Errorf("%s: no %q in\n%s", state, want, screen)
			}
		}
	}
	dir := t.TempDir()
	for asJSON, want := range map[bool]string{
		true:  `"own_nodes":[{"pid":17,"run":"nats://10.0.0.1:4711","name":"laptop`,
		false: "node on this machine (pid 17) for the run at nats://10.0.0.1:4711: describing: 2 photos in flight",
	} {
		var b strings.Builder
		if err := watchOnce(&b, dir, asJSON, own); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v, no %q in %s", err, want, b.String())
		}
	}
}
