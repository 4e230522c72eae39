package main

import (
	"encoding/json"
	"fmt"
	"sync"

	"photodesc/internal/config"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/tracker"
)

// This file gives photos with the same picture the words of one of them. A worker that has decoded a photo asks whether the model
// has to look at it, see worker.Sight: nothing more is read for it than is read anyway, and it is not needed to know beforehand which
// photos may be the same.

// copies are the photos whose pictures are described already, or just now. A nil *copies shares nothing.
type copies struct {
	pictures *tracker.Pictures
	say      func(text string)

	mu      sync.Mutex
	claims  map[worker.Sight]string // photos that are being described
	same    map[string]sameAs       // photos in flight that need not be described
	waiting map[string][]answered   // photos that wait for the words of another, by its path
	again   int                     // photos to be described after all: the one with the same picture failed
	ended   int                     // photos that were described or failed
	alone   bool                    // these are being described: none waits for another
}

// sameAs is what a photo in flight has the picture of.
type sameAs struct {
	sight worker.Sight
	path  string          // of a photo that is being described, or was
	words *tracker.Record // nil: it is being described
}

// answered is what a worker says of a photo that it was told not to describe.
type answered struct {
	rec  tracker.Record
	more worker.Answer
}

func newCopies(r *runner) *copies {
	// Measuring takes every photo alike. Machines that share a run do not know of each other's photos.
	if r.flags.Duplicates != config.DuplicatesShare || r.flags.Exact || r.flags.Shared() {
		return nil
	}
	return &copies{
		pictures: r.track.Pictures(), say: func(text string) { r.log.Info(text) },
	}
}

// needed returns pool.Config.Needed.
func (c *copies) needed() func(path string, data json.RawMessage) bool {
	if c == nil {
		return nil
	}
	return func(path string, data json.RawMessage) bool {
		var sight worker.Sight
		if err := json.Unmarshal(data, &sight); err != nil || sight.Picture == "" {
			return true
		}
		return c.claim(path, sight)
	}
}

// claim is whether a photo is to be described. It is from then on the one whose words others with the same picture wait for.
func (c *copies) claim(path string, sight worker.Sight) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.same, path)
	other, claimed := c.claims[sight]
	switch {
	case claimed && other == path: // another attempt
		return true
	case claimed && !c.alone:
		c.same[path] = sameAs{sight: sight, path: other}
		return false
	}
	var was tracker.Record
	known := false
	for seen := -1; seen != c.ended; { // until no photo came to its end meanwhile, as this picture's may have
		seen = c.ended
		c.mu.Unlock()
		was, known = c.pictures.Find(sight.Picture, sight.Context)
		c.mu.Lock()
		if known {
			break
		}
	}
	if known && was.Path != path {
		c.same[path] = sameAs{words: &was}
		return false
	}
	if other, claimed := c.claims[sight]; claimed && !c.alone { // meanwhile
		c.same[path] = sameAs{sight: sight, path: other}
		return false
	}
	c.claims[sight] = path
	return true
}

// share gives a photo that was not described the words of the one with the same picture. ok is false where these are not there yet:
// then the photo waits for them, or is described at the end.
func (c *copies) share(rec *tracker.Record, more worker.Answer) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	as, known := c.same[rec.Path]
	delete(c.same, rec.Path)
	if !known {
		*rec = failure(rec.Path, string(tracker.Model), "the worker's answer is no description")
		return true
	}
	if as.words == nil && c.claims[as.sight] == as.path {
		c.waiting[as.path] = append(c.waiting[as.path], answered{*rec, more})
		return false
	}
	if as.words == nil {
		of, found := c.pictures.Find(as.sight.Picture, as.sight.Context)
		if !found { // it failed
			c.again++
			return false
		}
		as.words = &of
	}
	rec.Share(as.words)
	return true
}

// finished returns the photos that waited for one, with its words. If it failed there are none, and they are described themselves.
func (c *copies) finished(rec *tracker.Record) []answered {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
	for sight, path := range c.claims {
		if path == rec.Path {
			delete(c.claims, sight)
		}
	}
	delete(c.same, rec.Path)
	waited := c.waiting[rec.Path]
	delete(c.waiting, rec.Path)
	if rec.Status == tracker.OK {
		for i := range waited {
			waited[i].rec.Share(rec)
		}
		return waited
	}
	c.again += len(waited)
	return nil
}

// begin comes before the photos of a run, or the rest of them, are handed to workers.
func (c *copies) begin() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims, c.same, c.waiting = map[worker.Sight]string{}, map[string]sameAs{}, map[string][]answered{}
}

// end comes after. The photos whose original failed are left to be described by themselves.
func (c *copies) end() {
	if c == nil || c.again == 0 {
		return
	}
	c.say(fmt.Sprintf("%s with the same picture as one that failed: described", wording.Count(c.again, "photo")))
	c.again, c.alone = 0, true
}
