package main

import (
	"fmt"
	"strings"
	"time"

	"photodesc/internal/runs"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// lookBeside makes this run known to other commands and looks for runs that are up
// on the same photos. It works beside the run, because the folder with the list or
// another workdir may be on a disk that hangs. The workdir's lock is held.
func (r *runner) lookBeside() {
	found := make(chan []runs.Entry, 1)
	r.beside = found
	dir, root, started := r.dir, r.root, r.started
	go func() {
		_ = runs.Add(dir, root, started) // without it, hints elsewhere lack this run
		entries, err := runs.List(started)
		if err != nil {
			entries = nil
		}
		found <- upAmong(runs.Overlap(entries, dir, root), placeTimeout)
	}()
}

// sayBeside warns of other runs on the same photos, once it is known. It waits for
// that no longer than it takes where no disk hangs.
func (r *runner) sayBeside(patience time.Duration) {
	var found []runs.Entry
	select {
	case found = <-r.beside:
		r.beside = nil
	default:
		select {
		case found = <-r.beside:
			r.beside = nil
		case <-time.After(patience):
		}
	}
	if r.set.Shard.Of > 1 {
		return // the others are probably the other shards
	}
	for _, e := range found {
		r.log.Warn(besideText(e, r.root))
	}
}

// besideText warns of a run with another workdir that is up.
func besideText(e runs.Entry, root string) string {
	what := "the same photos"
	switch here, there := root+"/", e.Root+"/"; {
	case here == there:
	case strings.HasPrefix(there, here):
		what = fmt.Sprintf("the photos in %s, which are among these", tracker.EncodePath(e.Root))
	case strings.HasPrefix(here, there):
		what = fmt.Sprintf("all photos in %s, these among them", tracker.EncodePath(e.Root))
	}
	return fmt.Sprintf("Another run describes %s; its workdir is %s\n"+
		"each writes its own descriptions, and both are slower for it; end that one with `%s`, or this one",
		what, tracker.EncodePath(e.Workdir), ui.CommandLine(e.Workdir, "stop"))
}
