package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"

	"photodesc/internal/config"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// dryRun says what run would do, and changes nothing: neither the workdir, in
// which a run may be working, nor the models.
func (r *runner) dryRun(w io.Writer, dir string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err = openSource(r, dir); err != nil {
		return err
	}
	defer r.source.close()
	if r.list, err = readList(r.root, &r.flags, r.set.Shard); err != nil {
		return err
	}
	if err = r.findModel(); err != nil {
		return err
	}
	if r.track, err = tracker.View(r.dir, tracker.Options{Root: r.root, RetryFailed: r.flags.RetryFailed, RootMoved: r.source.moved()}); err != nil {
		return err
	}
	s, err := r.wordSettings()
	if err != nil {
		return err
	}
	changed := r.track.Changed(s)
	r.track.Use(s, r.flags.Redo == config.RedoChanged)
	d, err := r.count(ctx, changed)
	if ctx.Err() != nil {
		return &ui.Exit{Code: ui.ExitStopped, Err: errors.New("stopped on request")}
	}
	if err != nil {
		return err
	}
	overall := 0.0
	if status, err := ui.Peek(r.dir); err == nil {
		overall = status.RateOverall
	}
	if overall > 0 && otherSpeed(s, changed) == "" {
		d.RateHour = math.Round(overall*10) / 10
		d.Hours = math.Round(float64(d.Todo-d.Duplicates)/overall*1e4) / 1e4 // to a third of a second
	}
	if r.flags.Json {
		return ui.WriteJSON(w, d)
	}
	asks := ""
	if d.Changed > 0 && r.flags.Redo == config.RedoAsk {
		asks = changedError{s, changed, priceText(s, changed, overall), goOnHint(r.dir, r.goesOn)}.Error()
	}
	ui.WriteDryRun(ui.Colors(w), d, asks, ui.TerminalWidth(w))
	return nil
}

// count walks the photo folder as a run does.
func (r *runner) count(ctx context.Context, changed tracker.Changed) (ui.DryRun, error) {
	show := ui.NewProgress(os.Stderr)
	defer show.Plain.Flush()
	defer show.End()
	show.Wait("looking for photos")
	d := ui.DryRun{Workdir: tracker.EncodePath(r.dir), Root: tracker.EncodePath(r.root), Model: r.model.Name, Shard: r.set.Shard.String(), Unused: []string{}}
	s := newScanner(r)
	warned := folds{say: func(text string) { d.Warnings = append(d.Warnings, text) }}
	s.warn = warned.add
	if r.flags.Json { // for programs each is told
		s.warn = func(w warning) { d.Warnings = append(d.Warnings, w.line) }
	}
	s.news = func(text string) { show.Wait("looking for photos: " + text) }
	s.progress = func(photos int) { s.news(ui.Comma(photos) + " so far") }
	s.described = func(rel string) {
		if changed.Has(rel) {
			d.Changed++
		}
	}
	found, err := s.scan(ctx)
	leaveToOthers(&found, r.flags.Requested)
	for rel := range found.living.moved {
		if changed.Has(rel) {
			d.Changed++
		}
	}
	if err == nil {
		d.Duplicates, err = countCopies(ctx, r, found.todo)
	}
	warned.flush()
	d.Todo, d.Later, d.NotListed = len(found.todo), found.later-found.unlisted, found.unlisted
	d.Described, d.Failed = found.described, found.failed+len(found.problems)
	d.Moved, d.OtherPicture, d.TriedAgain = len(found.living.moved), len(found.living.changed), found.living.triedAgain
	d.UnreadFolders, d.LeftOut = found.unread, leftOut(found.leftOut)
	if waiting, err := tracker.ReadRequests(r.dir); err == nil {
		d.Asked, d.AskedOthers = len(waiting.For(r.model.Name)), waiting.Count(tracker.RequestWaiting)
		d.AskedOthers -= d.Asked
	} else {
		d.Warnings = append(d.Warnings, err.Error())
	}
	d.Unused = append(d.Unused, unusedPatterns(r.set)...)
	return d, err
}
