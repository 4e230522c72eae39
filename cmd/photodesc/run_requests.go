package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"photodesc/internal/prompts"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

// This file takes up requests to describe photos again: first of all, and while the run describes others. For these the pool is
// stopped, which finishes the photos in flight, and another one works with the prompt that was asked for. Workers keep to one
// set of prompts from their start to their end.

// askedPhotos are the requests that a run has taken up.
type askedPhotos struct {
	ended map[string]bool // by their IDs; what they wait for is written, or cannot be
	took  time.Duration   // of the last ones, together
}

// sayRequests logs how many requests wait, and returns how many of them this run takes up.
func sayRequests(r *runner) int {
	r.asked.ended = map[string]bool{}
	all, err := tracker.ReadRequests(r.dir)
	if err != nil {
		r.log.Warn(err.Error())
	}
	mine := len(all.For(r.model.Name))
	switch {
	case mine > 0 && r.flags.NoLocal:
		r.log.Warn(fmt.Sprintf("%s to be described again, but not by this run, which describes nothing here; --no-local=false does", wording.Count(mine, "photo")))
	case mine > 0:
		r.log.Info(fmt.Sprintf("To be described again, before all others: %s", wording.Count(mine, "photo")))
	}
	if others := all.Count(tracker.RequestWaiting) - mine; others > 0 {
		r.log.Info(fmt.Sprintf("%s to be described again with another model: `%s` says how", wording.Count(others, "photo"), ui.CommandLine(r.dir, "status")))
	}
	if all.Bad > 0 {
		r.log.Warn(fmt.Sprintf("%s of %s cannot be read; the others count", wording.Count(all.Bad, "line"), tracker.RequestsName))
	}
	if r.flags.NoLocal {
		return 0
	}
	return mine
}

// leaveToOthers leaves the photos that a walk has found to other runs, for a run that describes only what was asked for.
func leaveToOthers(found *scan, requested bool) {
	if requested {
		found.later += len(found.todo)
		found.todo = nil
	}
}

func laterText(later int) string {
	if later == 0 {
		return ""
	}
	return "; " + wording.Count(later, "photo") + " to be described by other runs"
}

// describeAll describes the photos to do and, before and in between, those that are asked for.
func describeAll(ctx context.Context, r *runner) error {
	todo := r.found.todo
	defer endSharing(r)
	for {
		if r.flags.NoLocal { // what is asked for needs workers here
			return describeTodo(ctx, r, todo)
		}
		asked, err := describeAsked(ctx, r)
		if err != nil {
			return err
		}
		todo = slices.DeleteFunc(slices.Clone(todo), func(rel string) bool { return r.track.Done(rel) || isFailed(r.track, rel) })
		if len(todo) == 0 && asked == 0 {
			return nil
		}
		if len(todo) == 0 {
			continue // more may have come meanwhile
		}
		if err := describeTodo(ctx, r, todo); err != nil {
			return err
		}
		if r.watch.leftSome() {
			return nil
		}
	}
}

// describeTodo describes photos until all are done or others are asked for.
func describeTodo(ctx context.Context, r *runner, todo []string) error {
	share, err := startSharing(ctx, r)
	if err != nil {
		return err
	}
	if r.flags.NoLocal {
		return describeShared(ctx, r, share, nil, nil)
	}
	p := pool.New(r.poolConfig(todo))
	var asked atomic.Bool
	watch, end := context.WithCancel(ctx)
	defer end()
	ended, pause := maps.Clone(r.asked.ended), r.asked.took
	go func() {
		if waitForRequests(watch, r, ended, pause) {
			asked.Store(true)
			p.Stop()
		}
	}()
	if share != nil {
		return describeShared(ctx, r, share, p, asked.Load)
	}
	r.copies.begin()
	err = runPool(ctx, r, p, todo, r.keep, r.watch.bounded)
	r.copies.end()
	if asked.Load() && errors.Is(err, pool.ErrStopped) && ctx.Err() == nil {
		return nil
	}
	return err
}

// runPool describes photos, those that bounded leaves of them unless it is nil.
func runPool(ctx context.Context, r *runner, p *pool.Pool, photos []string, keep func(pool.Result) error, bounded func(iter.Seq[string]) iter.Seq[string]) error {
	r.pool.Store(p)
	reading, end := context.WithCancel(ctx)
	jobs := r.source.jobs(reading, photos)
	if bounded != nil {
		jobs = bounded(jobs)
	}
	stats, err := p.Run(ctx, jobs, keep)
	end()
	err = cmp.Or(err, r.source.err())
	r.loading.end()
	r.stats = sumStats(r.stats, stats)
	return err
}

func sumStats(a, b pool.Stats) pool.Stats {
	deaths := map[pool.DeathKind]int{}
	for _, s := range []pool.Stats{a, b} {
		for kind, n := range s.Deaths {
			deaths[kind] += n
		}
	}
	return pool.Stats{Photos: a.Photos + b.Photos, Batches: a.Batches + b.Batches, Workers: a.Workers + b.Workers, Deaths: deaths,
		Replaced: a.Replaced + b.Replaced, PeakWorkers: max(a.PeakWorkers, b.PeakWorkers), Paused: a.Paused + b.Paused}
}

// requestsEvery is how often a run looks for requests.
const requestsEvery = time.Second

// waitForRequests returns true when there are requests for the run beside those that have ended, after a pause at the earliest:
// requests that come one after the other take at most half of a run's time from other photos.
func waitForRequests(ctx context.Context, r *runner, ended map[string]bool, pause time.Duration) bool {
	tick := time.NewTicker(requestsEvery)
	defer tick.Stop()
	began, seen := time.Now(), ""
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		mark := tracker.RequestsMark(r.dir)
		if mark == seen || time.Since(began) < pause {
			continue
		}
		all, err := tracker.ReadRequests(r.dir)
		if err != nil {
			continue
		}
		seen = mark
		list := slices.DeleteFunc(all.For(r.model.Name), func(q tracker.Request) bool { return ended[q.ID] })
		if len(list) > 0 && ctx.Err() == nil {
			r.log.Info(fmt.Sprintf("%s to be described again; %s", wording.Count(len(list), "photo"), ui.FinishedFirst(r.track.Live().Progress().InFlight)))
			return true
		}
	}
}

// describeAsked describes what is asked for, and returns how many requests that were.
func describeAsked(ctx context.Context, r *runner) (int, error) {
	all, err := tracker.ReadRequests(r.dir)
	if err != nil {
		r.folds.add(warning{"file", "not read", tracker.RequestsName, err.Error(), err.Error()})
		return 0, nil
	}
	list := slices.DeleteFunc(all.For(r.model.Name), func(q tracker.Request) bool { return r.asked.ended[q.ID] })
	if len(list) == 0 {
		return 0, nil
	}
	began := time.Now()
	defer func() { r.asked.took = time.Since(began) }()
	for _, g := range groupRequests(r, list) {
		if err := g.describe(ctx, r); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

// askedGroup are requests with one prompt.
type askedGroup struct {
	prompt   string
	ask      worker.Questions
	settings tracker.Settings
	chosen   bool // the prompt is not the run's
	paths    []string
	byPath   map[string][]tracker.Request
}

// groupRequests groups requests by their prompts and ends those that cannot be answered.
func groupRequests(r *runner, list []tracker.Request) (groups []*askedGroup) {
	byPrompt := map[string]*askedGroup{}
	refused := map[string][]tracker.Request{} // by the reason, to be written together
	defer func() {
		for reason, list := range refused {
			endRequests(r, list, tracker.RequestFailed, reason)
		}
	}()
	for _, q := range list {
		if reason := refusal(r, q); reason != "" {
			refused[reason] = append(refused[reason], q)
			continue
		}
		g := byPrompt[q.Prompt]
		if g == nil {
			var err error
			if g, err = newAskedGroup(r, q.Prompt); err != nil {
				refused[err.Error()] = append(refused[err.Error()], q)
				continue
			}
			byPrompt[q.Prompt] = g
			groups = append(groups, g)
		}
		if g.byPath[q.Path] == nil {
			g.paths = append(g.paths, q.Path)
		}
		g.byPath[q.Path] = append(g.byPath[q.Path], q)
	}
	return groups
}

// refusal is why a request cannot be answered whatever its prompt, "" if it may be. Anybody who can write to the workdir can
// write a request; only photos that a run has found are opened.
func refusal(r *runner, q tracker.Request) string {
	if !filepath.IsLocal(q.Path) || !r.track.Files().Known(q.Path) {
		return "this is no photo that was described or failed here"
	}
	return ""
}

func newAskedGroup(r *runner, prompt string) (*askedGroup, error) {
	g := &askedGroup{prompt: prompt, byPath: map[string][]tracker.Request{}}
	var err error
	if g.ask, err = askAgain(r.set.Ask, prompt); err != nil {
		return nil, err
	}
	if g.settings, err = r.wordSettings(); err != nil {
		return nil, err
	}
	for i := range g.settings {
		if s := &g.settings[i]; s.Name == "prompt" {
			g.chosen = s.Value != g.ask.Asked()
			s.Value = g.ask.Asked()
		}
	}
	return g, nil
}

// askAgain are a run's questions with another prompt in the place of the first. Keywords are asked for beside a description, not in
// its place. Further prompts of the run are asked as ever, so that no answer gets lost.
func askAgain(run worker.Questions, given string) (worker.Questions, error) {
	if given == "" {
		return run, nil
	}
	p, err := prompts.Parse(given)
	if err != nil {
		return run, err
	}
	list := []prompts.Prompt{p}
	if first := run.Prompts[0]; first.Text == p.Text || p.List && !first.List {
		list = []prompts.Prompt{first}
	}
	for _, further := range append(slices.Clone(run.Prompts[1:]), p) {
		asked := slices.ContainsFunc(list, func(have prompts.Prompt) bool { return have.Text == further.Text })
		if !asked {
			list = append(list, further)
		}
	}
	run.Prompts = list
	return run, prompts.Number(list)
}

// describe describes the photos of a group.
func (g *askedGroup) describe(ctx context.Context, r *runner) error {
	if err := g.endDescribed(r); err != nil || len(g.paths) == 0 {
		return err
	}
	as := "as the others are"
	if g.chosen {
		as = fmt.Sprintf("with the prompt %q", ui.OneLine(g.prompt))
	}
	r.detail.Info(fmt.Sprintf("%s again, %s", wording.Count(len(g.paths), "photo"), as))
	cfg := r.poolConfig(g.paths)
	cfg.Command = startsWorkers(func() worker.Config {
		c := r.workerConfig()
		c.Ask, c.Share = g.ask, false // who asks for a photo wants other words
		return c
	})
	err := runPool(ctx, r, pool.New(cfg), g.paths, func(res pool.Result) error { return g.keep(r, res) }, nil)
	// A prompt on which the model cannot be loaded, or on which workers die, must not keep the run from its own photos.
	var fatal *pool.FatalError
	var deaths *pool.DeathsError
	if errors.As(err, &fatal) || errors.As(err, &deaths) {
		r.folds.add(warning{"request", "failed", g.prompt, err.Error(), fmt.Sprintf("Not described again: %v", err)})
		for _, path := range g.paths {
			endRequests(r, g.byPath[path], tracker.RequestFailed, err.Error())
		}
		return nil
	}
	return err
}

// endDescribed ends requests whose descriptions were written before a run was killed.
func (g *askedGroup) endDescribed(r *runner) error {
	err := tracker.Find(r.dir, inSet(g.byPath), 0, func(rec tracker.Record) error {
		list := g.byPath[rec.Path]
		if rec.Status != tracker.OK || rec.Request == nil || !slices.ContainsFunc(list, func(q tracker.Request) bool { return q.ID == rec.Request.ID }) {
			return nil
		}
		endRequests(r, list, tracker.RequestDescribed, "")
		delete(g.byPath, rec.Path)
		return nil
	})
	g.paths = slices.DeleteFunc(g.paths, func(path string) bool { return g.byPath[path] == nil })
	return err
}

// keep records a description that was asked for. An error ends the run.
func (g *askedGroup) keep(r *runner, res pool.Result) error {
	rec, more := recordOf(res, r.model.Name, g.ask.First())
	if err := r.source.finish(&rec); err != nil {
		return err
	}
	list := g.byPath[rec.Path]
	rec.Request = &tracker.RecordRequest{ID: list[0].ID, Chosen: g.chosen}
	rec.Settings = g.settings.ID()
	if err := tracker.AddAsked(r.track, g.settings, rec); err != nil && !r.alreadyDone(rec.Path, err) {
		return err
	}
	if rec.Status == tracker.Failed {
		r.folds.add(failedWarning(rec))
		endRequests(r, list, tracker.RequestFailed, string(rec.Error.Kind)+": "+rec.Error.Message)
	} else {
		endRequests(r, list, tracker.RequestDescribed, "")
	}
	shown(r, rec, res.Batch, more)
	return nil
}

// endRequests writes what became of requests. A file that cannot be written costs nothing: the records say it, too.
func endRequests(r *runner, list []tracker.Request, outcome tracker.RequestOutcome, why string) {
	var answers []tracker.RequestAnswer
	for _, q := range list {
		r.asked.ended[q.ID] = true
		answers = append(answers, tracker.RequestAnswer{ID: q.ID, Done: outcome, Why: why, Time: time.Now()})
	}
	if err := tracker.AnswerRequests(r.dir, answers...); err != nil {
		r.folds.add(warning{"file", "not written", tracker.RequestsName, err.Error(), err.Error()})
	}
}
