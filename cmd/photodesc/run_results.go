package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

// This file keeps what comes back, and says so at the end.

// keep records one photo's result; an error of it ends the run.
func (r *runner) keep(res pool.Result) error {
	var rec tracker.Record
	if res.Failure != nil {
		rec = r.failure(res.Path, res.Failure.Kind, res.Failure.Message, res.Attempts)
		rec.Seconds.Total = res.Seconds
	} else if err := json.Unmarshal(res.Data, &rec); err != nil {
		rec = r.failure(res.Path, string(tracker.Model), fmt.Sprintf("the worker's answer cannot be read: %v", err), res.Attempts)
	} else if (rec.Status != tracker.OK || rec.Error != nil) && !saidNothing(rec) {
		rec = r.failure(res.Path, string(tracker.Model), "the worker's answer is no description", res.Attempts)
	}
	rec.Path, rec.Attempts, rec.Time = res.Path, res.Attempts, time.Now()
	rec.Model, rec.Prompt, rec.Settings = r.model.Name, r.set.Ask.First(), r.track.SettingsID()
	if err := r.track.Add(rec); r.twice(rec.Path, err) {
		return nil
	} else if err != nil {
		return err
	}
	if rec.Status == tracker.Failed {
		tried := ""
		if rec.Attempts > 1 {
			tried = fmt.Sprintf(" (tried %d times)", rec.Attempts)
		}
		r.log.Warn(fmt.Sprintf("Failed: %s: %s%s: %s", tracker.EncodePath(rec.Path), rec.Error.Kind, tried, rec.Error.Message))
	}
	if res.Failure == nil {
		if warning := r.blanks.add(rec.Blank > 0); warning != "" {
			r.log.Warn(warning)
		}
	}
	line, remaining := r.show.Photo(rec)
	if line != "" {
		r.detail.Info(line)
		r.service.Status(line)
	}
	r.photoEvent(rec, res.Batch, remaining)
	return nil
}

// twice reports whether err says no more than that a photo is described already,
// which ends no run. It logs it.
func (r *runner) twice(path string, err error) bool {
	var failed *tracker.WriteError
	if !errors.Is(err, tracker.ErrDone) || errors.As(err, &failed) || errors.Is(err, tracker.ErrClosed) {
		return false
	}
	r.log.Warn(fmt.Sprintf("%s came twice: its first result stays", tracker.EncodePath(path)))
	return true
}

func (r *runner) failure(path, kind, message string, attempts int) tracker.Record {
	k := tracker.Kind(kind)
	if !slices.Contains(tracker.Kinds, k) {
		k = tracker.Model
	}
	return tracker.Record{
		Path: path, Status: tracker.Failed, Attempts: attempts, Time: time.Now(),
		Model: r.model.Name, Prompt: r.set.Ask.First(),
		Error: &tracker.RecordError{Kind: k, Message: message},
	}
}

// finish says how it ended and gives the exit code.
func (r *runner) finish() error {
	c := r.track.Counts()
	r.show.End()
	r.log.Info(r.summary().Text())
	switch {
	case r.left > 0:
		r.log.Info(fmt.Sprintf("%s left by --limit; the next run goes on", ui.Plural(r.left, "photo")))
	case c.Done == 0 && c.Failed == 0: // it was said that there is no photo
	case c.Failed == r.gone && r.unread == 0 && c.Done == 1:
		r.log.Info("Done: the one photo is described")
	case c.Failed == r.gone && r.unread == 0:
		r.log.Info(fmt.Sprintf("Done: all %s are described", ui.Plural(c.Done, "photo")))
	}
	if r.unread > 0 {
		r.log.Warn(fmt.Sprintf("%s could not be read; what is in there is not described", ui.Plural(r.unread, "folder")))
	}
	for _, line := range ui.LeftOutNames(r.track.Live().LeftOut(), false) {
		r.log.Warn(line)
	}
	failed := c.Failed - r.gone
	if failed > 0 {
		r.log.Warn(fmt.Sprintf("%s failed, see `%s`; run again with --retry-failed to try once more",
			ui.Plural(failed, "photo"), ui.CommandLine(r.dir, "summary", "--failed")))
	}
	if failed > 0 || r.unread > 0 {
		return &ui.Exit{Code: ui.ExitFailed}
	}
	return nil
}

func stopReason(err error) (tracker.StopReason, string) {
	switch ui.ExitCode(err) {
	case ui.ExitOK, ui.ExitFailed:
		return tracker.Finished, ""
	case ui.ExitStopped:
		return tracker.Stopped, ""
	}
	return tracker.Broke, err.Error()
}

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
