package tracker

import (
	"slices"
	"time"
)

// maxShownNodes bounds the nodes that the state file has.
const maxShownNodes = 256

// nodeSilence is after how long a node that nothing was heard of is shown as silent. A run says so itself after 15 seconds; this holds
// where the run is suspended.
const nodeSilence = 20 * time.Second

// NodeState is what a node does, in one word.
type NodeState string

// The states.
const (
	NodeWorking NodeState = "working" // it has photos, or gets some as soon as there are any
	NodeWaiting NodeState = "waiting" // it describes nothing now; Phase says why
	NodePaused  NodeState = "paused"  // the run gives it no photos; Paused says why
	NodeSilent  NodeState = "silent"  // nothing was heard of it for some time
	NodeLeft    NodeState = "left"    // it has ended
	NodeEnded   NodeState = "ended"   // the run is not up
)

// Node is a machine that takes part in a run, as status shows it.
type Node struct {
	Name      string    `json:"name"`
	State     NodeState `json:"state"`                  // the following in one word
	Since     time.Time `json:"since"`                  // when it joined
	Seen      time.Time `json:"seen"`                   // when it was heard of last
	Slots     int       `json:"slots"`                  // photos that it takes at once
	InFlight  int       `json:"in_flight"`              // photos it has and has not answered
	Described int       `json:"described"`              // by it, in this run
	Failed    int       `json:"failed,omitempty"`       // on record as failed on it
	Late      int       `json:"late,omitempty"`         // answers for photos that had their result
	Rate      float64   `json:"rate"`                   // photos an hour, over its last ten minutes of work at most; 0: not known yet
	Bytes     uint64    `json:"worker_bytes,omitempty"` // memory of its workers
	CPU       float64   `json:"cpu_percent,omitempty"`
	Phase     string    `json:"phase,omitempty"`  // what it does instead of describing
	Paused    string    `json:"paused,omitempty"` // why it gets no photos
	Gone      bool      `json:"gone,omitempty"`   // nothing was heard of it for some time, or it has ended
	Left      bool      `json:"left,omitempty"`   // it has ended, and said so
}

// stateAt is what a node does now, of which a run has written down what it knew.
func (n *Node) stateAt(running bool, now time.Time) NodeState {
	switch {
	case !running:
		return NodeEnded
	case n.Left:
		return NodeLeft
	case n.Gone, now.Sub(n.Seen) > nodeSilence:
		return NodeSilent
	case n.Paused != "":
		return NodePaused
	case n.Phase != "":
		return NodeWaiting
	}
	return NodeWorking
}

// nodesAt are the nodes as they are now. What has not been heard of has nothing in flight: its photos go to others.
func nodesAt(list []Node, running bool, now time.Time) []Node {
	list = slices.Clone(list)
	for i := range list {
		n := &list[i]
		if n.State = n.stateAt(running, now); n.State == NodeEnded || n.State == NodeLeft || n.State == NodeSilent {
			n.InFlight, n.Bytes, n.CPU, n.Phase = 0, 0, 0, ""
		}
	}
	return list
}

// Figures are what programs that watch the run ask for: its progress, the last sample, the machines that take part, and whether it
// waits on purpose.
func (l *Live) Figures() (p Progress, sample Sample, nodes []Node, waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick()
	return l.s.progress(), l.s.Sample, slices.Clone(l.s.Nodes), l.s.Waiting
}

// SetNodes records which machines take part in the run.
func (l *Live) SetNodes(nodes []Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Nodes = slices.Clone(nodes[:min(len(nodes), maxShownNodes)])
	l.dirty = true
}
