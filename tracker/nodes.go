package tracker

import (
	"slices"
	"time"
)

// maxShownNodes bounds the nodes that the state file has.
const maxShownNodes = 256

// Node is a machine that takes part in a run, as status shows it.
type Node struct {
	Name      string    `json:"name"`
	Since     time.Time `json:"since"`                  // when it joined
	Seen      time.Time `json:"seen"`                   // when it was heard of last
	Slots     int       `json:"slots"`                  // photos that it takes at once
	InFlight  int       `json:"in_flight"`              // photos it has and has not answered
	Described int       `json:"described"`              // by it, in this run
	Failed    int       `json:"failed,omitempty"`       // on record as failed on it
	Late      int       `json:"late,omitempty"`         // answers for photos that had their result
	Rate      float64   `json:"rate"`                   // described photos an hour since it joined
	Bytes     uint64    `json:"worker_bytes,omitempty"` // memory of its workers
	CPU       float64   `json:"cpu_percent,omitempty"`
	Phase     string    `json:"phase,omitempty"`  // what it does instead of describing
	Paused    string    `json:"paused,omitempty"` // why it gets no photos
	Gone      bool      `json:"gone,omitempty"`   // nothing was heard of it for some time
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
