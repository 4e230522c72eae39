package pool

import (
	"cmp"
	"time"
)

// dispatcher decides which worker is given which photo.
type dispatcher struct {
	workers     *workerSet
	photos      *quarantine
	budget      *memoryBudget
	concurrency *concurrency
	lastAttempt uint64      // its number
	allRead     bool        // no further path will come
	last        *lastPhotos // nil before the last photos are shared out
}

// lessBusy is whether a worker has less to do than another.
func (d *dispatcher) lessBusy(a, b *worker) bool {
	return cmp.Or(cmp.Compare(d.load(a), d.load(b)), a.lane.inFlight()-b.lane.inFlight()) < 0
}

// load is how much a worker has to do, to be compared with others.
func (d *dispatcher) load(w *worker) float64 {
	if d.last != nil {
		return d.last.unfinished[w.lane]
	}
	return float64(len(w.attempts))
}

// next returns the next worker and photo that belong together, nil if there are
// none now. deaths is the number of worker deaths in a row.
//
// Quarantined photos come first, each alone in its worker. Those for which memory
// ran out are alone in the whole pool. While all workers are busy, one of them is
// reserved and gets no fresh photo until it is idle, unless a new worker is on
// its way, which is idle anyway.
func (d *dispatcher) next(deaths int, now time.Time) (*worker, *photo, isolation) {
	d.last = nil
	if d.allRead {
		d.last = newLastPhotos(d.workers.lanes, d.photos.waiting(), now)
	}
	if d.workers.isolated() {
		return nil, nil, shared
	}
	switch isolation := d.photos.nextIsolation(); {
	case isolation == shared:
		for w := range d.workers.live {
			w.reserved = false
		}
	case isolation == isolatedInPool && d.workers.inFlight() > 0:
		return nil, nil, shared
	default:
		if w := d.idle(); w != nil {
			p := d.photos.takeIsolated(deaths)
			if p.isolateInPool {
				return w, p, isolatedInPool
			}
			return w, p, isolatedInWorker
		}
		if isolation == isolatedInPool {
			return nil, nil, shared
		}
		d.reserve()
	}
	if len(d.photos.fresh) > 0 {
		if w := d.leastBusy(); w != nil {
			return w, d.photos.takeFresh(), shared
		}
	}
	return nil, nil, shared
}

// idle is a ready worker with nothing in flight, nil if there is none.
func (d *dispatcher) idle() *worker {
	for _, w := range d.workers.ordered() {
		if len(w.attempts) == 0 && d.mayTake(w) {
			return w
		}
	}
	return nil
}

// leastBusy is the worker with the least to do of those that may take a fresh
// photo, nil if there is none.
func (d *dispatcher) leastBusy() *worker {
	var best *worker
	for _, w := range d.workers.ordered() {
		if !w.reserved && !w.isolated() && d.mayTake(w) && (best == nil || d.lessBusy(w, best)) {
			best = w
		}
	}
	return best
}

// reserve keeps the least busy worker for a quarantined photo, unless a worker
// will be idle without that.
func (d *dispatcher) reserve() {
	var best *worker
	for _, w := range d.workers.ordered() {
		if w.reserved || w.state == starting || w.state == ready && w.isolated() {
			return
		}
		if w.state == ready && (best == nil || len(w.attempts) < len(best.attempts)) {
			best = w
		}
	}
	if best != nil {
		best.reserved = true
	}
}

// perLane is how many photos a lane may have in flight. If fewer are left than all
// lanes may have, it is an even share.
func (d *dispatcher) perLane() int {
	if !d.allRead {
		return d.concurrency.limit
	}
	lanes := len(d.workers.lanes)
	left := d.photos.waiting() + d.workers.inFlight()
	return min(d.concurrency.limit, max(1, (left+lanes-1)/lanes))
}

// mayTake is whether w may be given a photo, by number and by memory. A worker
// that has answered nothing yet may always have one, or nothing would ever be
// done. An idle one need not leave room for others, which may be waiting for it.
func (d *dispatcher) mayTake(w *worker) bool {
	if w.state != ready || w.batch.remaining <= 0 || w.lane.inFlight() >= d.concurrency.limit {
		return false
	}
	if d.last != nil && !d.last.mayTake(w.lane) {
		return false
	}
	if w.prestarted() {
		// It begins when the batch before its own has all been handed out.
		if before := w.lane.current; before.state == ready && before.batch.remaining > 0 {
			return false
		}
	} else if len(w.attempts) == 0 {
		return w.answered == 0 || w.mem.fits(d.budget.share, 0)
	}
	if !w.mem.fits(d.budget.share, len(w.attempts)) {
		return false
	}
	// Without a prestarted worker each has its share to itself.
	return !d.workers.prestarted() || d.budget.fits(d.workers.loads(), w.mem.nextGrowth())
}

// needsWorker is whether there are photos that no worker on its way or at work
// can take.
func (d *dispatcher) needsWorker() bool {
	waiting := d.photos.waiting()
	for w := range d.workers.live {
		if w.alive() {
			waiting -= min(w.batch.remaining, d.perLane()-len(w.attempts))
		}
	}
	return waiting > 0
}
