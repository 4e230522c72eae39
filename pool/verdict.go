package pool

import (
	"fmt"
	"time"
)

// This file draws the conclusions from a death.

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
	if !r.gate.gone { // what hangs in a folder that is gone is no sign of a broken model
		r.deaths++
	}
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
	for range max(r.deaths-1, 0) {
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
		why := "Memory was not enough"
		if d.kind == DeathKilled {
			why = "Perhaps memory was short" // macOS and earlyoom do not say so
		}
		r.warn("%s: at most %s at once for now", why, count(r.atOnce, "photo"))
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
		case d.kind == DeathTimeout && r.cfg.Reach != nil:
			r.doubtTimeout(attemptOf(w, f, now), d)
			continue
		case d.kind == DeathTimeout:
			r.convict(attemptOf(w, f, now), d)
			continue
		case len(photos) > 1:
			p.exclusive = p.exclusive || d.memoryKind()
			r.q.suspect(p)
		case d.memoryKind() && d.kind != DeathMemory && !lonely:
			// Others were at work beside it, so it need not have been this one.
			p.exclusive = true
			r.q.suspect(p)
		default:
			r.convict(attemptOf(w, f, now), d)
			continue
		}
		r.back(attemptOf(w, f, now), string(d.kind))
	}
	r.q.putBack(innocent)
}

// attempt is one that has ended.
type attempt struct {
	photo  *photo
	worker int
	batch  *batch
	took   time.Duration
}

func attemptOf(w *worker, f *flight, now time.Time) attempt {
	return attempt{f.photo, w.n, w.batch, now.Sub(f.out)}
}

func (a attempt) failed(f *Failure) Result {
	return Result{Path: a.photo.path, Attempts: a.photo.attempts, Failure: f, Batch: a.batch.n, Seconds: a.took.Seconds()}
}

// convict charges a photo; it is tried again or has its verdict.
func (r *run) convict(a attempt, d death) {
	p := a.photo
	failure := p.blame(d)
	if failure == nil {
		r.q.suspect(p)
		r.back(a, string(d.kind))
		return
	}
	a.batch.answered++
	// Whoever is given the result says it aloud; that may be later, see hold.
	r.cfg.Log.Debug(fmt.Sprintf("%q is given up after %s: %s", p.path, count(p.attempts, "attempt"), failure.Message))
	r.hold(a.failed(failure))
}

// back notes that a photo is unfinished and its place in the batch free again.
func (r *run) back(a attempt, reason string) {
	a.batch.left++
	r.observe(Event{Kind: EventPhotoBack, Batch: a.batch.n, Worker: a.worker, Path: a.photo.path, Attempt: a.photo.attempts, Reason: reason})
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
