package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/search"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// exporter is one call of `photodesc export`.
type exporter struct {
	ctx      context.Context
	out      io.Writer // standard output
	flags    *exportFlags
	snapshot tracker.Snapshot
	words    string
	folder   string // "" is all
	since    time.Time

	matches map[photoKey]bool // with words: the photos that have them
	gone    *tracker.Gone     // photos that are left out; nil without
}

// photoKey stands for the path of a photo where a million of them are kept.
type photoKey [16]byte

func keyOfPhoto(path string) photoKey {
	sum := sha256.Sum256([]byte(path))
	return photoKey(sum[:])
}

// each calls found with each photo that was asked for: its newest answer, or a person's words in place of it. It may be called
// several times.
func (x *exporter) each(found func(*tracker.Photo) error) error {
	if err := x.findWords(); err != nil {
		return err
	}
	return x.eachOf(x.wanted, x.since, found)
}

// everyPhoto is each for all photos with a text, also those that were not asked for.
func (x *exporter) everyPhoto(found func(*tracker.Photo) error) error {
	return x.eachOf(nil, time.Time{}, found)
}

// eachOf gives the photos that match, nil for all, and whose words are not from before a time.
func (x *exporter) eachOf(match func(path string) bool, since time.Time, found func(*tracker.Photo) error) error {
	show := newExportProgress()
	if x.flags.output == "" && ui.TerminalWidth(x.out) > 0 {
		show = nil // the photos themselves are on the terminal
	}
	defer show.end()
	any := false
	for p, err := range tracker.Photos(x.snapshot.Dir, tracker.Select{Match: match}) {
		if err != nil {
			return ui.WorkdirError(x.snapshot.Dir, err)
		}
		if err := x.ctx.Err(); err != nil {
			return err
		}
		if !p.HasWords() && !x.flags.failed || wordsTime(&p).Before(since) {
			continue
		}
		show.count()
		any = true
		if err := found(&p); err != nil {
			return err
		}
	}
	if !any && x.folder != "" && x.words == "" {
		fmt.Fprintf(os.Stderr, "photodesc: no photo in %q fits; is this the folder as seen from %q?\n", tracker.EncodePath(x.folder), x.snapshot.Root)
	}
	return nil
}

// wanted is whether a photo was asked for, as far as its path tells. It is called by several goroutines at once.
func (x *exporter) wanted(path string) bool {
	if x.gone.Has(path) {
		return false
	}
	if x.words != "" {
		return x.matches[keyOfPhoto(path)]
	}
	return x.folder == "" || x.folder == "." || fsutil.Below(path, x.folder)
}

// findWords looks for the photos that have the words.
func (x *exporter) findWords() error {
	if x.words == "" || x.matches != nil {
		return nil
	}
	index, err := updatedIndex(x.ctx, x.snapshot.Dir)
	if err != nil {
		return err
	}
	defer index.Close()
	x.matches = map[photoKey]bool{}
	err = index.Paths(x.ctx, x.words, search.Options{Folder: x.folder}, func(path string) error {
		x.matches[keyOfPhoto(path)] = true
		return nil
	})
	if errors.Is(err, search.ErrEmpty) {
		return ui.UsageError("%v; leave the words out to export all photos", err)
	}
	return err
}

// exportProgress counts photos on a terminal, once that takes a while.
type exportProgress struct {
	show   *ui.Progress
	begun  time.Time
	photos int
}

// shownFromSecond is after how long an export shows how far it is.
const shownFromSecond = time.Second

func newExportProgress() *exportProgress {
	return &exportProgress{show: ui.NewProgress(os.Stderr), begun: time.Now()}
}

func (p *exportProgress) count() {
	if p == nil {
		return
	}
	if p.photos++; p.photos%256 == 0 {
		p.say("exporting photos: " + ui.Comma(p.photos))
	}
}

// say shows how far the export is.
func (p *exportProgress) say(text string) {
	if time.Since(p.begun) > shownFromSecond {
		p.show.Wait(text)
	}
}

func (p *exportProgress) end() {
	if p != nil {
		p.show.End()
		p.show.Plain.Flush()
	}
}
