package pool

import "time"

// This file hands out photos and starts and ends workers. It runs on the loop's
// goroutine after every event.

// handOut gives photos to workers until nobody may take another.
func (r *run) handOut(now time.Time) {
	if r.end.stopping || r.delivery.full() || r.storage.full() || r.throttle.closed() != "" {
		return
	}
	for {
		w, p, isolation := r.dispatch.next(r.streak.deaths, now)
		if w == nil {
			return
		}
		r.assign(w, p, isolation, now)
	}
}

// assign hands a photo to a worker.
func (r *run) assign(w *worker, p *photo, isolation isolation, now time.Time) {
	p.attempts++
	r.dispatch.lastAttempt++
	a := &attempt{id: r.dispatch.lastAttempt, photo: p, worker: w.n, batch: w.batch, isolation: isolation, began: now}
	line, err := encodeLine(order{Job: &Job{ID: a.id, Path: p.path, File: p.file, Attempt: p.attempts, Isolated: isolation != shared}})
	if err != nil {
		r.delivery.add(a.result(&Failure{Kind: KindUnreadable, Message: "the path is too long: " + err.Error()}))
		return
	}
	if w.answered == 0 && len(w.attempts) == 0 {
		w.times.firstAttempt = now
	}
	w.lane.progress.handedOut(w.lane.inFlight(), now)
	w.attempts[a.id] = a
	w.batch.remaining--
	w.proc.orders <- line
	r.report.trace.handedOut(w, a)
	r.report.handedOut(r.workers, now)
}

// retireWorkers tells workers to leave that have nothing more to do or take too
// much memory. They finish what is in flight.
func (r *run) retireWorkers(now time.Time) {
	for {
		w := r.prestart.superfluous(r.throttle.pressed(now))
		if w == nil {
			break
		}
		r.report.stats.Replaced++
		r.report.info("Worker %d, started before its batch, is ended to free memory: the workers need up to %s together",
			w.n, bytesText(r.budget.projected(r.workers.loads())))
		w.end.reason = ReasonMemory
		w.cancel(now)
	}
	for w := range r.workers.live {
		if w.state != ready {
			continue
		}
		switch {
		case r.end.stopping:
			w.leave(ReasonStop, now)
		case w.batch.remaining <= 0:
			w.leave(ReasonBatch, now)
		case r.source.finished && r.photos.empty():
			w.leave(ReasonFinished, now)
		case w.answered > 0 && w.mem.full(r.budget.share):
			r.report.stats.Replaced++
			r.budget.outgrown = true
			r.report.info("Worker %d has reached its share of the memory budget (%s of %s), it will be replaced",
				w.n, bytesText(w.mem.current), bytesText(r.budget.share))
			w.leave(ReasonMemory, now)
		case len(w.attempts) == 0 && r.throttle.pressed(now):
			// The system is short of memory and this worker only waits. What it holds
			// may be what is missing, and the next worker will need as much.
			r.throttle.waitFor(min(w.mem.current, max(w.mem.loaded, w.mem.warmBytes)))
			r.report.stats.Replaced++
			w.leave(ReasonMemory, now)
		case len(w.attempts) == 0 && r.throttle.unplugged(now):
			w.leave(ReasonBattery, now)
		}
	}
}

// startWorkers starts the workers that are wanted now.
func (r *run) startWorkers(now time.Time) {
	if r.end.stopping || r.throttle.closed() != "" || now.Before(r.streak.backoffUntil) {
		return
	}
	for _, l := range r.workers.lanes {
		switch {
		case l.current == nil && l.next != nil:
			l.current, l.next = l.next, nil
		case r.loads.n == 0 && r.workers.starting():
			// The first worker has the machine to itself until it is ready. A model
			// that cannot be loaded is tried once.
		case l.current == nil && r.dispatch.needsWorker() && (l.batch != nil || !now.Before(l.restsUntil)):
			r.start(l, now)
		case l.next == nil && r.prestart.needed(l, r.streak.deaths, r.concurrency.limit, r.sampler.last, now):
			r.start(l, now)
		}
	}
}

// start begins to start a worker on l, for the batch under way there or for a new
// one.
func (r *run) start(l *lane, now time.Time) {
	r.throttle.resume(pauseCooldown, now)
	b := l.takeBatch()
	if b == nil {
		r.report.stats.Batches++
		n := r.report.stats.Batches
		if r.cfg.NextBatch != nil {
			n = r.cfg.NextBatch()
		}
		b = newBatch(n, r.cfg.BatchSize, now)
		r.report.batchStarted(b, r.sampler.system())
	}
	w := r.workers.add(l, b, &r.budget.expected, now)
	r.report.stats.Workers++
	w.oomKills = r.cfg.samplers.OOMKills()
	var onLine func(string)
	if r.cfg.Output != nil {
		onLine = func(line string) { r.cfg.Output(w.n, line) }
	}
	r.starter.work <- func() { startProc(w, r.cfg.launch, r.cfg.Command(w.n), r.events.send, onLine) }
}

// expire kills workers that have taken too long, and gives up those that do not
// die of it.
func (r *run) expire(now time.Time) {
	for w := range r.workers.live {
		if w.proc == nil || now.Before(w.deadline(r.cfg.Timeout)) {
			continue
		}
		warning, wait := w.expire(r.cfg.Timeout, now)
		if warning != "" {
			r.report.warn("%s", warning)
		}
		if !wait {
			r.abandon(w, now)
		}
	}
}

// endBatch reports the end of a batch, once, and lets the lane rest.
func (r *run) endBatch(b *batch, l *lane, now time.Time) {
	if l.batch == b {
		l.batch = nil
	}
	if l.pending == b {
		l.pending = nil
	}
	if b.state == batchEnded {
		return
	}
	b.state = batchEnded
	r.report.batchEnded(b, now)
	if r.cfg.Cooldown > 0 && !r.end.stopping && !(r.source.finished && r.photos.empty()) {
		l.restsUntil = now.Add(r.cfg.Cooldown)
		if r.throttle.pause(pauseCooldown, now) {
			r.report.info("Cooling down for %s", roundText(r.cfg.Cooldown))
		}
	}
}
