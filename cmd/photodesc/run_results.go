package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

// This file records results and sums the run up at its end.

// keep records the result of one photo. An error ends the run.
func (r *runner) keep(res pool.Result) error {
	rec, more := recordOf(res, r.model.Name, r.set.Ask.First())
	rec.Settings = r.track.SettingsID()
	if err := r.source.finish(&rec); err != nil {
		return err
	}
	if s := r.shared.Load(); s != nil {
		rec.Node = s.name
	}
	if more.Known && !r.copies.share(&rec, more) {
		return nil
	}
	if err := keepRecord(r, res, rec, more); err != nil {
		return err
	}
	for _, same := range r.copies.finished(&rec) {
		if err := keepRecord(r, res, same.rec, same.more); err != nil {
			return err
		}
	}
	return nil
}

// keepRecord records what became of a photo and tells everybody.
func keepRecord(r *runner, res pool.Result, rec tracker.Record, more worker.Answer) error {
	if err := r.track.Add(rec); r.alreadyDone(rec.Path, err) {
		return nil
	} else if err != nil {
		return err
	}
	kept(r, rec, res.Batch, more, res.Failure == nil)
	return nil
}

// kept tells of a result of the run's own photos that is on the disk. answered is whether a worker has answered.
func kept(r *runner, rec tracker.Record, batch int, more worker.Answer, answered bool) {
	if rec.Status == tracker.Failed {
		r.folds.add(failedWarning(rec))
	}
	if rec.Via == "" && answered {
		if warning := r.blanks.add(rec.Blank > 0); warning != "" {
			r.log.Warn(warning)
		}
	}
	shown(r, rec, batch, more)
}

// shown tells of a result that is on the disk.
func shown(r *runner, rec tracker.Record, batch int, more worker.Answer) {
	if line := r.show.Photo(rec); line != "" {
		r.folds.flush()
		r.detail.Info(line)
		r.service.Status(line)
	}
	r.photoEvent(rec, batch)
	r.sidecars.add(rec, more.Inside)
	r.thumbnails.add(&rec, more.Thumbnail)
}

// failedWarning is what is logged of a photo that failed.
func failedWarning(rec tracker.Record) warning {
	tried := ""
	if rec.Attempts > 1 {
		tried = fmt.Sprintf(" (tried %d times)", rec.Attempts)
	}
	path, why := tracker.EncodePath(rec.Path), string(rec.Error.Kind)+tried+": "+rec.Error.Message
	return warning{"photo", "failed", path, why, fmt.Sprintf("Failed: %s: %s", path, why)}
}

// alreadyDone is whether err says only that a photo is described already, which
// does not end the run. It is logged.
func (r *runner) alreadyDone(path string, err error) bool {
	var failed *tracker.WriteError
	if !errors.Is(err, tracker.ErrDone) || errors.As(err, &failed) || errors.Is(err, tracker.ErrClosed) {
		return false
	}
	path = tracker.EncodePath(path)
	r.folds.add(warning{"photo", "came twice", path, "its first result stays", path + " came twice: its first result stays"})
	return true
}

// recordOf is the record of what the pool says of a photo, and what else the worker was asked for.
func recordOf(res pool.Result, model, prompt string) (rec tracker.Record, answer worker.Answer) {
	if res.Failure != nil {
		rec = failure(res.Path, res.Failure.Kind, res.Failure.Message)
		rec.Seconds.Total = worker.Round(time.Duration(res.Seconds * float64(time.Second)))
		var known tracker.Record
		if len(res.Failure.Data) > 0 && json.Unmarshal(res.Failure.Data, &known) == nil {
			rec.File = known.File
		}
	} else if err := json.Unmarshal(res.Data, &answer); err != nil {
		rec = failure(res.Path, string(tracker.Model), fmt.Sprintf("the worker's answer cannot be read: %v", err))
	} else if rec = answer.Record; (rec.Status != tracker.OK || rec.Error != nil) && !saidNothing(rec) {
		rec = failure(res.Path, string(tracker.Model), "the worker's answer is no description")
	}
	rec.Path, rec.Attempts, rec.Time = res.Path, res.Attempts, time.Now()
	rec.Model, rec.Prompt = model, prompt
	return rec, answer
}

// failure is the record of a photo that failed, without what all records have.
func failure(path, kind, message string) tracker.Record {
	k := tracker.Kind(kind)
	if !slices.Contains(tracker.Kinds, k) {
		k = tracker.Model
	}
	return tracker.Record{Path: path, Status: tracker.Failed, Time: time.Now(), Error: &tracker.RecordError{Kind: k, Message: message}}
}

// finish logs the summary of a run with nothing left to do, and returns its exit code.
func (r *runner) finish() error {
	p := r.track.Live().Progress()
	r.show.End()
	r.folds.flush()
	r.log.Info(r.summary().Text())
	switch {
	case r.found.unlisted > 0 && r.found.unlisted == p.Later:
		r.log.Info(fmt.Sprintf("Done with the list of --files-from; %s of the folder, not in it, left for other runs", wording.Count(p.Later, "photo")))
	case r.flags.Requested:
		r.log.Info("Done with what was asked for" + laterText(p.Later))
	case p.Later > 0:
		r.log.Info(fmt.Sprintf("%s left by --limit; the next run goes on", wording.Count(p.Later-r.found.unlisted, "photo")))
	case p.Total == 0 && r.found.gone+r.found.goneAgain == 0: // it was said that there is no photo
	case p.Failed == 0 && r.found.unread == 0 && p.Completed == 1:
		r.log.Info("Done: the one photo is described")
	case p.Failed == 0 && r.found.unread == 0:
		r.log.Info(fmt.Sprintf("Done: all %s are described", wording.Count(p.Completed, "photo")))
	}
	if r.found.unread > 0 {
		r.log.Warn(fmt.Sprintf("%s could not be read; what is in there is not described", wording.Count(r.found.unread, "folder")))
	}
	for _, line := range ui.LeftOutNames(r.track.Live().LeftOut(), false) {
		r.log.Warn(line)
	}
	if p.Failed > 0 {
		r.log.Warn(fmt.Sprintf("%s failed, see `%s`; run again with --retry-failed to try once more",
			wording.Count(p.Failed, "photo"), ui.CommandLine(r.dir, "summary", "--failed")))
	}
	if p.Failed > 0 || r.found.unread > 0 {
		return &ui.Exit{Code: ui.ExitFailed}
	}
	return nil
}

func stopReason(err error) (tracker.StopReason, string) {
	switch ui.ExitCode(err) {
	case ui.ExitOK, ui.ExitFailed:
		return tracker.Finished, ""
	case ui.ExitStopped:
		return tracker.Stopped, err.Error()
	}
	return tracker.Broke, err.Error()
}

// summary has only the time for a run that could not take the lock.
func (r *runner) summary() ui.RunSummary {
	if r.track == nil {
		return ui.RunSummary{WallSeconds: worker.Round(time.Since(r.started))}
	}
	t, c := r.track.Tally(), r.track.Live().RunCounters()
	p := r.track.Live().Progress()
	s := ui.RunSummary{
		Described: p.RunCompleted, Duplicates: p.RunDuplicates, Failed: p.RunFailed, Errors: t.Errors, SuccessRate: p.RunSuccess(),
		AllDescribed: p.Completed, AllFailed: p.Failed + max(0, r.track.Counts().Retrying-r.found.goneAgain), Total: p.Total,
		WallSeconds: worker.Round(time.Since(r.started)), Latency: t.Seconds, Tokens: t.Tokens, PhotosHour: p.RateRun,
		Batches: c.Batches, Workers: c.Workers, Restarts: c.Restarts,
		Nodes: nodeSummaries(r), PeakWorkers: r.stats.PeakWorkers, Paused: worker.Round(r.stats.Paused),
		Output: r.track.OutputPath(), Log: logName(r),
	}
	if p.RateRun > 0 {
		s.PhotoSeconds = worker.Round(time.Duration(3600 / p.RateRun * float64(time.Second)))
	}
	return s
}
