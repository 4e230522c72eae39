package pool

import (
	"time"
)

// This file ends what has taken too long.

// expire kills what has taken too long, and buries what does not die of it.
func (r *run) expire(now time.Time) {
	for w := range r.live {
		if w.p == nil || now.Before(r.deadline(w)) {
			continue
		}
		if w.state == dying {
			r.abandon(w, now)
			continue
		}
		switch f := w.oldest(); {
		case w.state == starting:
			r.kill(w, death{DeathSilence, "said nothing for " + roundText(r.cfg.StartTimeout) + " after its start"}, now)
		case f != nil && r.cfg.Timeout > 0 && now.Sub(f.began) >= r.cfg.Timeout:
			w.timedOut = f
			r.kill(w, death{DeathTimeout, "no answer within " + roundText(r.cfg.Timeout)}, now)
		case w.state == leaving && f == nil:
			r.warn("Worker %d (pid %d) has done its work but does not leave, it is killed", w.n, w.p.pid)
			r.cancel(w)
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
		return w.killedAt.Add(r.cfg.LeaveTimeout)
	}
	t := w.lastSeen.Add(r.cfg.Silence)
	f := w.oldest()
	if f != nil && r.cfg.Timeout > 0 && f.began.Add(r.cfg.Timeout).Before(t) {
		t = f.began.Add(r.cfg.Timeout)
	}
	if f == nil && w.state == leaving {
		idle := w.answeredAt
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
func (w *worker) oldest() *attempt {
	var first *attempt
	for _, f := range w.attempts {
		if first == nil || f.id < first.id {
			first = f
		}
	}
	return first
}
