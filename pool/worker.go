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

	killed    time.Time // by us
	buried    bool      // it does not die, and is not waited for any more
	leave     string    // why it was told to leave
	dismissed bool      // killed, and nobody is to blame
	verdict   death     // why we killed it
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
