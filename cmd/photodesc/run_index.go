package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"photodesc/internal/search"
)

// This file brings the search index up to date while a run works, so that a search need not.

const (
	// indexInterval is how often new descriptions are indexed, some hundred at most: milliseconds of work.
	indexInterval = 30 * time.Second
	// behindInterval is the pause between parts of an index that has to catch up, each of which takes a second or two.
	behindInterval = 10 * time.Second
	// indexLast is how long the end of a run waits for the index. A search does the rest.
	indexLast = 3 * time.Second
)

// indexing brings the search index of a workdir up to date beside a run.
type indexing struct {
	dir    string
	warn   func(string)
	cancel context.CancelFunc
	ended  chan struct{}
	failed bool // it was said, and nothing is indexed any more
}

// startIndexing begins to index. warn is told at most once that it cannot be done; the run goes on.
func startIndexing(dir string, warn func(string)) *indexing {
	ctx, cancel := context.WithCancel(context.Background())
	i := &indexing{dir: dir, warn: warn, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(i.ended)
		for wait := indexInterval; !i.failed; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			wait = indexInterval
			if i.some(ctx) {
				wait = behindInterval
			}
		}
	}()
	return i
}

// end indexes what was described last, if that takes a moment only. A run that was killed does not wait for it.
func (i *indexing) end(killed bool) {
	i.cancel()
	<-i.ended
	if killed || i.failed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), indexLast)
	defer cancel()
	i.some(ctx)
}

// some indexes what is new, but no more than takes a second or two. behind says that there is more.
func (i *indexing) some(ctx context.Context) (behind bool) {
	x, err := search.Open(ctx, i.dir)
	if err == nil {
		behind, err = x.UpdateSome(ctx)
		_ = x.Close()
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		i.failed = true
		i.warn(fmt.Sprintf("The search index cannot be brought up to date: %v. Nothing else is affected; `search` tries again", err))
	}
	return behind
}
