package pool

import (
	"errors"
	"time"
)

// This file doubts a worker that could not read a photo: disks are pulled out,
// servers go away, and a worker that was confined to a folder does not see what
// was mounted in its place since. Such an answer waits until Config.Reach has
// looked, and so does a photo that took too long: a server that is gone may
// leave whoever reads waiting. While all photos are out of reach none is handed
// out, and none fails.

// reaching is what a run knows about photos that could not be read.
type reaching struct {
	lost   []lostPhoto // that wait for Config.Reach
	asked  string      // the photo that it looks for, "" when it does not
	since  time.Time   // it looks
	askAt  time.Time   // not before
	missed string      // the photo that is looked for while all are gone
	warned time.Time   // that they are
	plain  bool        // what can be read and is not, is the worker's to say; until a success
}

// lostPhoto is an attempt in doubt: it was answered with failure, or ended in death.
type lostPhoto struct {
	attempt
	failure *Failure
	death   death
}

// evReach is Config.Reach's answer.
type evReach struct {
	path string
	err  error
}

const (
	// maxLost bounds the attempts in doubt.
	maxLost = 64
	// maxDoubts is how often one photo is handed out again because it could be
	// read after all; before the last time all workers are replaced.
	maxDoubts = 2
)

func (r *run) doubtful(f *flight, a *answer) bool {
	return a.Failure != nil && a.Failure.Lost && r.cfg.Reach != nil && !f.photo.known
}

func (r *run) doubt(w *worker, f *flight, a *answer, now time.Time) {
	r.lose(lostPhoto{attempt: attemptOf(w, f, now), failure: a.Failure})
}

// doubtTimeout keeps the verdict on a photo that took too long.
func (r *run) doubtTimeout(a attempt, d death) { r.lose(lostPhoto{attempt: a, death: d}) }

func (r *run) lose(l lostPhoto) {
	r.lost = append(r.lost, l)
	if r.gate.gone {
		r.recall()
	}
}

// reach has Config.Reach look, for one photo at a time.
func (r *run) reach(now time.Time) {
	if r.asked != "" && !r.gate.gone && now.Sub(r.since) >= r.cfg.ReachPatience {
		// It is still waited for: its answer is the end of this.
		r.onGone(r.asked, "they do not answer", now)
	}
	if r.asked != "" || r.stopping || now.Before(r.askAt) {
		return
	}
	switch {
	case r.gate.gone:
		r.asked = r.missed
	case len(r.lost) > 0:
		r.asked = r.lost[0].photo.path
	default:
		return
	}
	r.since = now
	path, look := r.asked, r.cfg.Reach
	go func() { r.send(evReach{path, look(path)}) }()
}

func (r *run) onReach(path string, err error, now time.Time) {
	r.asked = ""
	var gone *GoneError
	if errors.As(err, &gone) {
		r.askAt = now.Add(r.cfg.ReachAgain)
		r.onGone(path, gone.Why, now)
		return
	}
	if r.gate.gone {
		r.gate.gone, r.plain = false, false
		r.resume(pauseFolder, now)
		r.info("The photos can be reached again, the run goes on")
	}
	if len(r.lost) == 0 || r.lost[0].photo.path != path {
		return
	}
	l := r.lost[0]
	r.lost = r.lost[1:]
	if l.failure == nil {
		r.convict(l.attempt, l.death)
		return
	}
	if err == nil && !r.plain {
		if l.photo.lost++; l.photo.lost <= maxDoubts {
			r.putBackLost(l)
			if l.photo.lost == maxDoubts {
				r.replaceAll(now)
			}
			return
		}
		r.plain = true
	}
	l.batch.answered++
	r.deliver(l.failed(l.failure))
}

// onGone closes the gate: nothing is handed out until the photos are back.
func (r *run) onGone(path, why string, now time.Time) {
	if !r.gate.gone || now.Sub(r.warned) >= time.Minute {
		r.cfg.Log.Warn("The photos cannot be reached, waiting until they can: " + why)
		r.warned = now
	}
	if r.gate.gone {
		return
	}
	r.gate.gone, r.missed = true, path
	r.deaths, r.backoff = 0, time.Time{} // it is not the model
	r.pause(pauseFolder, "", now)
	r.recall()
	r.replaceAll(now) // what they are allowed to read is the folder that is gone
}

// recall puts all that was lost back to be tried again.
func (r *run) recall() {
	for _, l := range r.lost {
		r.putBackLost(l)
	}
	r.lost = nil
}

func (r *run) putBackLost(l lostPhoto) {
	r.q.putBack([]*photo{l.photo})
	r.back(l.attempt, pauseFolder)
}

// replaceAll has the workers finish what they have and leave.
func (r *run) replaceAll(now time.Time) {
	for w := range r.live {
		switch w.state {
		case ready:
			r.tellLeave(w, ReasonFolder, now)
		case starting:
			r.dismiss(w)
		}
	}
}
