package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"photodesc/internal/runs"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// This file looks at the other workdirs of this user on this machine. Whether a run
// is up is decided by the lock in its workdir; package runs only says where to look.

const (
	// placeTimeout is how long a workdir may take to answer `status --all`.
	placeTimeout = 2 * time.Second
	// hintTimeout is the same for a hint, which must not hold up a command or a run.
	hintTimeout = 300 * time.Millisecond
	// placesAtOnce bounds the workdirs that are looked at side by side. Each may be on
	// a disk that hangs and then keeps a thread.
	placesAtOnce = 64
)

// everyPlace returns what is known of all workdirs, those with a run that is up
// first. Workdirs whose folder is gone are left out.
func everyPlace(now time.Time, timeout time.Duration) ([]ui.Place, error) {
	entries, err := runs.List(now)
	if err != nil {
		return nil, err
	}
	type looked struct {
		status tracker.Snapshot
		err    error
	}
	places := []ui.Place{}
	for i, answer := range eachEntry(entries, timeout, func(e runs.Entry) looked {
		s, err := tracker.Peek(e.Workdir)
		return looked{s, err}
	}) {
		p := ui.Place{Workdir: tracker.EncodePath(entries[i].Workdir), Root: tracker.EncodePath(entries[i].Root), Began: entries[i].Started}
		switch {
		case answer == nil:
			p.Problem = "no answer within " + ui.Spell(timeout)
		case errors.Is(answer.err, fs.ErrNotExist), errors.Is(answer.err, syscall.ENOTDIR):
			continue
		case answer.err != nil:
			p.Problem = answer.err.Error()
		case answer.status.State == tracker.StateNone:
			continue // the folder was emptied
		default:
			p.Answers, p.Status = true, &answer.status
		}
		places = append(places, p)
	}
	up := func(p ui.Place) int {
		if p.Answers && p.Status.Running {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(places, func(a, b ui.Place) int { return cmp.Compare(up(a), up(b)) })
	return places, nil
}

// eachEntry asks about each entry, side by side. The answer is nil if it did not
// come in time.
func eachEntry[T any](entries []runs.Entry, timeout time.Duration, ask func(runs.Entry) T) []*T {
	answers := make([]chan T, len(entries))
	free := make(chan struct{}, placesAtOnce)
	list := make([]*T, len(entries))
	done := make(chan struct{})
	for i, e := range entries {
		answers[i] = make(chan T, 1)
		go func() {
			defer func() { done <- struct{}{} }()
			free <- struct{}{}
			defer func() { <-free }()
			go func() { answers[i] <- ask(e) }()
			select {
			case a := <-answers[i]:
				list[i] = &a
			case <-time.After(timeout):
			}
		}()
	}
	for range entries {
		<-done
	}
	return list
}

// upAmong are those entries whose workdir has a run that is up.
func upAmong(entries []runs.Entry, timeout time.Duration) (up []runs.Entry) {
	for i, running := range eachEntry(entries, timeout, func(e runs.Entry) bool {
		running, _, _ := tracker.Running(e.Workdir)
		return running
	}) {
		if running != nil && *running {
			up = append(up, entries[i])
		}
	}
	return up
}

// upElsewhere are the runs that are up in other workdirs than dir. It is for hints,
// so an error is none.
func upElsewhere(dir string, now time.Time) []runs.Entry {
	entries, err := runs.List(now)
	if err != nil {
		return nil
	}
	here, err := os.Stat(dir)
	return slices.DeleteFunc(upAmong(entries, hintTimeout), func(e runs.Entry) bool {
		there, e2 := os.Stat(e.Workdir)
		return err == nil && e2 == nil && os.SameFile(here, there)
	})
}
