package tracker

import (
	"testing"
	"time"
)

// What a node does is told from when it was heard of last, whatever the run has written down and whether it is up.
func TestNodesAt(t *testing.T) {
	now := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	busy := Node{Seen: now.Add(-2 * time.Second), InFlight: 9, Bytes: 5, CPU: 50, Phase: "", Described: 7}
	for name, c := range map[string]struct {
		change  func(*Node)
		running bool
		want    NodeState
		inside  int // in flight
	}{
		"at work":                 {func(*Node) {}, true, NodeWorking, 9},
		"loading":                 {func(n *Node) { n.Phase = "loading the model" }, true, NodeWaiting, 9},
		"not trusted":             {func(n *Node) { n.Paused = "it fails" }, true, NodePaused, 9},
		"gone, says the run":      {func(n *Node) { n.Gone = true }, true, NodeSilent, 0},
		"the run is suspended":    {func(n *Node) { n.Seen = now.Add(-5 * time.Minute) }, true, NodeSilent, 0},
		"left":                    {func(n *Node) { n.Gone, n.Left = true, true }, true, NodeLeft, 0},
		"the run is not up":       {func(*Node) {}, false, NodeEnded, 0},
		"not trusted, not up":     {func(n *Node) { n.Paused = "it fails" }, false, NodeEnded, 0},
		"heard of in the future":  {func(n *Node) { n.Seen = now.Add(time.Hour) }, true, NodeWorking, 9},
		"silent and not trusted":  {func(n *Node) { n.Paused, n.Gone = "it fails", true }, true, NodeSilent, 0},
		"at the limit of silence": {func(n *Node) { n.Seen = now.Add(-nodeSilence) }, true, NodeWorking, 9},
	} {
		n := busy
		c.change(&n)
		given := []Node{n}
		got := nodesAt(given, c.running, now)[0]
		if got.State != c.want || got.InFlight != c.inside || (got.Bytes == 0) != (c.inside == 0) || got.Described != 7 {
			t.Errorf("%s: %+v", name, got)
		}
		if given[0].InFlight != 9 {
			t.Errorf("%s: the list of the run was changed", name)
		}
	}
}
