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
		r.lastBatch++
		b = newBatch(r.lastBatch, r.cfg.BatchSize, now)
		r.stats.Batches++
		r.sayBatch(b)
		r.observe(Event{Kind: EventBatchStart, Batch: b.n})
	}
	if s.cur == nil {
		s.batch = b
	}
	r.lastWorker++
	r.stats.Workers++
	w := &worker{n: r.lastWorker, seat: s, batch: b, started: now, seen: now, flights: map[uint64]*flight{}}
	w.oomKills = r.cfg.Samplers.OOMKills()
	r.live[w] = struct{}{}
	var each func(string)
	if r.cfg.Output != nil {
		each = func(line string) { r.cfg.Output(w.n, line) }
	}
	r.starter.work <- func() { startProc(w, r.cfg.Command(w.n), r.send, each) }
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
		if rep.Alive.Mem > 0 {
			w.mem.now = rep.Alive.Mem
			r.checkMemory(w, now)
		}
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
	w.mem.now, w.mem.loaded, w.mem.warm = h.Mem, h.Mem, h.Mem
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
	w.batch.answered++
	w.answerAt = now
	w.mem.answer(a.Mem, r.atOnce+1)
	r.deliverAnswer(w, f, a, now)
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
	w.state, w.verdict = dying, why
	if w.p != nil {
		w.p.kill()
	}
}

// dismiss ends a worker through no fault of its own.
func (r *run) dismiss(w *worker) {
	w.state, w.dismissed = dying, true
	if w.p != nil {
		w.p.kill()
	}
}

// expire kills what has taken too long.
func (r *run) expire(now time.Time) {
	for w := range r.live {
		if w.state == dying || w.p == nil || now.Before(r.deadline(w)) {
			continue
		}
		switch f := w.oldest(); {
		case w.state == starting:
			r.kill(w, death{DeathSilence, "said nothing for " + roundText(r.cfg.StartTimeout) + " after its start"}, now)
		case f != nil && r.cfg.Timeout > 0 && now.Sub(f.out) >= r.cfg.Timeout:
			w.guilty = f
			r.kill(w, death{DeathTimeout, "no answer within " + roundText(r.cfg.Timeout)}, now)
		case w.state == leaving && f == nil:
			r.warn("Worker %d (pid %d) has done its work but does not leave, it is killed", w.n, w.p.pid)
			r.dismiss(w)
		default:
			r.kill(w, death{DeathSilence, "gave no sign of life for " + roundText(r.cfg.Silence)}, now)
		}
	}
}

// deadline is when w has taken too long, for whatever it is at.
func (r *run) deadline(w *worker) time.Time {
	switch w.state {
	case starting:
		return w.started.Add(r.cfg.StartTimeout)
	case dying:
		return time.Time{}
	}
	t := w.seen.Add(r.cfg.Silence)
	f := w.oldest()
	if f != nil && r.cfg.Timeout > 0 && f.out.Add(r.cfg.Timeout).Before(t) {
		t = f.out.Add(r.cfg.Timeout)
	}
	if f == nil && w.state == leaving {
		idle := w.answerAt
		if w.leaveAt.After(idle) {
			idle = w.leaveAt
		}
		if idle = idle.Add(r.cfg.LeaveTimeout); idle.Before(t) {
			t = idle
		}
	}
	return t
}

// oldest is the photo that has been in flight longest, nil if there is none.
func (w *worker) oldest() *flight {
	var first *flight
	for _, f := range w.flights {
		if first == nil || f.id < first.id {
			first = f
		}
	}
	return first
}

// onExit buries a worker. All that it said has been heard before.
func (r *run) onExit(w *worker, err error, now time.Time) {
	w.p.close()
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
	reason := w.leave
	if reason == "" {
		reason = ReasonStop
	}
	r.sayExit(w, reason, "", now)
	if w.batch.left <= 0 || w.batch.over || r.stopping || r.fed && r.q.empty() {
		r.endBatch(w.batch, w.seat, now)
	}
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

// died draws the conclusions from a death: what becomes of the photos that were
// in flight, how long to wait, and whether to go on at all.
func (r *run) died(w *worker, d death, words []string, now time.Time) {
	r.stats.Deaths[d.kind]++
	r.sayExit(w, string(d.kind), d.detail, now)
	pid := 0
	if w.p != nil {
		pid = w.p.pid
	}
	r.warn("Worker %d (pid %d) died (%s): %s; %s", w.n, pid, d.kind, d.detail, fate(len(w.flights)))
	for _, line := range words {
		r.cfg.Log.Debug(fmt.Sprintf("Worker %d: %s", w.n, line))
	}
	r.deaths++
	r.backoff = now.Add(r.backoffTime())
	r.judge(w, d, now)
	if w.batch.left <= 0 || w.batch.over {
		r.endBatch(w.batch, w.seat, now)
	}
	if r.deaths >= r.cfg.MaxDeaths && r.end == nil {
		r.fail(&DeathsError{Deaths: r.deaths, Kind: d.kind, Detail: d.detail, Words: words})
	}
}

func fate(n int) string {
	if n == 0 {
		return "no photo was in flight"
	}
	return count(n, "photo") + " in flight will be tried again"
}

func (r *run) backoffTime() time.Duration {
	d := r.cfg.BackoffMin
	for range r.deaths - 1 {
		if d *= 2; d >= r.cfg.BackoffMax {
			return r.cfg.BackoffMax
		}
	}
	return d
}

// judge decides for each photo that was in flight at a death. Only one that was
// alone can be guilty; several are suspects, and will be alone next time.
//
// A photo that took too long is known by the clock. The others are innocent if
// the worker went on answering meanwhile; if it did not, the whole engine hung,
// and the one that hung it may be any of them.
func (r *run) judge(w *worker, d death, now time.Time) {
	photos := w.inOrder()
	lonely := len(photos) == 1 && r.inFlight() == 0
	if len(photos) > 1 && d.memoryKind() && r.atOnce > 1 {
		r.calm = 0
		r.atOnce = max(1, r.atOnce/2)
		r.warn("Memory was not enough: at most %s at once from now on", count(r.atOnce, "photo"))
	}
	var innocent []*photo
	for _, f := range photos {
		p := f.photo
		switch {
		case p.known:
			continue // it has its description
		case d.kind == DeathTimeout && f != w.guilty:
			if now.Sub(w.answerAt) < r.cfg.Timeout/2 {
				innocent = append(innocent, p)
			} else {
				r.q.suspect(p)
			}
		case d.kind == DeathTimeout:
			r.convict(w, f, d, now)
			continue
		case len(photos) > 1:
			p.exclusive = p.exclusive || d.memoryKind()
			r.q.suspect(p)
		case d.memoryKind() && d.kind != DeathMemory && !lonely:
			// Others were at work beside it, so it need not have been this one.
			p.exclusive = true
			r.q.suspect(p)
		default:
			r.convict(w, f, d, now)
			continue
		}
		r.back(w, p, d)
	}
	r.q.putBack(innocent)
}

// convict charges a photo; it is tried again or has its verdict.
func (r *run) convict(w *worker, f *flight, d death, now time.Time) {
	p := f.photo
	failure := p.blame(d)
	if failure == nil {
		r.q.suspect(p)
		r.back(w, p, d)
		return
	}
	w.batch.answered++
	// Whoever is given the result says it aloud; that may be later, see hold.
	r.cfg.Log.Debug(fmt.Sprintf("%q is given up after %s: %s", p.path, count(p.attempts, "attempt"), failure.Message))
	r.hold(Result{Path: p.path, Attempts: p.attempts, Failure: failure, Batch: w.batch.n, Seconds: now.Sub(f.out).Seconds()})
}

// back notes that a photo is unfinished and its place in the batch free again.
func (r *run) back(w *worker, p *photo, d death) {
	w.batch.left++
	r.observe(Event{Kind: EventPhotoBack, Batch: w.batch.n, Worker: w.n, Path: p.path, Attempt: p.attempts, Reason: string(d.kind)})
}

// inOrder is what is in flight, first handed out first.
func (w *worker) inOrder() []*flight {
	var fs []*flight
	for len(w.flights) > 0 {
		f := w.oldest()
		delete(w.flights, f.id)
		fs = append(fs, f)
	}
	return fs
}
