package main

import (
	"cmp"
	"sync"

	"photodesc/internal/cluster"
	"photodesc/internal/ui"
	"photodesc/pool"
)

// nodeStats counts what a node has done.
type nodeStats struct {
	mu          sync.Mutex
	now         cluster.Beat
	name, model string // under which it has joined, and with what
	paused      string // why the run gives it no photos
	lost        bool   // the run cannot be reached
	stopping    bool
	blocked     string // why no photo can be fetched
}

func (s *nodeStats) join(w cluster.Welcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.model = w.Name, w.Model.Name
}

func (s *nodeStats) setUnfit(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Unfit = why
}

// change changes what is told of the node.
func (s *nodeStats) change(f func(*nodeStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// own is what status shows.
func (s *nodeStats) own() ui.OwnNode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ui.OwnNode{
		Name: s.name, Model: s.model, InFlight: s.now.InFlight, Described: s.now.Described, Failed: s.now.Failed, Phase: s.phase(),
		Paused: cmp.Or(s.paused, s.now.Unfit), Lost: s.lost, Stopping: s.stopping,
	}
}

func (s *nodeStats) joined() (name, model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name, s.model
}

func (s *nodeStats) observe(e pool.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case pool.EventHandOut, pool.EventAnswer:
		s.now.InFlight, s.now.Ages = e.InFlight, e.Ages
	case pool.EventMemory:
		s.now.InFlight, s.now.Ages, s.now.Bytes, s.now.CPU = e.InFlight, e.Ages, e.WorkerBytes, max(e.CPU, 0)
	case pool.EventPause:
		s.now.Phase = "waiting for " + waitText(e.Reason)
	case pool.EventResume, pool.EventWorkerReady:
		s.now.Phase = ""
	case pool.EventWorkerStart:
		if s.now.Described+s.now.Failed == 0 {
			s.now.Phase = "loading the model"
		}
	}
}

func (s *nodeStats) done(res pool.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if res.Failure == nil {
		s.now.Described++
	} else {
		s.now.Failed++
	}
}

func (s *nodeStats) beat() cluster.Beat {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.now
	b.Phase = s.phase()
	return b
}

func (s *nodeStats) phase() string {
	if s.blocked != "" {
		return "waiting for room: " + s.blocked
	}
	return s.now.Phase
}

func (s *nodeStats) setBlocked(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked = why
}

func (s *nodeStats) described() int { return s.beat().Described }
