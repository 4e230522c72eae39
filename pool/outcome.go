package pool

import (
	"fmt"
	"time"
)

// This file draws the conclusions from a death.

// handleExit draws the conclusions from a death: what becomes of the photos that were
// in flight, how long to wait, and whether to go on at all.
func (r *run) handleExit(w *worker, d death, words []string, now time.Time) {
	r.stats.Deaths[d.kind]++
	r.sayExit(w, string(d.kind), d.detail, now)
	pid := 0
	if w.p != nil {
		pid = w.p.pid
	}
	r.warn("Worker %d (pid %d) died (%s): %s; %s", w.n, pid, d.kind, d.detail, inFlightText(len(w.attempts)))
	for _, line := range words {
		r.cfg.Log.Debug(fmt.Sprintf("Worker %d: %s", w.n, line))
	}
	if !r.throttle.unavailable { // what hangs in a folder that is gone is no sign of a broken model
		r.deaths++
	}
	r.backoffUntil = now.Add(r.backoffTime())
	r.resolve(w, d, now)
	if w.batch.remaining <= 0 || w.batch.superseded {
		r.endBatch(w.batch, w.lane, now)
	}
	if r.deaths >= r.cfg.MaxDeaths && r.end == nil {
		r.fail(&DeathsError{Deaths: r.deaths, Kind: d.kind, Detail: d.detail, Stderr: words})
	}
}

func inFlightText(n int) string {
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

// resolve decides for each photo that was in flight at a death. Only one that was
// alone can be charged; several are suspects, and will be alone next time.
//
// A photo that took too long is known by the clock. The others are not charged if
// the worker went on answering meanwhile; if it did not, the whole engine hung,
// and the one that hung it may be any of them.
func (r *run) resolve(w *worker, d death, now time.Time) {
	photos := w.inOrder()
	lonely := len(photos) == 1 && r.inFlight() == 0
	if len(photos) > 1 && d.isMemory() && r.inFlightLimit > 1 {
		r.successesSinceOOM = 0
		r.inFlightLimit = max(1, r.inFlightLimit/2)
		why := "Memory was not enough"
		if d.kind == DeathKilled {
			why = "Perhaps memory was short" // macOS and earlyoom do not say so
		}
		r.warn("%s: at most %s at once for now", why, count(r.inFlightLimit, "photo"))
	}
	var spared []*photo
	for _, f := range photos {
		p := f.photo
		switch {
		case p.probe:
			continue // it has its description
		case d.kind == DeathTimeout && f != w.timedOut:
			if now.Sub(w.answeredAt) < r.cfg.Timeout/2 {
				spared = append(spared, p)
			} else {
				r.queue.quarantine(p)
			}
		case d.kind == DeathTimeout && r.cfg.ProbeStorage != nil:
			r.holdTimeout(endAttempt(w, f, now), d)
			continue
		case d.kind == DeathTimeout:
			r.chargeFailure(endAttempt(w, f, now), d)
			continue
		case len(photos) > 1:
			p.onlyInPool = p.onlyInPool || d.isMemory()
			r.queue.quarantine(p)
		case d.isMemory() && d.kind != DeathMemory && !lonely:
			// Others were at work beside it, so it need not have been this one.
			p.onlyInPool = true
			r.queue.quarantine(p)
		default:
			r.chargeFailure(endAttempt(w, f, now), d)
			continue
		}
		r.unfinished(endAttempt(w, f, now), string(d.kind))
	}
	r.queue.putBack(spared)
}

// endedAttempt is one that has ended.
type endedAttempt struct {
	photo  *photo
	worker int
	batch  *batch
	took   time.Duration
}

func endAttempt(w *worker, f *attempt, now time.Time) endedAttempt {
	return endedAttempt{f.photo, w.n, w.batch, now.Sub(f.began)}
}

func (a endedAttempt) result(f *Failure) Result {
	return Result{Path: a.photo.path, Attempts: a.photo.attempts, Failure: f, Batch: a.batch.n, Seconds: a.took.Seconds()}
}

// chargeFailure charges a photo; it is tried again or has its verdict.
func (r *run) chargeFailure(a endedAttempt, d death) {
	p := a.photo
	failure := p.chargeFailure(d)
	if failure == nil {
		r.queue.quarantine(p)
		r.unfinished(a, string(d.kind))
		return
	}
	a.batch.answered++
	// Whoever is given the result says it aloud; that may be later, see hold.
	r.cfg.Log.Debug(fmt.Sprintf("%q is given up after %s: %s", p.path, count(p.attempts, "attempt"), failure.Message))
	r.holdFailure(a.result(failure))
}

// unfinished notes that a photo is unfinished and its place in the batch free again.
func (r *run) unfinished(a endedAttempt, reason string) {
	a.batch.remaining++
	r.observe(Event{Kind: EventPhotoBack, Batch: a.batch.n, Worker: a.worker, Path: a.photo.path, Attempt: a.photo.attempts, Reason: reason})
}

// inOrder is what is in flight, first handed out first.
func (w *worker) inOrder() []*attempt {
	var fs []*attempt
	for len(w.attempts) > 0 {
		f := w.oldest()
		delete(w.attempts, f.id)
		fs = append(fs, f)
	}
	return fs
}
