package pool

import (
	"slices"
	"time"
)

// This file has the worker of a seat's next batch load its model while the last
// photos of the batch before are in flight, so that no seat stands idle between
// two batches. Two workers are then alive on a seat; they count together, in
// photos as in memory.

// ahead is whether w was loaded ahead and the worker before it is still there.
func (w *worker) ahead() bool { return w.seat.next == w }

// busyLoad is how many times as long a model takes to load beside a worker that
// keeps the processor busy, compared with the first one, which had it alone.
const busyLoad = 3

// aheadAt is when the worker after s.cur should begin to load, so that it is
// ready when cur's batch has all been handed out. It is false where none is to
// be loaded ahead, or where nothing is known yet.
func (r *run) aheadAt(s *seat) (time.Time, bool) {
	w := s.cur
	if !r.cfg.Prestart || r.cfg.Cooldown > 0 || r.cfg.BatchSize <= 0 || w == nil || s.next != nil {
		return time.Time{}, false
	}
	switch {
	case w.state == leaving && w.leave == ReasonBatch:
		return w.leaveAt, true
	case w.state == ready && w.answered > 0:
		// Slots that end together answer together: the time since counts too.
		perPhoto := w.answerAt.Sub(w.firstOut) / time.Duration(w.answered)
		load := max(r.loadTime(), r.lastLoad)
		return w.answerAt.Add(perPhoto*time.Duration(w.batch.left) - busyLoad*load), true
	}
	return time.Time{}, false
}

// wantsNext is whether the worker after s.cur should be loaded now. There must
// be photos for it beyond the batches under way, and memory for both; and while
// workers die, one more would only be in the way of finding out why.
//
// Where workers outgrow their share each needs all of it, and none is loaded
// ahead any more.
func (r *run) wantsNext(s *seat, now time.Time) bool {
	at, ok := r.aheadAt(s)
	if !ok || now.Before(at) || r.deaths > 0 || r.outgrown {
		return false
	}
	spoken := 0
	for w := range r.live {
		if w.state == starting || w.state == ready {
			spoken += w.batch.left
		}
	}
	return len(r.q.fresh) > spoken && r.cool(now) && r.bearsNext()
}

// bearsNext is whether memory has room for one worker more, when each worker
// becomes as large, and leaks as much, as the worst so far.
func (r *run) bearsNext() bool {
	var memory, base, growth uint64
	for w := range r.live {
		base, growth = max(base, w.mem.loaded), max(growth, w.mem.leak())
	}
	for w := range r.live {
		coming := len(w.flights)
		if w.state == starting || w.state == ready {
			coming += w.batch.left
		}
		have := max(w.mem.now, base)
		memory += max(have, min(have+growth*uint64(coming), r.share))
	}
	base += growth * uint64(r.atOnce) // until the one before it is gone
	if r.cfg.Memory > 0 && memory+base > r.cfg.Memory {
		return false
	}
	return !r.last.hasSys || r.last.system.Available > base
}

// itsTurn is whether w, loaded ahead, may take a photo: when the batch before
// its own has all been handed out.
func (r *run) itsTurn(w *worker) bool {
	before := w.seat.cur
	return before.state != ready || before.batch.left <= 0
}

// roomBeside is whether the budget has room for another photo of w's beside what
// all workers will have. Without one loaded ahead each has its share to itself.
func (r *run) roomBeside(w *worker) bool {
	if r.cfg.Memory == 0 || !slices.ContainsFunc(r.seats, func(s *seat) bool { return s.next != nil }) {
		return true
	}
	return r.heading()+w.mem.growth() <= r.cfg.Memory
}

// heading is what all workers will have for themselves when those that load are
// loaded and the photos in flight are done.
func (r *run) heading() (sum uint64) {
	var base uint64
	for w := range r.live {
		base = max(base, w.mem.loaded)
	}
	for w := range r.live {
		sum += max(base, w.mem.now+w.mem.leak()*uint64(len(w.flights)))
	}
	return sum
}

// makeRoom ends workers that were loaded ahead and hold memory that others
// turn out to need. They have no photo yet; another one takes up their batch.
func (r *run) makeRoom(now time.Time) {
	short := r.gate.memory && now.Sub(r.gate.since) > pressurePatience
	for _, s := range r.seats {
		w := s.next
		if w == nil || len(w.flights) > 0 || w.state != starting && w.state != ready {
			continue
		}
		sum := r.heading()
		if !short && (r.cfg.Memory == 0 || sum <= r.cfg.Memory) {
			continue
		}
		r.stats.Replaced++
		r.info("Worker %d, loaded ahead, makes room: the workers take up to %s together", w.n, bytesText(sum))
		w.leave = ReasonMemory
		r.dismiss(w)
	}
}
