package pool

import (
	"fmt"
	"time"
)

// This file looks at the machine and pauses the run for it.

// sample asks for the next look at the machine when it is due.
func (r *run) sample(now time.Time) {
	if r.sampling || now.Before(r.sampleAt) {
		return
	}
	req := sampleRequest{heat: r.cfg.MaxTemp > 0}
	for w := range r.live {
		if w.p != nil {
			req.pids = append(req.pids, w.p.pid)
		}
	}
	r.sampling, r.sampleAskedAt = true, now
	r.sampleAt = now.Add(r.cfg.SampleEvery)
	r.requests <- req
}

// onSample acts on what the machine looks like.
func (r *run) onSample(s sample, now time.Time) {
	if r.cfg.MaxTemp > 0 && !s.hasHeat && !r.sampled {
		r.warn("No temperature sensor can be read: the limit of %.0f °C has no effect", r.cfg.MaxTemp)
	}
	r.sampling, r.sampled, r.lastSample = false, true, s
	var all uint64
	for w := range r.live {
		if w.p != nil {
			w.mem.sampled(s.workers[w.p.pid], r.sampleAskedAt)
		}
		all += w.mem.now
		r.checkMemory(w, now)
	}
	r.stats.PeakWorkers = max(r.stats.PeakWorkers, all)
	if warning := r.throttle.sample(s, now); warning != "" {
		r.cfg.Log.Warn(warning)
	}
	reason, closed := r.throttle.closed()
	for _, known := range []string{pauseMemory, pauseHeat} {
		if closed && known == reason {
			r.pause(known, "", now)
		} else {
			r.resume(known, now)
		}
	}
	r.observe(Event{Kind: EventMemory, WorkerBytes: all, Memory: s.system.UsedPercent, CPU: max(s.cpu, 0),
		Celsius: s.celsius, InFlight: r.inFlight()})
}

// checkMemory kills a worker that is far over its share. Short of that,
// mayTake and retire act before the next photo is handed out.
func (r *run) checkMemory(w *worker, now time.Time) {
	r.stats.PeakWorker = max(r.stats.PeakWorker, w.mem.now)
	if (w.state == ready || w.state == leaving) && w.mem.overLimit(r.share) {
		r.kill(w, death{DeathMemory, fmt.Sprintf("took %s, far over its share of the memory budget, %s",
			bytesText(w.mem.now), bytesText(r.share))}, now)
	}
}

// Reasons of a pause.
const (
	pauseMemory   = "memory"
	pauseHeat     = "heat"
	pauseFolder   = "folder"
	pauseCooldown = "cooldown"
)

// pause notes that photos are held back; say is logged the first time.
func (r *run) pause(reason, say string, now time.Time) {
	if _, ok := r.pauses[reason]; ok {
		return
	}
	r.pauses[reason] = now
	if say != "" {
		r.info("%s", say)
	}
	r.observe(Event{Kind: EventPause, Reason: reason})
}

func (r *run) resume(reason string, now time.Time) {
	since, ok := r.pauses[reason]
	if !ok {
		return
	}
	delete(r.pauses, reason)
	took := now.Sub(since)
	r.stats.Paused += took
	if reason != pauseCooldown {
		r.info("Going on after %s", roundText(took))
	}
	r.observe(Event{Kind: EventResume, Reason: reason, Seconds: took.Seconds()})
}
