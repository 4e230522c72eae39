package llm

import "time"

const (
	// threadWindow is the time of computing after which threadRule decides.
	threadWindow = time.Second
	// threadShare is the processor time that threads should get, of the time in which
	// they compute. Quiet machines give more: see docs/performance.md.
	threadShare = 0.8
	// All threads are tried again after firstRetry, then after twice as long each
	// time, at most lastRetry.
	firstRetry = 10 * time.Second
	lastRetry  = time.Minute
)

// threadRule decides how many threads compute. The threads of a computation wait for
// each other at every operation, and spin meanwhile. So the process uses as much
// processor time as it has threads, unless other programs hold their cores. Then one
// thread fewer computes, since one that has to wait for a core holds up the others.
// Only a trial can show that the cores are free again.
type threadRule struct {
	most  int // threads that may compute
	count int // threads that compute now

	wall, cpu time.Duration // of this window
	trial     int           // the count that a trial of all threads began at, 0: no trial
	since     time.Time     // when all threads began to compute
	wait      time.Duration // from the last decrease to a trial
	next      time.Time     // when the trial is due
}

func newThreadRule(most int) *threadRule { return &threadRule{most: most, count: most} }

// record takes the duration of a computation that ended at a time and the processor
// time that the process used in it. It returns the number of threads for the next.
func (r *threadRule) record(end time.Time, wall, cpu time.Duration) int {
	r.wall += wall
	r.cpu += cpu
	if r.wall < threadWindow {
		return r.count
	}
	share := float64(r.cpu) / float64(r.wall) / float64(r.count)
	r.wall, r.cpu = 0, 0
	trial := r.trial
	r.trial = 0
	switch {
	case r.count == 1 || share >= threadShare:
	case trial > 0:
		r.decrease(end, trial)
	default:
		r.decrease(end, r.count-1)
	}
	if r.count < r.most && !end.Before(r.next) {
		r.trial, r.count, r.since = r.count, r.most, end
	}
	return r.count
}

// decrease sets the number of threads and when all are tried again. The wait grows
// unless all have computed for long.
func (r *threadRule) decrease(now time.Time, count int) {
	if r.count == r.most {
		if r.wait == 0 || now.Sub(r.since) >= lastRetry {
			r.wait = firstRetry
		} else {
			r.wait = min(2*r.wait, lastRetry)
		}
	}
	r.count, r.next = count, now.Add(r.wait)
}
