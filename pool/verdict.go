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
