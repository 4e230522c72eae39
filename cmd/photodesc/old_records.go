package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"photodesc/internal/preview"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"
)

// This file reads dates and cameras of photos whose records do not have them, because version 0.1 did not note them. Confined
// workers read the metadata alone. What they find is kept beside the outputs; these stay as they are.

const (
	// oldMost is how long a command reads; the next one goes on.
	oldMost = time.Minute
	// oldTimeout bounds the time of one photo, so that a disk which does not answer holds nobody up for long.
	oldTimeout = 10 * time.Second
	// oldFailures is after how many photos in a row that cannot be read the storage counts as unavailable.
	oldFailures = 20
	// oldTogether is how many are written together.
	oldTogether = 500
)

// oldReader reads the photos of old records.
type oldReader struct {
	dir      string
	show     *exportProgress
	total    int
	mu       sync.Mutex
	looked   int // photos, also those that cannot be read
	failed   int // in a row
	unread   int
	unsaved  []tracker.FileFacts
	writeErr error
}

// fillOld reads what records of version 0.1 lack. It never fails a command: without it those photos have no date and camera.
func fillOld(ctx context.Context, s tracker.Snapshot) {
	root, err := tracker.DecodePath(s.Root)
	if err != nil || root == "" {
		return
	}
	paths, positions, err := tracker.MissingFacts(s.Dir)
	if err != nil {
		fmt.Fprintf(os.Stderr, "photodesc: dates and cameras of old photos are not read: %v\n", err)
		return
	}
	paths = slices.DeleteFunc(paths, func(path string) bool { return !filepath.IsLocal(path) })
	if len(paths) > 0 && !readOld(ctx, s.Dir, root, paths) {
		return
	}
	if positions != nil {
		_ = tracker.LookedThrough(s.Dir, positions) // it only saves time
	}
}

// readOld reads the photos at paths, and returns whether all were looked at.
func readOld(ctx context.Context, dir, root string, paths []string) bool {
	ctx, cancel := context.WithTimeout(ctx, oldMost)
	defer cancel()
	workers := min(2, max(1, runtime.NumCPU()-1))
	maker := preview.NewMaker(preview.Options{Command: func() (*exec.Cmd, error) { return previewWorker(root) }, Workers: workers, Timeout: oldTimeout, Batch: 5000})
	defer maker.Close()
	r := &oldReader{dir: dir, show: newExportProgress(), total: len(paths)}
	defer r.show.end()
	next := make(chan string)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for path := range next {
				facts, err := maker.Facts(ctx, path)
				r.add(path, facts, err)
			}
		})
	}
	for _, path := range paths {
		if ctx.Err() != nil || r.away() {
			break
		}
		next <- path
	}
	close(next)
	wait.Wait()
	r.save(1)
	switch {
	case r.writeErr != nil:
		fmt.Fprintf(os.Stderr, "photodesc: dates and cameras that were read of old photos are not kept: %v\n", r.writeErr)
	case r.away():
		fmt.Fprintf(os.Stderr, "photodesc: dates and cameras of %s are not known: the photos cannot be read now\n", wording.Count(len(paths)-r.looked+r.unread, "old photo"))
	case r.looked < len(paths):
		fmt.Fprintf(os.Stderr, "photodesc: dates and cameras of %s of %s that version 0.1 described are read; the next search --taken or export goes on, --skip-old does without\n",
			ui.Comma(r.looked), wording.Count(len(paths), "photo"))
		return false
	}
	return r.writeErr == nil && !r.away()
}

// add takes what was read of a photo.
func (r *oldReader) add(path string, f preview.Facts, err error) {
	r.mu.Lock()
	var none *preview.PhotoError
	if err != nil && !errors.As(err, &none) {
		r.mu.Unlock()
		return // stopped
	}
	r.looked++
	if err != nil {
		r.failed++
		r.unread++
	} else {
		r.failed = 0
		r.unsaved = append(r.unsaved, tracker.FileFacts{Path: path, Size: f.Size, ModTime: f.ModTime, Taken: f.Taken, Camera: f.Camera})
	}
	r.show.say(fmt.Sprintf("reading dates and cameras of old photos: %s of %s", ui.Comma(r.looked), ui.Comma(r.total)))
	r.mu.Unlock()
	r.save(oldTogether)
}

// away is whether the photos cannot be read.
func (r *oldReader) away() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed >= oldFailures || r.looked == r.total && r.unread == r.total || r.writeErr != nil
}

// save keeps what was read, if there are so many.
func (r *oldReader) save(least int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.unsaved) < least || r.writeErr != nil {
		return
	}
	r.writeErr = tracker.AddFacts(r.dir, r.unsaved)
	r.unsaved = nil
}
