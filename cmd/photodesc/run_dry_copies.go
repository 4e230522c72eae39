package main

import (
	"context"
	"sync"

	"photodesc/internal/config"
	"photodesc/tracker"
)

// This file counts copies among the photos that a run would describe. A run finds more: those whose metadata differ.

// countCopies returns how many photos are copies of others, or of one that is described with these settings: files of the same
// size and with the same ends, where these tell. With a context they may be described differently, and none is counted.
func countCopies(ctx context.Context, r *runner, todo []string) (int, error) {
	if r.flags.Duplicates != config.DuplicatesShare || len(r.set.Ask.Context) > 0 || r.flags.Exact {
		return 0, nil
	}
	sizes := make([]int64, len(todo))
	if err := inParallel(ctx, todo, func(i int, rel string) {
		if file, err := r.source.stat(rel); err == nil {
			sizes[i] = file.Size
		}
	}); err != nil {
		return 0, err
	}
	photos := map[int64]int{} // by size
	for _, size := range sizes {
		photos[size]++
	}
	id, heads := r.track.SettingsID(), map[string]bool{}
	if err := tracker.Find(r.dir, r.track.Done, 0, func(rec tracker.Record) error {
		if f := rec.File; rec.Settings == id && rec.Status == tracker.OK && f != nil && f.Head != "" && f.Picture != "" && photos[f.Size] > 0 {
			heads[f.Head] = true
			photos[f.Size]++
		}
		return ctx.Err()
	}); err != nil {
		return 0, err
	}
	copies := 0
	var mu sync.Mutex
	err := inParallel(ctx, todo, func(i int, rel string) {
		if sizes[i] == 0 || photos[sizes[i]] < 2 {
			return
		}
		path, done, err := r.source.open(ctx, rel)
		if err != nil {
			return
		}
		defer done()
		_, head, tells, err := headOf(path)
		if err != nil || !tells {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if heads[head] {
			copies++
		}
		heads[head] = true
	})
	return copies, err
}
