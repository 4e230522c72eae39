package pool

import (
	"math"
	"time"
)

// lane is a place for a worker. Workers lanes are busy side by side; on each,
// one batch follows the other.
type lane struct {
	cur     *worker // at work, or on its way in or out
	next    *worker // loaded ahead, takes over when cur is done
	batch   *batch  // begun, and to be gone on with by the next worker here
	pending *batch  // begun by a next that is gone, for the one after it
	cool    time.Time
}

// inFlight counts the photos of both workers: they share the processor, so the
// one takes up what the other lets go.
func (s *lane) inFlight() int {
	n := 0
	for _, w := range []*worker{s.cur, s.next} {
		if w != nil {
			n += len(w.attempts)
		}
	}
	return n
}

// batch is the photos meant for one process. When that dies, another goes on.
type batch struct {
	n          int
	remaining  int // may still be handed out
	answered   int
	began      time.Time
	superseded bool // the lane has gone on to the next one
	ended      bool
}

func newBatch(n, size int, now time.Time) *batch {
	if size <= 0 {
		size = math.MaxInt
	}
	return &batch{n: n, remaining: size, began: now}
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
	lane  *lane
	batch *batch
	p     *proc // nil until it is started
	state state

	started        time.Time
	firstAttemptAt time.Time // its first photo; one loaded ahead has waited for it
	lastSeen       time.Time // last line from it
	answeredAt     time.Time // last answer
	leaveAt        time.Time // the order to leave
	attempts       map[uint64]*attempt
	answered       int
	reserved       bool // waits until it is empty, to take suspects

	killedAt    time.Time // by us
	abandoned   bool      // it does not die, and is not waited for any more
	leaveReason string    // why it was told to leave
	cancelled   bool      // killed, and nobody is to blame
	killedFor   death     // why we killed it
	timedOut    *attempt

	mem      memoryTrack
	oomKills uint64 // the system's count when it was started
}

// attempt is one attempt at one photo.
type attempt struct {
	id        uint64
	photo     *photo
	began     time.Time
	exclusive bool
}

// exclusive is whether the worker holds a photo that wants no company.
func (w *worker) exclusive() bool {
	for _, f := range w.attempts {
		return f.exclusive
	}
	return false
}

// expected is whether the worker's exit is what it was asked for.
func (w *worker) expected() bool {
	return w.cancelled || w.state == leaving && len(w.attempts) == 0
}
