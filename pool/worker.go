package pool

import (
	"fmt"
	"time"
)

// workerState is where a worker is between its start and its exit.
type workerState int

const (
	starting workerState = iota // until hello
	ready
	leaving   // told to leave; may have photos in flight
	dying     // killed by the pool; its exit is waited for
	abandoned // not waited for any more, see run.abandon
)

// worker is one process and what the run knows of it.
type worker struct {
	n     int // counted from 1 over the run
	lane  *lane
	batch *batch
	proc  *proc // nil until it is started
	state workerState

	times    workerTimes
	attempts map[uint64]*attempt // in flight
	answered int
	reserved bool // gets no fresh photo, so that it is soon free for a quarantined one
	mem      memoryProjection
	oomKills uint64 // the system's count when it was started
	end      workerEnd
}

// workerTimes are the times from which a worker's time-outs are counted.
type workerTimes struct {
	started      time.Time
	firstAttempt time.Time // which a prestarted worker may wait for
	seen         time.Time // the last line from it
	answer       time.Time // the last answer
	leave        time.Time // the order to leave
	killed       time.Time
}

// shift moves all times by d.
func (t *workerTimes) shift(d time.Duration) {
	for _, at := range []*time.Time{&t.started, &t.firstAttempt, &t.seen, &t.answer, &t.leave, &t.killed} {
		*at = at.Add(d)
	}
}

// workerEnd is why a worker was told to leave or was killed.
type workerEnd struct {
	reason    string   // of leaving
	cancelled bool     // killed through no fault of its own
	death     death    // killed for this
	timedOut  *attempt // the attempt that took too long, if that is why
}

// batch is the photos meant for one process. If the process dies, another one
// goes on with them.
type batch struct {
	n         int
	remaining int // photos that may still be handed out
	answered  int
	began     time.Time
	state     batchState
}

type batchState int

const (
	batchOpen       batchState = iota
	batchSuperseded            // its lane has gone on to the next batch
	batchEnded
)

// over is whether no worker will go on with the batch.
func (b *batch) over() bool { return b.remaining <= 0 || b.state != batchOpen }

// alive is whether w may still take a photo, now or when it has loaded.
func (w *worker) alive() bool { return w.state == starting || w.state == ready }

// ended is whether w was killed. What it still reports no longer counts.
func (w *worker) ended() bool { return w.state == dying || w.state == abandoned }

// prestarted is whether the worker before w on its lane is still there.
func (w *worker) prestarted() bool { return w.lane.next == w }

func (w *worker) pid() int {
	if w.proc == nil {
		return 0
	}
	return w.proc.pid
}

// isolated is whether the photo in flight must be the worker's only one.
func (w *worker) isolated() bool {
	for _, a := range w.attempts {
		return a.isolation != shared
	}
	return false
}

// oldest is the attempt that has been in flight longest, nil if there is none.
func (w *worker) oldest() *attempt {
	var first *attempt
	for _, a := range w.attempts {
		if first == nil || a.id < first.id {
			first = a
		}
	}
	return first
}

// takeAttempts ends and returns all attempts in flight, oldest first.
func (w *worker) takeAttempts(now time.Time) []*attempt {
	var all []*attempt
	for len(w.attempts) > 0 {
		all = append(all, w.takeAttempt(w.oldest().id, now))
	}
	return all
}

// takeAttempt ends and returns one attempt, nil if the worker does not have it.
func (w *worker) takeAttempt(id uint64, now time.Time) *attempt {
	a := w.attempts[id]
	if a != nil {
		delete(w.attempts, id)
		a.took = now.Sub(a.began)
	}
	return a
}

// leave tells the worker to finish what it has and to exit.
func (w *worker) leave(reason string, now time.Time) {
	w.state, w.end.reason, w.times.leave = leaving, reason, now
	w.mem.learn()
	line, _ := encodeLine(order{Leave: true})
	w.proc.orders <- line
}

// kill ends the worker for a reason that counts as its death.
func (w *worker) kill(why death, now time.Time) {
	w.state, w.end.death, w.times.killed = dying, why, now
	if w.proc != nil {
		w.proc.kill()
	}
}

// cancel ends the worker through no fault of its own.
func (w *worker) cancel(now time.Time) {
	w.state, w.end.cancelled, w.times.killed = dying, true, now
	if w.proc != nil {
		w.proc.kill()
	}
}

// breakProtocol kills a worker that sent what it may not send.
func (w *worker) breakProtocol(err error, now time.Time) {
	if !w.ended() {
		w.kill(death{DeathProtocol, "broke the protocol: " + err.Error()}, now)
	}
}

// leftInOrder is whether the worker's exit is what it was asked for.
func (w *worker) leftInOrder() bool {
	return w.end.cancelled || w.state == leaving && len(w.attempts) == 0
}

// deadline is when w has taken too long, whatever it is doing. timeout is the time
// for one photo, 0 is no limit.
func (w *worker) deadline(timeout time.Duration) time.Time {
	switch w.state {
	case starting:
		return w.times.started.Add(startTimeout)
	case dying:
		return w.times.killed.Add(leaveTimeout)
	}
	earliest := w.times.seen.Add(silenceTimeout)
	limit := func(t time.Time) {
		if t.Before(earliest) {
			earliest = t
		}
	}
	a := w.oldest()
	if a != nil && timeout > 0 {
		limit(a.began.Add(timeout))
	}
	if a == nil && w.state == leaving {
		idle := w.times.answer
		if w.times.leave.After(idle) {
			idle = w.times.leave
		}
		limit(idle.Add(leaveTimeout))
	}
	return earliest
}

// expire kills a worker that is past its deadline. It returns what to log, and
// false if the worker is not to be waited for any more.
func (w *worker) expire(timeout time.Duration, now time.Time) (warning string, wait bool) {
	switch a := w.oldest(); {
	case w.state == dying:
		return "", false
	case w.state == starting:
		w.kill(death{DeathSilence, "said nothing for " + roundText(startTimeout) + " after its start"}, now)
	case a != nil && timeout > 0 && now.Sub(a.began) >= timeout:
		w.end.timedOut = a
		w.kill(death{DeathTimeout, "no answer within " + roundText(timeout)}, now)
	case w.state == leaving && a == nil:
		w.cancel(now)
		return fmt.Sprintf("Worker %d (pid %d) has done its work but does not leave, it is killed", w.n, w.pid()), true
	default:
		w.kill(death{DeathSilence, "gave no sign of life for " + roundText(silenceTimeout)}, now)
	}
	return "", true
}

// killOverLimit kills the worker if it is far above its share. Below that, it is
// replaced before it is given another photo.
func (w *worker) killOverLimit(share uint64, now time.Time) {
	if (w.state == ready || w.state == leaving) && w.mem.overLimit(share) {
		w.kill(death{DeathMemory, fmt.Sprintf("took %s, far over its share of the memory budget, %s",
			bytesText(w.mem.current), bytesText(share))}, now)
	}
}
