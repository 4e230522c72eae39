package main

import (
	"time"

	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/tracker"
)

// summary is empty for a run that did not get as far as taking the lock.
func (r *runner) summary() ui.RunSummary {
	if r.track == nil {
		return ui.RunSummary{WallSeconds: worker.Round(time.Since(r.started))}
	}
	t, c := r.track.Tally(), r.track.Counts()
	s := ui.RunSummary{
		Described: t.OK, Failed: t.Failed, Errors: t.Errors, SuccessRate: t.SuccessRate(),
		AllDescribed: c.Done, AllFailed: c.Failed + c.Retrying - r.gone, Total: r.track.Live().Total(),
		WallSeconds: worker.Round(time.Since(r.started)), Latency: t.Seconds, Tokens: t.Tokens,
		Batches: r.stats.Batches, Workers: r.stats.Workers, Restarts: map[string]int{},
		PeakWorkers: r.stats.PeakWorkers, Paused: worker.Round(r.stats.Paused),
		Output: r.track.OutputPath(), Log: tracker.LogPath(r.dir, r.started),
	}
	for kind, n := range r.stats.Deaths {
		s.Restarts[string(kind)] += n
	}
	if n := r.stats.Replaced; n > 0 {
		s.Restarts["memory-budget"] += n
	}
	if n := t.OK + t.Failed; n > 0 && s.WallSeconds > 0 {
		s.PhotoSeconds = s.WallSeconds / float64(n)
		s.PhotosHour = 3600 / s.PhotoSeconds
	}
	return s
}
