package pool

import (
	"math"
	"time"
)

// seat is a place for a worker. Workers seats are busy side by side; on each,
// one batch follows the other.
type seat struct {
	cur     *worker // at work, or on its way in or out
	next    *worker // loaded ahead, takes over when cur is done
	batch   *batch  // begun, and to be gone on with by the next worker here
	pending *batch  // begun by a next that is gone, for the one after it
	cool    time.Time
}

// inFlight counts the photos of both workers: they share the processor, so the
// one takes up what the other lets go.
func (s *seat) inFlight() int {
	n := 0
	for _, w := range []*worker{s.cur, s.next} {
		if w != nil {
			n += len(w.flights)
		}
	}
	return n
}

// batch is the photos meant for one process. When that dies, another goes on.
type batch struct {
	n        int
	left     int // may still be handed out
	answered int
	began    time.Time
	over     bool // the seat has gone on to the next one
	ended    bool
}

func newBatch(n, size int, now time.Time) *batch {
	if size <= 0 {
		size = math.MaxInt
	}
	return &batch{n: n, left: size, began: now}
}

type state int

const (
	starting state = iota // until hello
	ready
	leaving // told to leave; may have photos in flight
	dying   // killed by us; its exit is yet to be seen
)

// worker is one process and what the run knows of it.
type worker struct {
	n     int
	seat  *seat
	batch *batch
	p     *proc // nil until it is started
	state state

	started  time.Time
	firstOut time.Time // its first photo; one loaded ahead has waited for it
	seen     time.Time // last line from it
	answerAt time.Time // last answer
	leaveAt  time.Time // the order to leave
	flights  map[uint64]*flight
	answered int
	reserved bool // waits until it is empty, to take suspects

	leave     string // why it was told to leave
	dismissed bool   // killed, and nobody is to blame
	verdict   death  // why we killed it
	guilty    *flight

	mem      memoryTrack
	oomKills uint64 // the system's count when it was started
}

// flight is one attempt at one photo.
type flight struct {
	id    uint64
	photo *photo
	out   time.Time
	alone bool
}

// alone is whether the worker holds a photo that wants no company.
func (w *worker) alone() bool {
	for _, f := range w.flights {
		return f.alone
	}
	return false
}

// expected is whether the worker's exit is what it was asked for.
func (w *worker) expected() bool {
	return w.dismissed || w.state == leaving && len(w.flights) == 0
}

// memoryTrack follows one worker's own memory and tells what the next photo
// will make of it.
type memoryTrack struct {
	now     uint64
	loaded  uint64 // at hello
	warm    uint64 // when all that is allocated once was allocated
	warmAt  int
	answers int
}

// answer notes the memory after another answer; warmUp is after how many
// answers growth counts as a leak.
func (m *memoryTrack) answer(mem uint64, warmUp int) {
	m.answers++
	if mem > 0 {
		m.now = mem
	}
	if m.answers <= warmUp {
		m.warm, m.warmAt = m.now, m.answers
	}
}

// growth is what a photo has left behind on average since the warm-up.
func (m *memoryTrack) growth() uint64 {
	if m.answers <= m.warmAt || m.now <= m.warm {
		return 0
	}
	return (m.now - m.warm) / uint64(m.answers-m.warmAt)
}

// full is whether the worker should be replaced: with nothing in flight it
// could not take another photo.
func (m *memoryTrack) full(share uint64) bool { return share > 0 && !m.bears(share, 0) }

// bears is whether another photo may join those in flight: when each of them
// leaves behind what the ones before did, the worker stays within its share.
// Two more are allowed for: what a photo leaves may differ, and is seen late.
func (m *memoryTrack) bears(share uint64, inFlight int) bool {
	return share == 0 || m.now+m.growth()*uint64(inFlight+3) <= share
}

// beyond is whether the worker must go at once. A quarter above the share is
// more than photos in flight explain, and the rest of the machine is next. A
// model that alone is over its share is measured by itself: it must be allowed
// to do some work, or nothing is ever done.
func (m *memoryTrack) beyond(share uint64) bool {
	if share == 0 {
		return false
	}
	limit := max(share, m.loaded)
	return m.now > limit+limit/4
}
