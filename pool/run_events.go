package pool

import (
	"errors"
	"fmt"
	"time"

	"photodesc/internal/wording"
)

// This file acts on what workers, samples and the storage probe report.

func (r *run) onStarted(w *worker, p *proc, err error, now time.Time) {
	if err != nil {
		r.workers.remove(w)
		if !w.end.cancelled {
			r.handleDeath(w, death{DeathStart, err.Error()}, nil, now)
		}
		return
	}
	w.proc = p
	w.times.started, w.times.seen = now, now
	r.report.observe(Event{Kind: EventWorkerStart, Batch: w.batch.n, Worker: w.n, PID: p.pid})
	if w.state == dying {
		w.times.killed = now
		p.kill()
	}
}

func (r *run) onReport(w *worker, rep report, now time.Time) {
	if w.end.death.kind == DeathProtocol {
		return // nothing it sends is trusted any more
	}
	w.times.seen = now
	switch {
	case rep.Hello != nil:
		r.onHello(w, rep.Hello, now)
	case rep.Fatal != nil:
		r.onFatal(w, rep.Fatal, now)
	case rep.Alive != nil:
		w.mem.reported(rep.Alive.Mem, now)
		r.budget.check(w, now)
	case rep.Question != nil:
		r.onQuestion(w, rep.Question)
	case rep.Result != nil:
		r.onAnswer(w, rep.Result, now)
	}
}

func (r *run) onHello(w *worker, h *hello, now time.Time) {
	switch {
	case w.ended():
		return
	case w.state != starting:
		w.breakProtocol(errors.New("it said hello twice"), now)
		return
	case h.Protocol != ProtocolVersion:
		w.breakProtocol(fmt.Errorf("it speaks protocol %d, this program speaks %d: was photodesc replaced during the run?", h.Protocol, ProtocolVersion), now)
		return
	case r.cfg.Version != "" && h.Version != r.cfg.Version:
		w.breakProtocol(fmt.Errorf("it is version %q, this program is %q: was photodesc replaced during the run?", h.Version, r.cfg.Version), now)
		return
	}
	took := now.Sub(w.times.started)
	w.state = ready
	w.mem.hello(h.Mem)
	r.loads.add(took)
	r.report.workerReady(w, h, took)
	r.budget.check(w, now)
}

// onFatal ends the run if no worker has loaded yet. Other workers finish what
// they have.
func (r *run) onFatal(w *worker, f *Failure, now time.Time) {
	switch {
	case w.ended():
	case w.state != starting:
		w.breakProtocol(errors.New("it could not start after it had started"), now)
	case r.loads.n > 0:
		// The model has loaded before, so the cause will pass: the disk of the
		// model, or another program that uses the GPU's memory.
		w.kill(death{DeathStart, "could not load: " + f.Message}, now)
	default:
		if r.end.err == nil {
			r.end.err = &FatalError{Kind: f.Kind, Message: f.Message}
		}
		w.cancel(now)
		r.stop()
	}
}

func (r *run) onAnswer(w *worker, answered *answer, now time.Time) {
	a := w.takeAttempt(answered.ID, now)
	if a == nil {
		w.breakProtocol(fmt.Errorf("it answered job %d, which it does not have", answered.ID), now)
		return
	}
	w.answered++
	w.times.answer = now
	w.lane.progress.answer(w.lane.inFlight()+1, photoTime(r.workers.lanes), now)
	r.report.answered(a, r.workers, now)
	w.mem.reported(answered.Mem, now)
	w.mem.answered(len(w.attempts), r.concurrency.limit+1)
	f := answered.Failure
	if f != nil && f.ReadError && r.storage.enabled && !a.photo.probe {
		r.onProbe(r.storage.add(pendingRead{attempt: a, failure: f}), now)
	} else {
		a.batch.answered++
		r.finish(a, answered)
	}
	r.budget.check(w, now)
}

// finish delivers an answer and learns from it.
func (r *run) finish(a *attempt, answered *answer) {
	if !a.photo.probe {
		res := a.result(answered.Failure)
		res.Data = answered.Data
		r.delivery.add(res)
	}
	if answered.Failure != nil { // the worker works, which says little about the model
		if a.photo.probe {
			r.photos.probeFailed()
		}
		return
	}
	r.storage.described()
	if a.unneeded { // it was read, which says nothing about the model
		return
	}
	r.photos.described(a.photo.path)
	r.streak.described()
	r.delivery.add(r.delivery.release()...)
	r.concurrency.succeededIn(a.took)
	if r.concurrency.succeeded() {
		r.report.info("Memory has been enough for a while: %s at once from now on", wording.Count(r.concurrency.limit, "photo"))
	}
}

// onExit takes a worker off the books. All that it reported has arrived before.
func (r *run) onExit(w *worker, err error, now time.Time) {
	w.proc.close()
	if w.state == abandoned {
		return
	}
	inOrder := w.leftInOrder()
	r.workers.remove(w)
	if !inOrder {
		d := w.end.death
		if d.kind == deathNone {
			d = classify(err, w.proc.stderr, r.cfg.samplers.OOMKills()-w.oomKills)
		}
		r.handleDeath(w, d, w.proc.stderr.lines(), now)
		return
	}
	if err != nil && !w.end.cancelled {
		d := classify(err, w.proc.stderr, 0)
		r.report.warn("Worker %d (pid %d) ended badly after its work was done: %s", w.n, w.pid(), d.detail)
	}
	r.handleLeave(w, now)
}

// abandon gives up waiting for the exit of a worker that was killed, such as one
// that the system holds in a read of a disk that does not answer.
func (r *run) abandon(w *worker, now time.Time) {
	r.report.warn("Worker %d (pid %d) was killed and does not die; the run goes on without it", w.n, w.pid())
	w.state = abandoned
	r.workers.remove(w)
	if w.end.cancelled {
		r.handleLeave(w, now)
	} else {
		r.handleDeath(w, w.end.death, w.proc.stderr.lines(), now)
	}
}

// handleLeave notes that a worker has left in order, or through no fault of its own.
func (r *run) handleLeave(w *worker, now time.Time) {
	reason := w.end.reason
	if reason == "" {
		reason = ReasonStop
	}
	r.report.workerExited(w, reason, "", now)
	if w.batch.over() || r.end.stopping || r.source.finished && r.photos.empty() {
		r.endBatch(w.batch, w.lane, now)
	}
}

// handleDeath requeues the photos that were in flight, sets the back-off before
// the next worker and ends the run after too many deaths in a row.
func (r *run) handleDeath(w *worker, d death, stderr []string, now time.Time) {
	r.report.workerDied(w, d, stderr, now)
	// A worker that hangs in storage that is unavailable is no sign of a broken model.
	r.streak.add(d, r.storage.unavailable != "", now)
	attempts := w.takeAttempts(now)
	if len(attempts) > 1 && d.isMemory() && r.concurrency.halve() {
		why := "Memory was not enough"
		if d.kind == DeathKilled {
			why = "Perhaps memory was short" // macOS and earlyoom do not say so
		}
		r.report.warn("%s: at most %s at once for now", why, wording.Count(r.concurrency.limit, "photo"))
	}
	if t := w.end.timedOut; t != nil && len(attempts) > 1 && r.storage.unavailable == "" && r.concurrency.timedOut(t.began, now) {
		r.report.warn("Perhaps photos wait too long for one another: at most %s at once from now on", wording.Count(r.concurrency.limit, "photo"))
	}
	for _, res := range r.photos.resolve(d, attempts, circumstances{
		timedOut:     w.end.timedOut,
		answering:    now.Sub(w.times.answer) < r.cfg.Timeout/2,
		poolIdle:     r.workers.inFlight() == 0,
		checkStorage: r.storage.enabled,
	}) {
		r.settle(res, d, now)
	}
	if w.batch.over() {
		r.endBatch(w.batch, w.lane, now)
	}
	if r.streak.tooLong() && r.end.err == nil {
		r.fail(r.streak.err())
	}
}

// settle acts on what the quarantine has decided about an attempt.
func (r *run) settle(res resolution, d death, now time.Time) {
	switch res.outcome {
	case outcomeRetry:
		res.requeue(r.report.trace)
	case outcomeCheck:
		r.onProbe(r.storage.add(pendingRead{attempt: res.attempt, death: d}), now)
	case outcomeFail:
		res.batch.answered++
		// The caller logs the failure when it is delivered, which may be later.
		r.report.debug("%q is given up after %s: %s", res.photo.path, wording.Count(res.photo.attempts, "attempt"), res.failure.Message)
		r.delivery.hold(res.result(res.failure))
	}
}

// probeStorage begins the probe of a photo when one is due.
func (r *run) probeStorage(now time.Time) {
	if r.storage.overdue(now) {
		r.onProbe(r.storage.expire(now), now)
	}
	if r.end.stopping {
		return
	}
	if path, ok := r.storage.next(now); ok {
		go func() { r.events.send(evStorageProbe{path, r.cfg.ProbeStorage(path)}) }()
	}
}

// evStorageProbe is what Config.ProbeStorage has returned.
type evStorageProbe struct {
	path string
	err  error
}

// onProbe acts on what the storage probe has decided.
func (r *run) onProbe(d probeDecision, now time.Time) {
	if d.warning != "" {
		r.report.warn("%s", d.warning)
	}
	switch d.change {
	case becameUnavailable:
		r.streak.reset() // the deaths say nothing about the model
		r.throttle.storageUnavailable(now)
	case becameAvailable:
		r.throttle.storageAvailable(now)
		r.report.info("The photos can be reached again, the run goes on")
	}
	for _, p := range d.retry {
		r.photos.putBack(p.photo)
		p.requeue(r.report.trace)
	}
	if d.replaceWorkers {
		// They can read only the folder as it was when they were started.
		r.workers.replaceAll(ReasonFolder, now)
	}
	if p := d.charge; p != nil {
		r.settle(r.photos.charge(p.attempt, p.death), p.death, now)
	}
	if p := d.fail; p != nil {
		p.batch.answered++
		r.delivery.add(p.result(p.failure))
	}
}

// onSample acts on what the machine looks like.
func (r *run) onSample(s sample, now time.Time) {
	if first := r.sampler.received(s); first && r.cfg.MaxTemp > 0 && !s.hasHeat {
		r.report.warn("No temperature sensor can be read: the limit of %.0f °C has no effect", r.cfg.MaxTemp)
	}
	var all uint64
	for w := range r.workers.live {
		if w.proc != nil {
			w.mem.sampled(s.workers[w.proc.pid], r.sampler.askedAt)
		}
		all += w.mem.current
		r.budget.check(w, now)
	}
	r.report.stats.PeakWorkers = max(r.report.stats.PeakWorkers, all)
	if warning := r.throttle.sampled(s, now); warning != "" {
		r.report.warn("%s", warning)
	}
	n, ages := r.workers.inFlightAges(now)
	r.report.observe(Event{Kind: EventMemory, WorkerBytes: all, Memory: s.system.UsedPercent, CPU: max(s.cpu, 0),
		Celsius: s.celsius, InFlight: n, Ages: ages.Seconds()})
}
