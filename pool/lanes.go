package pool

import (
	"math"
	"slices"
	"time"
)

// lane is a place in which one worker after another runs, each with one batch.
// Config.Workers lanes are busy side by side.
type lane struct {
	current    *worker // at work, or starting or leaving
	next       *worker // prestarted, takes over when current is done
	batch      *batch  // begun, for the next worker here to go on with
	pending    *batch  // begun by a prestarted worker that has exited, for the one after it
	restsUntil time.Time
	progress   laneProgress
}

// inFlight counts the photos of both workers. They share the processor, so one
// is given what the other has finished.
func (l *lane) inFlight() int {
	n := 0
	for _, w := range []*worker{l.current, l.next} {
		if w != nil {
			n += len(w.attempts)
		}
	}
	return n
}

// takeBatch returns the batch that the worker to be started on l goes on with,
// nil if it begins a new one. A prestarted worker has a batch of its own.
func (l *lane) takeBatch() *batch {
	if l.batch != nil && l.current == nil {
		return l.batch
	}
	b := l.pending
	l.pending = nil
	return b
}

// place puts a worker that is being started on the lane.
func (l *lane) place(w *worker) {
	if l.current == nil {
		l.current, l.batch = w, w.batch
	} else {
		l.next = w
	}
}

// workerSet is the lanes and the workers on them.
type workerSet struct {
	lanes      []*lane
	live       map[*worker]struct{}
	lastWorker int
}

func newWorkerSet(lanes int) *workerSet {
	s := &workerSet{live: map[*worker]struct{}{}}
	for range lanes {
		s.lanes = append(s.lanes, &lane{})
	}
	return s
}

// add makes the next worker, for batch b on lane l.
func (s *workerSet) add(l *lane, b *batch, expected *expectedGrowth, now time.Time) *worker {
	s.lastWorker++
	w := &worker{n: s.lastWorker, lane: l, batch: b, attempts: map[uint64]*attempt{},
		times: workerTimes{started: now, seen: now}, mem: memoryProjection{expected: expected}}
	l.place(w)
	s.live[w] = struct{}{}
	return w
}

// remove takes a worker off its lane. Its batch stays there.
func (s *workerSet) remove(w *worker) {
	delete(s.live, w)
	l := w.lane
	switch w {
	case l.current:
		l.current, l.batch = nil, w.batch
		if l.next != nil { // it has a batch of its own to go on with
			if w.batch.state == batchOpen {
				w.batch.state = batchSuperseded
			}
			l.current, l.next, l.batch = l.next, nil, l.next.batch
		}
	case l.next:
		l.next, l.pending = nil, w.batch
	}
}

// ordered is the live workers, oldest first, so that runs are repeatable.
func (s *workerSet) ordered() []*worker {
	ws := make([]*worker, 0, len(s.live))
	for w := range s.live {
		ws = append(ws, w)
	}
	slices.SortFunc(ws, func(a, b *worker) int { return a.n - b.n })
	return ws
}

func (s *workerSet) inFlight() int {
	n := 0
	for w := range s.live {
		n += len(w.attempts)
	}
	return n
}

// inFlightAges is inFlight with the time since each photo was handed out, added up.
func (s *workerSet) inFlightAges(now time.Time) (photos int, ages time.Duration) {
	for w := range s.live {
		photos += len(w.attempts)
		for _, a := range w.attempts {
			ages += now.Sub(a.began)
		}
	}
	return photos, ages
}

// isolated is whether a photo is in flight that must be the only one of all.
func (s *workerSet) isolated() bool {
	for w := range s.live {
		for _, a := range w.attempts {
			if a.isolation == isolatedInPool {
				return true
			}
		}
	}
	return false
}

// remaining is how many photos the batches under way may still be given.
func (s *workerSet) remaining() int {
	n := 0
	for w := range s.live {
		if w.alive() {
			n += w.batch.remaining
		}
	}
	return n
}

// prestarted is whether a prestarted worker waits or works beside the one before it.
func (s *workerSet) prestarted() bool {
	return slices.ContainsFunc(s.lanes, func(l *lane) bool { return l.next != nil })
}

// starting is whether a worker is being started.
func (s *workerSet) starting() bool {
	for w := range s.live {
		if w.state == starting {
			return true
		}
	}
	return false
}

// loads is what the memory budget has to know of the workers.
func (s *workerSet) loads() []workerLoad {
	var all []workerLoad
	for w := range s.live {
		l := workerLoad{memoryProjection: &w.mem, inFlight: len(w.attempts)}
		if w.alive() {
			l.remaining = w.batch.remaining
		}
		all = append(all, l)
	}
	return all
}

func (s *workerSet) pids() []int {
	var pids []int
	for w := range s.live {
		if w.proc != nil {
			pids = append(pids, w.proc.pid)
		}
	}
	return pids
}

// replaceAll has the workers finish what they have and leave.
func (s *workerSet) replaceAll(reason string, now time.Time) {
	for w := range s.live {
		switch w.state {
		case ready:
			w.leave(reason, now)
		case starting:
			w.cancel(now)
		}
	}
}

func newBatch(n, size int, now time.Time) *batch {
	if size <= 0 {
		size = math.MaxInt
	}
	return &batch{n: n, remaining: size, began: now}
}
