package pool

import "time"

// busyLoadFactor is how many times as long a model takes to load beside a worker
// that keeps the processor busy, compared with the first one, which had it alone.
const busyLoadFactor = 3

// prestarter decides when the worker of a lane's next batch is started: while the
// last photos of the batch before are in flight, so that the lane is not idle
// while the model loads. Two workers are then alive on a lane. Their photos and
// their memory count together.
type prestarter struct {
	enabled bool
	workers *workerSet
	photos  *quarantine
	budget  *memoryBudget
	loads   *loadTimes
}

// at is when the worker after l.current should begin to load, so that it is
// ready when the current batch has all been handed out. It is false if none is
// to be prestarted, or if too little is known yet.
func (p *prestarter) at(l *lane) (time.Time, bool) {
	w := l.current
	if !p.enabled || w == nil || l.next != nil {
		return time.Time{}, false
	}
	switch {
	case w.state == leaving && w.end.reason == ReasonBatch:
		return w.times.leave, true
	case w.state == ready && w.answered > 0:
		// Photos that began together are answered together, so the average counts
		// from the first attempt.
		perPhoto := w.times.answer.Sub(w.times.firstAttempt) / time.Duration(w.answered)
		load := max(p.loads.average(), p.loads.last)
		return w.times.answer.Add(perPhoto*time.Duration(w.batch.remaining) - busyLoadFactor*load), true
	}
	return time.Time{}, false
}

// needed is whether the worker after l.current should be started now. There must
// be photos for it beyond the batches under way, and memory for both workers.
// None is prestarted while workers die, which would only hide the cause, and none
// after a worker has outgrown its share: each needs all of its own then.
func (p *prestarter) needed(l *lane, deaths, inFlight int, s sample, now time.Time) bool {
	at, ok := p.at(l)
	if !ok || now.Before(at) || deaths > 0 || p.budget.outgrown {
		return false
	}
	return len(p.photos.fresh) > p.workers.remaining() && p.budget.fitsWorker(p.workers.loads(), inFlight, s)
}

// superfluous returns a prestarted worker without photos whose memory the others
// need, nil if there is none. short says that the system is short of memory.
func (p *prestarter) superfluous(short bool) *worker {
	for _, l := range p.workers.lanes {
		w := l.next
		if w != nil && len(w.attempts) == 0 && w.alive() && (short || p.budget.exceeded(p.workers.loads())) {
			return w
		}
	}
	return nil
}

// loadTimes is how long workers took from start to hello.
type loadTimes struct {
	n         int
	sum, last time.Duration
}

func (t *loadTimes) add(d time.Duration) { t.n, t.sum, t.last = t.n+1, t.sum+d, d }

// average is 0 if no worker has loaded yet.
func (t *loadTimes) average() time.Duration {
	if t.n == 0 {
		return 0
	}
	return t.sum / time.Duration(t.n)
}
