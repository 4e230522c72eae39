package pool

import (
	"slices"
	"time"
)

// This file has the worker of a lane's next batch load its model while the last
// photos of the batch before are in flight, so that no lane stands idle between
// two batches. Two workers are then alive on a lane; they count together, in
// photos as in memory.

// prestarted is whether w was loaded ahead and the worker before it is still there.
func (w *worker) prestarted() bool { return w.lane.next == w }

// busyLoad is how many times as long a model takes to load beside a worker that
// keeps the processor busy, compared with the first one, which had it alone.
const busyLoad = 3

// prestartAt is when the worker after s.cur should begin to load, so that it is
// ready when cur's batch has all been handed out. It is false where none is to
// be loaded ahead, or where nothing is known yet.
func (r *run) prestartAt(s *lane) (time.Time, bool) {
	w := s.cur
	if !r.cfg.Prestart || r.cfg.Cooldown > 0 || r.cfg.BatchSize <= 0 || w == nil || s.next != nil {
		return time.Time{}, false
	}
	switch {
	case w.state == leaving && w.leaveReason == ReasonBatch:
		return w.leaveAt, true
	case w.state == ready && w.answered > 0:
		// Slots that end together answer together: the time since counts too.
		perPhoto := w.answeredAt.Sub(w.firstAttemptAt) / time.Duration(w.answered)
		load := max(r.loadTime(), r.lastLoad)
		return w.answeredAt.Add(perPhoto*time.Duration(w.batch.remaining) - busyLoad*load), true
	}
	return time.Time{}, false
}

// needsPrestart is whether the worker after s.cur should be loaded now. There must
// be photos for it beyond the batches under way, and memory for both; and while
// workers die, one more would only be in the way of finding out why.
//
// Where workers outgrow their share each needs all of it, and none is loaded
// ahead any more.
func (r *run) needsPrestart(s *lane, now time.Time) bool {
	at, ok := r.prestartAt(s)
	if !ok || now.Before(at) || r.deaths > 0 || r.outgrown {
		return false
	}
	spoken := 0
	for w := range r.live {
		if w.state == starting || w.state == ready {
			spoken += w.batch.remaining
		}
	}
	return len(r.queue.fresh) > spoken && r.cool(now) && r.nextFits()
}

// nextFits is whether memory has room for one worker more, when each worker
// becomes as large, and leaks as much, as the worst so far.
func (r *run) nextFits() bool {
	var memory, base, growth uint64
	for w := range r.live {
		base, growth = max(base, w.mem.loaded), max(growth, w.mem.leak())
	}
	for w := range r.live {
		coming := len(w.attempts)
		if w.state == starting || w.state == ready {
			coming += w.batch.remaining
		}
		have := max(w.mem.now, base)
		memory += max(have, min(have+growth*uint64(coming), r.share))
	}
	base += growth * uint64(r.inFlightLimit) // until the one before it is gone
	if r.cfg.Memory > 0 && memory+base > r.cfg.Memory {
		return false
	}
	return !r.lastSample.hasSys || r.lastSample.system.Available > base
}

// mayBegin is whether w, loaded ahead, may take a photo: when the batch before
// its own has all been handed out.
func (r *run) mayBegin(w *worker) bool {
	before := w.lane.cur
	return before.state != ready || before.batch.remaining <= 0
}

// fitsBeside is whether the budget has room for another photo of w's beside what
// all workers will have. Without one loaded ahead each has its share to itself.
func (r *run) fitsBeside(w *worker) bool {
	if r.cfg.Memory == 0 || !slices.ContainsFunc(r.lanes, func(s *lane) bool { return s.next != nil }) {
		return true
	}
	return r.projected()+w.mem.expectedGrowth() <= r.cfg.Memory
}

// projected is what all workers will have for themselves when those that load are
// loaded and the photos in flight are done.
func (r *run) projected() (sum uint64) {
	var base uint64
	for w := range r.live {
		base = max(base, w.mem.loaded)
	}
	for w := range r.live {
		sum += max(base, w.mem.now+w.mem.leak()*uint64(len(w.attempts)))
	}
	return sum
}

// cancelPrestarted ends workers that were loaded ahead and hold memory that others
// turn out to need. They have no photo yet; another one takes up their batch.
func (r *run) cancelPrestarted(now time.Time) {
	short := r.throttle.memory && now.Sub(r.throttle.since) > idlePressureTimeout
	for _, s := range r.lanes {
		w := s.next
		if w == nil || len(w.attempts) > 0 || w.state != starting && w.state != ready {
			continue
		}
		sum := r.projected()
		if !short && (r.cfg.Memory == 0 || sum <= r.cfg.Memory) {
			continue
		}
		r.stats.Replaced++
		r.info("Worker %d, loaded ahead, makes room: the workers take up to %s together", w.n, bytesText(sum))
		w.leaveReason = ReasonMemory
		r.cancel(w)
	}
}
