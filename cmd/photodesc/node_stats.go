package main

import (
	"sync"

	"photodesc/internal/cluster"
	"photodesc/pool"
)

// nodeStats counts what a node has done.
type nodeStats struct {
	mu          sync.Mutex
	now         cluster.Beat
	name, model string // under which it has joined, and with what
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
	return s.now
}

func (s *nodeStats) described() int { return s.beat().Described }
