package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"photodesc/internal/config"
	"photodesc/internal/fsutil"
	"photodesc/internal/machine"
	"photodesc/internal/photo"
	"photodesc/internal/ui"
	"photodesc/internal/watch"
	"photodesc/internal/wording"
	"photodesc/tracker"
)

// This file is the run that stays: with --watch it walks the folder again when something may have changed, and describes what came.
// Package watch decides when. Each round is like a run of its own: walk, record what moved, changed or went, describe. Between rounds
// there is no worker and no model in memory.

// folderWatch is a run with --watch. A nil one is a run without.
type folderWatch struct {
	*runner
	*watch.Watch
	rounds int             // walks that succeeded
	away   map[string]bool // places that were said to be away
	cut    bool            // the last round has left photos to the next
	filled bool            // records of earlier versions were filled in
	paused string          // what it waits for, as it was said last
	said   bool            // that it watches

	started bool // the run, as start has told
}

// checkWatch refuses flags of --watch that contradict each other. A run that watches because the last one did, or a file of settings
// says so, does not if a flag of one run stands against it.
func checkWatch(f *config.Flags, cfg *config.Config, dir string) error {
	if !f.Watch {
		return nil
	}
	if fsutil.IsBucket(dir) {
		return ui.UsageError("--watch looks at folders, not at buckets\n  start the run again from time to time, as by a timer: it describes what is new")
	}
	contradiction := ""
	switch {
	case f.DryRun:
		contradiction = "--watch stays and describes all that comes, and --dry-run describes nothing"
	case f.Limit > 0:
		contradiction = "--watch stays and describes all that comes, and --limit has it end"
	case f.FilesFrom != "":
		contradiction = "--watch stays and describes all that comes, and --files-from only what is listed"
	case f.Requested:
		contradiction = "--watch stays and describes all that comes, and --requested only what was asked for"
	case f.Shared():
		contradiction = "--watch works on one machine only: not with --serve or --nats"
	}
	if contradiction != "" && cfg.OnCommandLine("watch") {
		return ui.UsageError("%s\n  leave one of them out", contradiction)
	}
	f.Watch = contradiction == ""
	return nil
}

// watchPhotos describes photos until it is stopped, or cannot go on.
func watchPhotos(ctx context.Context, r *runner) error {
	v := &folderWatch{runner: r, away: map[string]bool{}}
	opt := watch.Options{Root: r.root, Rescan: r.flags.Rescan, Settle: r.flags.Settle, Matters: matters(r.set), Tell: v.tell}
	if r.flags.OnBattery == config.BatteryPause {
		opt.Paused = func() string {
			if machine.OnBattery() {
				return "battery"
			}
			return ""
		}
	}
	wake, release, err := watch.Notify(opt.Matters, func(text string) { r.log.Info(text) })
	if err == nil {
		defer release()
		opt.Wake = wake
	} else {
		r.detail.Info(fmt.Sprintf("New photos are found by looking every %s: %v", ui.Spell(r.flags.Rescan), err))
	}
	v.Watch, r.watch = watch.New(opt), v
	for {
		if err := v.round(ctx); err != nil {
			return err
		}
		rotateLogs(r)
		if v.cut {
			continue
		}
		v.idle()
		if err := v.wait(ctx); err != nil {
			return err
		}
	}
}

// wait returns when there is something to do. While nothing is, photos that are to be described again are.
func (v *folderWatch) wait(ctx context.Context) error {
	for {
		asked, err := v.waitOnce(ctx)
		if err != nil || !asked {
			return err
		}
		v.found.todo = nil
		if err := v.describe(ctx, v.requests()); err != nil {
			return err
		}
		v.idle()
	}
}

func (v *folderWatch) waitOnce(ctx context.Context) (asked bool, err error) {
	watching, end := context.WithCancel(ctx)
	defer end()
	ask := make(chan struct{}, 1)
	go func(ended map[string]bool, pause time.Duration) {
		if waitForRequests(watching, v.runner, ended, pause) {
			ask <- struct{}{}
		}
	}(maps.Clone(v.runner.asked.ended), v.runner.asked.took)
	return v.Wait(ctx, ask)
}

// requests is how many photos are to be described again.
func (v *folderWatch) requests() int {
	all, err := tracker.ReadRequests(v.dir)
	if err != nil {
		return 0 // describing says it
	}
	return len(slices.DeleteFunc(all.For(v.model.Name), func(q tracker.Request) bool { return v.runner.asked.ended[q.ID] }))
}

// describe plans workers and describes what the last walk has found, and what is asked for.
func (v *folderWatch) describe(ctx context.Context, asked int) error {
	if len(v.found.todo)+asked == 0 {
		return nil
	}
	before := v.track.Live().Progress()
	if err := v.planWorkers(ctx, asked); err != nil {
		return err
	}
	v.start()
	if v.copies != nil {
		v.copies.alone = false
	}
	if err := v.runner.describe(ctx); err != nil {
		return err
	}
	v.sayRound(before)
	return nil
}

// start tells, once, that the run has begun.
func (v *folderWatch) start() {
	if !v.started {
		v.started = true
		v.sayBeside(0)
		v.startEvent()
	}
}

// awaited is whether a photo folder that is not there is that of this workdir, on a disk that is not mounted yet.
func awaited(r *runner, dir string) bool {
	s, err := ui.Peek(r.dir)
	if !r.flags.Watch || err != nil || s.Completed+s.Gone == 0 {
		return false
	}
	abs, err := filepath.Abs(dir)
	if err != nil || s.Root != tracker.EncodePath(abs) {
		return false
	}
	r.root, r.source = abs, folderPhotos(abs)
	return true
}

// matters tells by its name whether a file may be a photo. Patterns may bring back any file.
func matters(set config.Settings) func(name string) bool {
	if set.Include.Any() {
		return func(name string) bool { return name != tracker.StateName && name != tracker.LockName && name[0] != '.' }
	}
	return photo.MayBePhoto
}

// round walks the folder once and describes what it finds. A folder that is not available now is left to the next round.
func (v *folderWatch) round(ctx context.Context) error {
	r := v.runner
	v.cut = false // also where nothing is left to describe, or the folder is away: then it waits
	err := v.walk(ctx)
	var unavailable *unavailableError
	if errors.As(err, &unavailable) && (v.rounds > 0 || r.track.Counts().Done > 0) {
		v.Again(unavailable.error)
		return nil
	}
	if err != nil {
		return err
	}
	asked := 0
	if v.rounds == 0 {
		asked = sayRequests(r)
	} else {
		asked = v.requests()
	}
	v.rounds++
	if err := v.describe(ctx, asked); err != nil {
		return err
	}
	v.start()
	if v.cut || v.filled {
		return ctx.Err()
	}
	v.filled = true
	return fillIn(ctx, r)
}

// walk finds photos. The first walk says all that a run says; the others say what they find.
func (v *folderWatch) walk(ctx context.Context) (err error) {
	r := v.runner
	v.Begin()
	r.track.Files().Walk()
	if v.rounds == 0 {
		err = r.findPhotos(ctx)
	} else {
		err = v.rescan(ctx)
	}
	v.End(err == nil && r.found.unread == 0)
	return err
}

// rescan walks the folder another time.
func (v *folderWatch) rescan(ctx context.Context) (err error) {
	r := v.runner
	s := newScanner(r)
	s.warn, s.news, s.progress = func(warning) {}, func(string) {}, func(int) {}
	s.warn = r.folds.add
	if r.found, err = s.scan(ctx); err != nil {
		return err
	}
	r.folds.flush()
	r.track.Live().SetLeftOut(leftOut(r.found.leftOut))
	return takeFound(ctx, r, s)
}

// sayRound sums a round up.
func (v *folderWatch) sayRound(before tracker.Progress) {
	v.folds.flush()
	p := v.track.Live().Progress()
	text := wording.Count(p.RunCompleted-before.RunCompleted, "photo") + " described"
	if failed := p.RunFailed - before.RunFailed; failed > 0 {
		text += ", " + ui.Comma(failed) + " failed"
	}
	if v.cut {
		text += fmt.Sprintf("; %s left", wording.Count(p.Remaining, "photo"))
	}
	v.log.Info(text)
}

// idle tells everybody that there is nothing to do, and gives memory back.
func (v *folderWatch) idle() {
	if v.rounds > 0 && !v.said {
		v.said = true
		v.log.Info(fmt.Sprintf("Watching %q for new photos", v.root))
	}
	v.foreground.say(wordRunning)
	v.service.Idle()
	if v.paused == "" {
		v.tell(watch.State{})
	}
	debug.FreeOSMemory()
}

// tell says what the watch waits for: new photos, or something that keeps it from looking for them.
func (v *folderWatch) tell(s watch.State) {
	live := v.track.Live()
	paused, why := "", s.Away
	switch {
	case s.Away != "":
		paused = waitText("folder")
	case s.Paused != "":
		paused, why = waitText(s.Paused), "the machine runs on its battery"
	}
	if paused == "" {
		if v.paused != "" {
			v.log.Info("Going on: watching for new photos")
		}
		live.SetWatching()
		v.show.Watching(live.Progress, live.LastPhoto())
		v.service.Status(fmt.Sprintf("Watching; %s described", wording.Count(live.Progress().Completed, "photo")))
	} else {
		if paused != v.paused {
			v.log.Warn(fmt.Sprintf("Waiting for %s: %s", paused, ui.OneLine(why)))
		}
		live.SetWaiting(paused, false)
		v.show.SetPhase("waiting for " + paused)
		v.service.Status("Waiting for " + paused)
	}
	v.paused = paused
	p := live.Progress()
	v.events.write(watchEvent{head("watch"), paused, p.Completed, p.Failed})
}

// watchEvent is written whenever a run with --watch begins to wait.
type watchEvent struct {
	eventHead
	Waiting   string `json:"waiting,omitempty"`
	Described int    `json:"described"`
	Failed    int    `json:"failed"`
}

// bounded are photos to describe. With --watch they end after a while, so that what has come, moved or gone meanwhile is seen.
func (v *folderWatch) bounded(photos iter.Seq[string]) iter.Seq[string] {
	if v == nil {
		return photos
	}
	v.cut = false
	end := time.Now().Add(min(time.Hour, 60*v.flags.Rescan))
	return func(yield func(string) bool) {
		first := true
		for rel := range photos {
			if !first && time.Now().After(end) {
				v.cut = true
				return
			}
			if first = false; !yield(rel) {
				return
			}
		}
	}
}

// leftSome is whether the photos that bounded left were not all.
func (v *folderWatch) leftSome() bool { return v != nil && v.cut }

// The following have the walk see what package watch knows. Without --watch they change nothing.

// sure is whether a folder without photos is one from which they were deleted: another walk has seen them there.
func (v *folderWatch) sure() bool { return v.again() }

// again is whether a walk has been before.
func (v *folderWatch) again() bool { return v != nil && v.rounds > 0 }

// enter is told each folder before it is listed.
func (v *folderWatch) enter(rel string) {
	if v != nil {
		v.Folders.Enter(rel)
	}
}

// waiting is how many files have changed so lately that they are left alone.
func (v *folderWatch) waiting() int {
	if v == nil {
		return 0
	}
	return v.Rest.Waiting()
}

// rested is whether a file has not changed for a while.
func (v *folderWatch) rested(rel string, file tracker.PhotoFile) bool {
	return v == nil || v.Rest.Rested(rel, file.Size, file.ModTime)
}

// settled are the new photos that have rested.
func (v *folderWatch) settled(ctx context.Context, fresh []freshPhoto) ([]freshPhoto, error) {
	if v == nil {
		return fresh, nil
	}
	keep := make([]bool, len(fresh))
	err := inParallel(ctx, fresh, func(i int, p freshPhoto) {
		file, err := statFile(fsutil.Join(v.root, p.rel))
		// Describing what cannot be looked at tells why.
		keep[i] = err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && v.rested(p.rel, file)
	})
	settled := fresh[:0]
	for i, p := range fresh {
		if keep[i] {
			settled = append(settled, p)
		}
	}
	return settled, err
}

// walked is called after a walk. Disks that went away, and what is on them, are left as they are.
func (v *folderWatch) walked(s *scanner, found *scan) error {
	if v == nil {
		return nil
	}
	away := v.Places.Away()
	if err := away[v.root]; err != nil {
		return &unavailableError{err}
	}
	for _, path := range slices.Sorted(maps.Keys(away)) {
		if rel, err := filepath.Rel(v.root, path); err == nil {
			s.folders = append(s.folders, rel)
		}
		if !v.away[path] {
			v.log.Warn(fmt.Sprintf("%v; what is described there stays as it is until it is back", away[path]))
		}
		v.away[path] = true
	}
	for path := range v.away {
		if away[path] == nil {
			v.log.Info(fmt.Sprintf("%q is back", path))
			delete(v.away, path)
		}
	}
	if len(away) > 0 { // a link that leads nowhere may lead there
		found.unread += len(away)
		found.problems = nil
	}
	v.Places.Learn(slices.Collect(maps.Keys(found.mountPoints)))
	return nil
}
