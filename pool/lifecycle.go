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
func (r *run) start(s *seat, now time.Time) *worker {
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
	w := &worker{n: r.lastWorker, seat: s, batch: b, started: now, seen: now, flights: map[uint64]*flight{}, mem: memoryTrack{usual: &r.usual}}
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
			r.last.system, r.last.hasSys, r.last.cpu = m, true, -1
		}
	}
	if r.last.hasSys {
		stats := fmt.Sprintf("System stats - Memory: %.1f%%", r.last.system.UsedPercent)
		if r.last.cpu >= 0 {
			stats += fmt.Sprintf(", CPU: %.1f%%", r.last.cpu)
		}
		r.info("%s", stats)
	}
	if b.left == math.MaxInt {
		r.info("Batch %d starts", b.n)
	} else {
		r.info("Batch %d starts, up to %s", b.n, count(b.left, "photo"))
	}
}

func (r *run) onStarted(w *worker, p *proc, err error, now time.Time) {
	if err != nil {
		r.remove(w)
		if !w.dismissed {
			r.died(w, death{DeathStart, err.Error()}, nil, now)
		}
		return
	}
	w.p = p
	w.started, w.seen = now, now
	r.observe(Event{Kind: EventWorkerStart, Batch: w.batch.n, Worker: w.n, PID: p.pid})
	if w.state == dying {
		w.killed = now
		p.kill()
	}
}

func (r *run) onReport(w *worker, rep report, now time.Time) {
	if w.verdict.kind == DeathProtocol {
		return // it has lost our trust
	}
	w.seen = now
	switch {
	case rep.Hello != nil:
		r.onHello(w, rep.Hello, now)
	case rep.Fatal != nil:
		r.onFatal(w, rep.Fatal, now)
	case rep.Alive != nil:
		w.mem.says(rep.Alive.Mem, now)
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
		r.broken(w, errors.New("it said hello twice"), now)
		return
	case h.Protocol != ProtocolVersion:
		r.broken(w, fmt.Errorf("it speaks protocol %d, this program speaks %d: was photodesc replaced during the run?", h.Protocol, ProtocolVersion), now)
		return
	case r.cfg.Version != "" && h.Version != r.cfg.Version:
		r.broken(w, fmt.Errorf("it is version %q, this program is %q: was photodesc replaced during the run?", h.Version, r.cfg.Version), now)
		return
	}
	took := now.Sub(w.started)
	w.state = ready
	w.mem.hello(h.Mem)
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
		r.broken(w, errors.New("it could not start after it had started"), now)
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
	r.dismiss(w)
	r.stop()
}

func (r *run) onAnswer(w *worker, a *answer, now time.Time) {
	f := w.flights[a.ID]
	if f == nil {
		if w.state != dying {
			r.broken(w, fmt.Errorf("it answered job %d, which it does not have", a.ID), now)
		}
		return
	}
	delete(w.flights, a.ID)
	w.answered++
	w.answerAt = now
	w.mem.says(a.Mem, now)
	w.mem.answer(len(w.flights), r.atOnce+1)
	if r.doubtful(f, a) {
		r.doubt(w, f, a, now)
	} else {
		w.batch.answered++
		r.deliverAnswer(w, f, a, now)
	}
	r.checkMemory(w, now)
}

func (r *run) deliverAnswer(w *worker, f *flight, a *answer, now time.Time) {
	if !f.photo.known {
		r.deliver(Result{Path: f.photo.path, Attempts: f.photo.attempts, Data: a.Data, Failure: a.Failure,
			Batch: w.batch.n, Seconds: now.Sub(f.out).Seconds()})
	}
	switch {
	case a.Failure != nil && f.photo.known:
		r.good = "" // gone, or changed: it proves nothing
		return
	case a.Failure != nil:
		return // the worker works, but that says little about the model
	}
	r.good = f.photo.path
	r.plain = false
	r.deaths, r.backoff = 0, time.Time{}
	r.release()
	if r.calm++; r.atOnce < r.cfg.InFlight && r.calm >= calmEnough {
		r.calm = 0
		r.atOnce = min(2*r.atOnce, r.cfg.InFlight)
		r.info("Memory has been enough for a while: %s at once from now on", count(r.atOnce, "photo"))
	}
}

// calmEnough is how many photos must succeed after an OOM kill before more of
// them are put in flight together again.
const calmEnough = 200

// broken ends a worker whose word means nothing any more.
func (r *run) broken(w *worker, err error, now time.Time) {
	if w.state == dying {
		return
	}
	r.kill(w, death{DeathProtocol, "broke the protocol: " + err.Error()}, now)
}

// kill ends a worker for a reason that counts as its death.
func (r *run) kill(w *worker, why death, now time.Time) {
	w.state, w.verdict, w.killed = dying, why, now
	if w.p != nil {
		w.p.kill()
	}
}

// dismiss ends a worker through no fault of its own.
func (r *run) dismiss(w *worker) {
	w.state, w.dismissed, w.killed = dying, true, time.Now()
	if w.p != nil {
		w.p.kill()
	}
}

// onExit buries a worker. All that it said has been heard before.
func (r *run) onExit(w *worker, err error, now time.Time) {
	w.p.close()
	if w.buried {
		return
	}
	expected := w.expected()
	r.remove(w)
	if !expected {
		d := w.verdict
		if d.kind == deathNone {
			d = classify(err, w.p.words, r.cfg.Samplers.OOMKills()-w.oomKills)
		}
		r.died(w, d, w.p.words.lines(), now)
		return
	}
	if err != nil && !w.dismissed {
		d := classify(err, w.p.words, 0)
		r.warn("Worker %d (pid %d) ended badly after its work was done: %s", w.n, w.p.pid, d.detail)
	}
	r.left(w, now)
}

// left notes that a worker has gone in good order, or through no fault of its own.
func (r *run) left(w *worker, now time.Time) {
	reason := w.leave
	if reason == "" {
		reason = ReasonStop
	}
	r.sayExit(w, reason, "", now)
	if w.batch.left <= 0 || w.batch.over || r.stopping || r.fed && r.q.empty() {
		r.endBatch(w.batch, w.seat, now)
	}
}

// bury gives up waiting for the exit of a worker that was killed, as when the
// system holds it in a read of a disk that does not answer.
func (r *run) bury(w *worker, now time.Time) {
	r.warn("Worker %d (pid %d) was killed and does not die; the run goes on without it", w.n, w.p.pid)
	w.buried = true
	r.remove(w)
	if !w.dismissed {
		r.died(w, w.verdict, w.p.words.lines(), now)
		return
	}
	r.left(w, now)
}

// remove takes a worker off the books; its batch stays with the seat.
func (r *run) remove(w *worker) {
	delete(r.live, w)
	s := w.seat
	switch w {
	case s.cur:
		s.cur, s.batch = nil, w.batch
		if s.next != nil {
			// The one loaded ahead has a batch of its own to be getting on with.
			w.batch.over = true
			s.cur, s.next, s.batch = s.next, nil, s.next.batch
		}
	case s.next:
		s.next, s.pending = nil, w.batch
	}
}

// endBatch says so, once, and lets the seat rest.
func (r *run) endBatch(b *batch, s *seat, now time.Time) {
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
	if r.cfg.Cooldown > 0 && !r.stopping && !(r.fed && r.q.empty()) {
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
