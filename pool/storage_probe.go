package pool

import (
	"errors"
	"time"
)

// This file doubts a worker that could not read a photo: disks are pulled out,
// servers go away, and a worker that was confined to a folder does not see what
// was mounted in its place since. Such an answer waits until Config.ProbeStorage has
// looked, and so does a photo that took too long: a server that is gone may
// leave whoever reads waiting. While all photos are out of reach none is handed
// out, and none fails.

// storageProbe is what a run knows about photos that could not be read.
type storageProbe struct {
	pending         []pendingRead // that wait for Config.ProbeStorage
	asking          string        // the photo that it looks for, "" when it does not
	askedAt         time.Time     // it looks
	askAt           time.Time     // not before
	unavailablePath string        // the photo that is looked for while all are gone
	warnedAt        time.Time     // that they are
	trusted         bool          // what can be read and is not, is the worker's to say; until a success
}

// pendingRead is an attempt in doubt: it was answered with failure, or ended in death.
type pendingRead struct {
	endedAttempt
	failure *Failure
	death   death
}

// evStorageProbe is Config.ProbeStorage's answer.
type evStorageProbe struct {
	path string
	err  error
}

const (
	// maxPendingReads bounds the attempts in doubt.
	maxPendingReads = 64
	// maxReadRetries is how often one photo is handed out again because it could be
	// read after all; before the last time all workers are replaced.
	maxReadRetries = 2
)

func (r *run) isReadError(f *attempt, a *answer) bool {
	return a.Failure != nil && a.Failure.ReadError && r.cfg.ProbeStorage != nil && !f.photo.probe
}

func (r *run) holdReadError(w *worker, f *attempt, a *answer, now time.Time) {
	r.holdPending(pendingRead{endedAttempt: endAttempt(w, f, now), failure: a.Failure})
}

// holdTimeout keeps the verdict on a photo that took too long.
func (r *run) holdTimeout(a endedAttempt, d death) {
	r.holdPending(pendingRead{endedAttempt: a, death: d})
}

func (r *run) holdPending(l pendingRead) {
	r.pending = append(r.pending, l)
	if r.throttle.unavailable {
		r.retryPending()
	}
}

// probeStorage has Config.ProbeStorage look, for one photo at a time.
func (r *run) probeStorage(now time.Time) {
	if r.asking != "" && !r.throttle.unavailable && now.Sub(r.askedAt) >= r.cfg.ProbeTimeout {
		// It is still waited for: its answer is the end of this.
		r.onUnavailable(r.asking, "they do not answer", now)
	}
	if r.asking != "" || r.stopping || now.Before(r.askAt) {
		return
	}
	switch {
	case r.throttle.unavailable:
		r.asking = r.unavailablePath
	case len(r.pending) > 0:
		r.asking = r.pending[0].photo.path
	default:
		return
	}
	r.askedAt = now
	path, look := r.asking, r.cfg.ProbeStorage
	go func() { r.send(evStorageProbe{path, look(path)}) }()
}

func (r *run) onStorageProbe(path string, err error, now time.Time) {
	r.asking = ""
	var gone *UnavailableError
	if errors.As(err, &gone) {
		r.askAt = now.Add(r.cfg.ProbeInterval)
		r.onUnavailable(path, gone.Why, now)
		return
	}
	if r.throttle.unavailable {
		r.throttle.unavailable, r.trusted = false, false
		r.resume(pauseFolder, now)
		r.info("The photos can be reached again, the run goes on")
	}
	if len(r.pending) == 0 || r.pending[0].photo.path != path {
		return
	}
	l := r.pending[0]
	r.pending = r.pending[1:]
	if l.failure == nil {
		r.chargeFailure(l.endedAttempt, l.death)
		return
	}
	if err == nil && !r.trusted {
		if l.photo.readErrors++; l.photo.readErrors <= maxReadRetries {
			r.retryRead(l)
			if l.photo.readErrors == maxReadRetries {
				r.replaceAll(now)
			}
			return
		}
		r.trusted = true
	}
	l.batch.answered++
	r.deliver(l.result(l.failure))
}

// onUnavailable closes the gate: nothing is handed out until the photos are back.
func (r *run) onUnavailable(path, why string, now time.Time) {
	if !r.throttle.unavailable || now.Sub(r.warnedAt) >= time.Minute {
		r.cfg.Log.Warn("The photos cannot be reached, waiting until they can: " + why)
		r.warnedAt = now
	}
	if r.throttle.unavailable {
		return
	}
	r.throttle.unavailable, r.unavailablePath = true, path
	r.deaths, r.backoffUntil = 0, time.Time{} // it is not the model
	r.pause(pauseFolder, "", now)
	r.retryPending()
	r.replaceAll(now) // what they are allowed to read is the folder that is gone
}

// retryPending puts all that was lost back to be tried again.
func (r *run) retryPending() {
	for _, l := range r.pending {
		r.retryRead(l)
	}
	r.pending = nil
}

func (r *run) retryRead(l pendingRead) {
	r.queue.putBack([]*photo{l.photo})
	r.unfinished(l.endedAttempt, pauseFolder)
}

// replaceAll has the workers finish what they have and leave.
func (r *run) replaceAll(now time.Time) {
	for w := range r.live {
		switch w.state {
		case ready:
			r.tellLeave(w, ReasonFolder, now)
		case starting:
			r.cancel(w)
		}
	}
}
