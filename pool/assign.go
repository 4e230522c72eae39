package pool

import (
	"time"
)

// This file decides who gets which photo, and when a worker is started or told
// to leave. All of it runs on the run's goroutine, after every event.

// handOut gives photos to workers until nobody may take another.
func (r *run) handOut(now time.Time) {
	if r.stopping || r.end != nil || len(r.undelivered) >= maxUndelivered || len(r.pending) >= maxPendingReads {
		return
	}
	if _, closed := r.throttle.closed(); closed {
		return
	}
	for {
		w, p, alone := r.nextAssignment()
		if w == nil {
			return
		}
		r.assign(w, p, alone, now)
	}
}

// nextAssignment finds the next worker and photo that belong together, or nil.
//
// Suspects come first, and each alone in its worker, so that the next death has
// one possible cause. Those that memory ran out with are alone in the whole
// pool. A worker that is busy is reserved and runs empty first, unless a new
// one, which is empty anyway, is on its way.
func (r *run) nextAssignment() (*worker, *photo, bool) {
	if r.onlyInPool() {
		return nil, nil, false
	}
	if len(r.queue.quarantined) == 0 {
		for w := range r.live {
			w.reserved = false
		}
	} else {
		if r.queue.quarantined[0].onlyInPool && r.inFlight() > 0 {
			return nil, nil, false
		}
		if w := r.idle(); w != nil {
			return w, r.nextQuarantined(), true
		}
		if r.queue.quarantined[0].onlyInPool {
			return nil, nil, false
		}
		r.reserve()
	}
	if len(r.queue.fresh) > 0 {
		if w := r.leastBusy(); w != nil {
			return w, r.queue.takeFresh(), false
		}
	}
	return nil, nil, false
}

// nextQuarantined is the next photo to be tried alone. After a few deaths without
// a success, every other one is known to be good or, when none is yet, from
// elsewhere: if that succeeds, it is the photos and not the model, and the count
// of deaths begins anew.
func (r *run) nextQuarantined() *photo {
	if r.deaths < 3 {
		r.probing = false
		return r.queue.takeQuarantined()
	}
	// Every other one handed out, not every other death: workers side by side
	// die in step.
	if r.probing = !r.probing; r.probing {
		switch exclusive := r.queue.quarantined[0].onlyInPool; {
		case r.knownReadable != "":
			return &photo{path: r.knownReadable, probe: true, onlyInPool: exclusive}
		case len(r.queue.fresh) > 0:
			p := r.queue.takeProbe()
			p.onlyInPool = p.onlyInPool || exclusive
			return p
		}
	}
	return r.queue.takeQuarantined()
}

// idle is a ready worker with nothing in flight.
func (r *run) idle() *worker {
	for _, w := range r.ordered() {
		if len(w.attempts) == 0 && r.mayTake(w) {
			return w
		}
	}
	return nil
}

// leastBusy is the ready worker with the fewest photos among those that may
// take one more.
func (r *run) leastBusy() *worker {
	var best *worker
	for _, w := range r.ordered() {
		if !w.reserved && !w.exclusive() && r.mayTake(w) && (best == nil || len(w.attempts) < len(best.attempts)) {
			best = w
		}
	}
	return best
}

// reserve keeps the least busy worker from fresh photos, until it is idle.
func (r *run) reserve() {
	var best *worker
	for w := range r.live {
		if w.reserved || w.state == starting || w.state == ready && w.exclusive() {
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

// mayTake is whether w has room for a photo, by number and by memory. A worker
// that has done nothing yet may always take one, or nothing would ever be done;
// and one that is idle need not look at others, which may be waiting for it.
func (r *run) mayTake(w *worker) bool {
	if w.state != ready || w.batch.remaining <= 0 || w.lane.inFlight() >= r.inFlightLimit {
		return false
	}
	if w.prestarted() && !r.mayBegin(w) {
		return false
	}
	if len(w.attempts) == 0 && !w.prestarted() {
		return w.answered == 0 || w.mem.fits(r.share, 0)
	}
	return w.mem.fits(r.share, len(w.attempts)) && r.fitsBeside(w)
}

func (r *run) assign(w *worker, p *photo, alone bool, now time.Time) {
	p.attempts++
	r.lastID++
	f := &attempt{id: r.lastID, photo: p, began: now, exclusive: alone}
	line, err := encodeLine(order{Job: &Job{ID: f.id, Path: p.path, Attempt: p.attempts, Exclusive: alone}})
	if err != nil {
		r.deliver(Result{Path: p.path, Attempts: p.attempts, Batch: w.batch.n,
			Failure: &Failure{Kind: KindUnreadable, Message: "the path is too long: " + err.Error()}})
		return
	}
	if p.attempts > 1 {
		r.stats.Retried++
	}
	if w.answered == 0 && len(w.attempts) == 0 {
		w.firstAttemptAt = now
	}
	w.attempts[f.id] = f
	w.batch.remaining--
	w.p.orders <- line
	r.observe(Event{Kind: EventPhotoOut, Batch: w.batch.n, Worker: w.n, PID: w.p.pid, Path: p.path,
		Attempt: p.attempts, InFlight: len(w.attempts)})
}

// retireWorkers tells workers to leave that have nothing more to do or take too much
// memory. They finish what is in flight.
func (r *run) retireWorkers(now time.Time) {
	r.cancelPrestarted(now)
	for w := range r.live {
		if w.state != ready {
			continue
		}
		switch {
		case r.stopping:
			r.tellLeave(w, ReasonStop, now)
		case w.batch.remaining <= 0:
			r.tellLeave(w, ReasonBatch, now)
		case r.jobsDone && r.queue.empty():
			r.tellLeave(w, ReasonFinished, now)
		case w.answered > 0 && w.mem.full(r.share):
			r.stats.Replaced++
			r.outgrown = true
			r.info("Worker %d has reached its share of the memory budget (%s of %s), it will be replaced",
				w.n, bytesText(w.mem.now), bytesText(r.share))
			r.tellLeave(w, ReasonMemory, now)
		case len(w.attempts) == 0 && r.throttle.memory && now.Sub(r.throttle.since) > idlePressureTimeout:
			// The machine is short of memory and this worker only waits: what it
			// holds may be what is missing. The next one would only miss it, too.
			r.throttle.needed = max(r.throttle.needed, min(w.mem.now, max(w.mem.loaded, w.mem.warmMem)))
			r.stats.Replaced++
			r.tellLeave(w, ReasonMemory, now)
		}
	}
}

func (r *run) tellLeave(w *worker, reason string, now time.Time) {
	w.state, w.leaveReason, w.leaveAt = leaving, reason, now
	r.learnGrowth(w)
	line, _ := encodeLine(order{Leave: true})
	w.p.orders <- line
}

// learnGrowth has workers that are new expect of a photo what it left behind in w.
func (r *run) learnGrowth(w *worker) {
	if w.mem.warm {
		r.expected = expectedGrowth{w.mem.rate(), true}
	}
}

// startWorkers starts the workers that are wanted now.
func (r *run) startWorkers(now time.Time) {
	if r.stopping || r.end != nil || !r.sampled && now.Sub(r.began) < time.Second {
		return
	}
	if _, closed := r.throttle.closed(); closed || now.Before(r.backoffUntil) {
		return
	}
	for _, s := range r.lanes {
		switch {
		case s.cur == nil && s.next != nil:
			s.cur, s.next = s.next, nil
		case s.cur == nil && r.needsWorker() && r.cooled(s, now):
			s.cur = r.start(s, now)
		case s.next == nil && r.needsPrestart(s, now):
			s.next = r.start(s, now)
		}
	}
}

// needsWorker is whether there are photos that nobody at work has a free hand for.
func (r *run) needsWorker() bool {
	waiting := len(r.queue.fresh) + len(r.queue.quarantined)
	for w := range r.live {
		if w.state == starting || w.state == ready {
			waiting -= min(w.batch.remaining, r.inFlightLimit-len(w.attempts))
		}
	}
	return waiting > 0
}

// cooled is whether s may begin: a batch that is gone on with needs no rest.
func (r *run) cooled(s *lane, now time.Time) bool {
	if s.batch != nil {
		return true
	}
	if now.Before(s.cool) {
		return false
	}
	return r.cool(now)
}

// cool asks Config.Cool, under AutoCooldown and not before the first batch.
func (r *run) cool(now time.Time) bool {
	if r.cfg.Cooldown != AutoCooldown || r.cfg.Cool == nil || r.stats.Batches == 0 {
		return true
	}
	if now.Before(r.askCool) {
		return false
	}
	wait, why := r.cfg.Cool()
	if wait {
		r.askCool = now.Add(r.cfg.SampleEvery)
		r.pause(pauseCooldown, "Cooling down: "+why, now)
		return false
	}
	r.resume(pauseCooldown, now)
	return true
}
