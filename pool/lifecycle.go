package pool

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// This file follows a worker through its life: start, hello, answers, and the
// end, whichever way it comes.

// start begins to start a worker on s, for the batch that is under way there or
// for a new one.
func (r *run) start(s *lane, now time.Time) *worker {
	r.resume(pauseCooldown, now)
	b := s.batch
	if b == nil || s.cur != nil { // a worker started ahead has a batch of its own
		b, s.pending = s.pending, nil
	}
	if b == nil {
		r.stats.Batches++
		n := r.stats.Batches
		if r.cfg.NextBatch != nil {
			n = r.cfg.NextBatch()
		}
		b = newBatch(n, r.cfg.BatchSize, now)
		r.sayBatch(b)
		r.observe(Event{Kind: EventBatchStart, Batch: b.n})
	}
	if s.cur == nil {
		s.batch = b
	}
	r.lastWorker++
	r.stats.Workers++
	w := &worker{n: r.lastWorker, lane: s, batch: b, started: now, lastSeen: now, attempts: map[uint64]*attempt{}, mem: memoryTrack{expected: &r.expected}}
	w.oomKills = r.cfg.Samplers.OOMKills()
	r.live[w] = struct{}{}
	var each func(string)
	if r.cfg.Output != nil {
		each = func(line string) { r.cfg.Output(w.n, line) }
	}
	r.starter.work <- func() { startProc(w, r.cfg.Command(w.n), r.cfg.endGroup, r.send, each) }
	return w
}

// send is how other goroutines tell the loop.
func (r *run) send(ev any) {
	select {
	case r.events <- ev:
	case <-r.quit:
	}
}

func (r *run) sayBatch(b *batch) {
	if !r.sampled { // the first batch starts before the first sample
		if m, err := r.cfg.Samplers.System(); err == nil {
			r.lastSample.system, r.lastSample.hasSys, r.lastSample.cpu = m, true, -1
		}
	}
	if r.lastSample.hasSys {
		stats := fmt.Sprintf("System stats - Memory: %.1f%%", r.lastSample.system.UsedPercent)
		if r.lastSample.cpu >= 0 {
			stats += fmt.Sprintf(", CPU: %.1f%%", r.lastSample.cpu)
		}
		r.info("%s", stats)
	}
	if b.remaining == math.MaxInt {
		r.info("Batch %d starts", b.n)
	} else {
		r.info("Batch %d starts, up to %s", b.n, count(b.remaining, "photo"))
	}
}

func (r *run) onStarted(w *worker, p *proc, err error, now time.Time) {
	if err != nil {
		r.remove(w)
		if !w.cancelled {
			r.handleExit(w, death{DeathStart, err.Error()}, nil, now)
		}
		return
	}
	w.p = p
	w.started, w.lastSeen = now, now
	r.observe(Event{Kind: EventWorkerStart, Batch: w.batch.n, Worker: w.n, PID: p.pid})
	if w.state == dying {
		w.killedAt = now
		p.kill()
	}
}

func (r *run) onReport(w *worker, rep report, now time.Time) {
	if w.killedFor.kind == DeathProtocol {
		return // it has lost our trust
	}
	w.lastSeen = now
	switch {
	case rep.Hello != nil:
		r.onHello(w, rep.Hello, now)
	case rep.Fatal != nil:
		r.onFatal(w, rep.Fatal, now)
	case rep.Alive != nil:
		w.mem.reported(rep.Alive.Mem, now)
		r.checkMemory(w, now)
	case rep.Result != nil:
		r.onAnswer(w, rep.Result, now)
	}
}

func (r *run) onHello(w *worker, h *hello, now time.Time) {
	switch {
	case w.state == dying:
		return
	case w.state != starting:
		r.breakProtocol(w, errors.New("it said hello twice"), now)
		return
	case h.Protocol != ProtocolVersion:
		r.breakProtocol(w, fmt.Errorf("it speaks protocol %d, this program speaks %d: was photodesc replaced during the run?", h.Protocol, ProtocolVersion), now)
		return
	case r.cfg.Version != "" && h.Version != r.cfg.Version:
		r.breakProtocol(w, fmt.Errorf("it is version %q, this program is %q: was photodesc replaced during the run?", h.Version, r.cfg.Version), now)
		return
	}
	took := now.Sub(w.started)
	w.state = ready
	w.mem.loadedWith(h.Mem)
	r.loads++
	r.loadSum += took
	r.lastLoad = took
	r.info("Worker %d (pid %d) is ready after %s", w.n, w.p.pid, roundText(took))
	r.observe(Event{Kind: EventWorkerReady, Batch: w.batch.n, Worker: w.n, PID: w.p.pid, Seconds: took.Seconds(),
		WorkerBytes: h.Mem, Info: h.Info})
	r.checkMemory(w, now)
}

// onFatal ends the run, but lets other workers finish what they have.
func (r *run) onFatal(w *worker, f *Failure, now time.Time) {
	if w.state == dying {
		return
	}
	if w.state != starting {
		r.breakProtocol(w, errors.New("it could not start after it had started"), now)
		return
	}
	if r.loads > 0 {
		// It has loaded before, so this will pass: the disk of the model, or
		// somebody else's hand on the GPU's memory.
		r.kill(w, death{DeathStart, "could not load: " + f.Message}, now)
		return
	}
	if r.end == nil {
		r.end = &FatalError{Kind: f.Kind, Message: f.Message}
	}
	r.cancel(w)
	r.stop()
}

func (r *run) onAnswer(w *worker, a *answer, now time.Time) {
	f := w.attempts[a.ID]
	if f == nil {
		if w.state != dying {
			r.breakProtocol(w, fmt.Errorf("it answered job %d, which it does not have", a.ID), now)
		}
		return
	}
	delete(w.attempts, a.ID)
	w.answered++
	w.answeredAt = now
	w.mem.reported(a.Mem, now)
	w.mem.answered(len(w.attempts), r.inFlightLimit+1)
	if r.isReadError(f, a) {
		r.holdReadError(w, f, a, now)
	} else {
		w.batch.answered++
		r.deliverAnswer(w, f, a, now)
	}
	r.checkMemory(w, now)
}

func (r *run) deliverAnswer(w *worker, f *attempt, a *answer, now time.Time) {
	if !f.photo.probe {
		r.deliver(Result{Path: f.photo.path, Attempts: f.photo.attempts, Data: a.Data, Failure: a.Failure,
			Batch: w.batch.n, Seconds: now.Sub(f.began).Seconds()})
	}
	switch {
	case a.Failure != nil && f.photo.probe:
		r.knownReadable = "" // gone, or changed: it proves nothing
		return
	case a.Failure != nil:
		return // the worker works, but that says little about the model
	}
	r.knownReadable = f.photo.path
	r.trusted = false
	r.deaths, r.backoffUntil = 0, time.Time{}
	r.releaseHeld()
	if r.successesSinceOOM++; r.inFlightLimit < r.cfg.InFlight && r.successesSinceOOM >= successesToGrow {
		r.successesSinceOOM = 0
		r.inFlightLimit = min(2*r.inFlightLimit, r.cfg.InFlight)
		r.info("Memory has been enough for a while: %s at once from now on", count(r.inFlightLimit, "photo"))
	}
}

// successesToGrow is how many photos must succeed after an OOM kill before more of
// them are put in flight together again.
const successesToGrow = 200

// breakProtocol ends a worker whose word means nothing any more.
func (r *run) breakProtocol(w *worker, err error, now time.Time) {
	if w.state == dying {
		return
	}
	r.kill(w, death{DeathProtocol, "broke the protocol: " + err.Error()}, now)
}

// kill ends a worker for a reason that counts as its death.
func (r *run) kill(w *worker, why death, now time.Time) {
	w.state, w.killedFor, w.killedAt = dying, why, now
	if w.p != nil {
		w.p.kill()
	}
}

// cancel ends a worker through no fault of its own.
func (r *run) cancel(w *worker) {
	w.state, w.cancelled, w.killedAt = dying, true, time.Now()
	if w.p != nil {
		w.p.kill()
	}
}

// onExit buries a worker. All that it said has been heard before.
func (r *run) onExit(w *worker, err error, now time.Time) {
	w.p.close()
	if w.abandoned {
		return
	}
	expected := w.expected()
	r.remove(w)
	if !expected {
		d := w.killedFor
		if d.kind == deathNone {
			d = classify(err, w.p.stderr, r.cfg.Samplers.OOMKills()-w.oomKills)
		}
		r.handleExit(w, d, w.p.stderr.lines(), now)
		return
	}
	if err != nil && !w.cancelled {
		d := classify(err, w.p.stderr, 0)
		r.warn("Worker %d (pid %d) ended badly after its work was done: %s", w.n, w.p.pid, d.detail)
	}
	r.handleLeave(w, now)
}

// handleLeave notes that a worker has gone in good order, or through no fault of its own.
func (r *run) handleLeave(w *worker, now time.Time) {
	reason := w.leaveReason
	if reason == "" {
		reason = ReasonStop
	}
	r.sayExit(w, reason, "", now)
	if w.batch.remaining <= 0 || w.batch.superseded || r.stopping || r.jobsDone && r.queue.empty() {
		r.endBatch(w.batch, w.lane, now)
	}
}

// abandon gives up waiting for the exit of a worker that was killed, as when the
// system holds it in a read of a disk that does not answer.
func (r *run) abandon(w *worker, now time.Time) {
	r.warn("Worker %d (pid %d) was killed and does not die; the run goes on without it", w.n, w.p.pid)
	w.abandoned = true
	r.remove(w)
	if !w.cancelled {
		r.handleExit(w, w.killedFor, w.p.stderr.lines(), now)
		return
	}
	r.handleLeave(w, now)
}

// remove takes a worker off the books; its batch stays with the lane.
func (r *run) remove(w *worker) {
	delete(r.live, w)
	s := w.lane
	switch w {
	case s.cur:
		s.cur, s.batch = nil, w.batch
		if s.next != nil {
			// The one loaded ahead has a batch of its own to be getting on with.
			w.batch.superseded = true
			s.cur, s.next, s.batch = s.next, nil, s.next.batch
		}
	case s.next:
		s.next, s.pending = nil, w.batch
	}
}

// endBatch says so, once, and lets the lane rest.
func (r *run) endBatch(b *batch, s *lane, now time.Time) {
	if s.batch == b {
		s.batch = nil
	}
	if s.pending == b {
		s.pending = nil
	}
	if b.ended {
		return
	}
	b.ended = true
	took := now.Sub(b.began)
	r.info("Batch %d ends: %s in %s", b.n, count(b.answered, "photo"), roundText(took))
	r.observe(Event{Kind: EventBatchEnd, Batch: b.n, Photos: b.answered, Seconds: took.Seconds()})
	if r.cfg.Cooldown > 0 && !r.stopping && !(r.jobsDone && r.queue.empty()) {
		s.cool = now.Add(r.cfg.Cooldown)
		r.pause(pauseCooldown, "Cooling down for "+roundText(r.cfg.Cooldown), now)
	}
}

func (r *run) sayExit(w *worker, reason, message string, now time.Time) {
	pid := 0
	if w.p != nil {
		pid = w.p.pid
	}
	r.observe(Event{Kind: EventWorkerExit, Batch: w.batch.n, Worker: w.n, PID: pid, Reason: reason, Message: message,
		Photos: w.answered, Seconds: now.Sub(w.started).Seconds()})
}
