package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"photodesc/internal/photo"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// This file finds what is to be done.

// photoFolder checks the folder and makes it absolute, links and all, so that
// the same folder is the same workdir's from wherever it is named.
func photoFolder(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("there is no folder %q\n  give the folder that holds the photos", dir)
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%q is a file\n  give the folder that holds it; all photos under it are described", dir)
	}
	return abs, nil
}

// walk finds what is to be done and tells of what is not.
func (r *runner) walk(ctx context.Context) (todo []string, err error) {
	r.track.Live().SetPhase("looking for photos")
	r.show.Wait("looking for photos")
	var found, done, failed, problems int
	bad := 0 // have a photo's name and are no files, so Walk does not find them
	before := r.track.Counts().Failed
	linked := storage.NewLinks(r.root)
	r.mountPoints = storage.NewMountPoints(r.root)
	var out photo.LeftOut
	opts := r.walkOptions(func(rel string) bool { return r.track.Done(rel) || r.isFailed(rel) })
	opts.LeftOut = &out
	opts.Warn = func(rel string, err error) {
		r.log.Warn(fmt.Sprintf("%s: %v", tracker.EncodePath(rel), err))
	}
	opts.Link = func(path string) {
		linked.Add(path)
		r.mountPoints.Add(path)
	}
	opts.Problem = func(p photo.Problem) {
		if p.Folder && p.Path == "." {
			err = fmt.Errorf("%q: %w\n  see to its disk, mend its permissions, or run as a user who may read it", r.root, p.Err.Err)
			return
		}
		if p.Folder {
			r.unread++
			r.log.Warn(fmt.Sprintf("Folder %q is left out: %v", p.Path, p.Err.Err))
			return
		}
		if r.track.Done(p.Path) { // when it was still a file
			return
		}
		bad++
		if r.isFailed(p.Path) {
			failed++
			return
		}
		problems++
		if e := r.track.Add(r.failure(p.Path, string(p.Err.Kind), p.Err.Err.Error(), 0)); e != nil && !r.twice(p.Path, e) && err == nil {
			err = e
		}
	}
	walkErr := photo.Walk(ctx, r.root, opts, func(rel string) error {
		if found++; found%1000 == 0 {
			r.show.Wait("looking for photos: " + ui.Comma(found) + " so far")
		}
		switch {
		case r.track.Done(rel):
			done++
			r.knownReadable = rel
		case r.isFailed(rel):
			failed++
		case r.flags.Limit == 0 || len(todo) < r.flags.Limit:
			todo = append(todo, rel)
		default:
			r.left++
		}
		return err // of Problem
	})
	if err == nil {
		err = walkErr
	}
	if err != nil {
		return nil, err
	}
	r.links = linked.Paths()
	c := r.track.Counts()
	r.sayLeftOut(out)
	if known := c.Done + c.Failed; found+bad+len(out.Excluded) == 0 && known > 0 {
		return nil, fmt.Errorf("there is no photo in %q any more (known: %s); is its disk mounted?\n  when it is, run again; the results stay as they are",
			r.root, ui.Plural(known, "photo"))
	}
	if r.unread == 0 { // else they may be in there
		if r.gone = max(before-failed, 0); r.gone > 0 {
			r.log.Info(fmt.Sprintf("%s that failed before: not there any more, or left out", ui.Plural(r.gone, "photo")))
		}
	}
	found += bad
	if found == 0 {
		besides := ""
		if !r.track.Live().LeftOut().IsZero() {
			besides = " besides what is left out"
		}
		r.log.Warn(fmt.Sprintf("There is no photo in %q%s", r.root, besides))
	}
	r.track.Live().SetTotal(c.Done + c.Failed - r.gone + len(todo) + r.left)
	later := ""
	if r.left > 0 {
		later = fmt.Sprintf(", %s for later runs", ui.Comma(r.left))
	}
	r.log.Info(fmt.Sprintf("Found %s: %s described, %s failed, %s to do%s",
		ui.Plural(found, "photo"), ui.Comma(done), ui.Comma(failed+problems), ui.Comma(len(todo)), later))
	return todo, nil
}

// walkOptions are those that decide what is found. Photos that are known need
// not be opened to see whether they are photos.
func (r *runner) walkOptions(known func(rel string) bool) photo.WalkOptions {
	return photo.WalkOptions{Skip: r.ownFiles(), Exclude: r.set.Exclude, Include: r.set.Include, Known: known}
}

// sayLeftOut tells the log, status and summary what the walk left out.
func (r *runner) sayLeftOut(out photo.LeftOut) {
	kinds := func(list []photo.Tally) (to []tracker.LeftOutKind) {
		for _, t := range list {
			to = append(to, tracker.LeftOutKind{Of: t.Of, Count: t.Count, First: t.First})
		}
		return to
	}
	r.track.Live().SetLeftOut(tracker.LeftOut{
		Names: kinds(out.Names), Cloud: kinds(out.Cloud), Folders: kinds(out.Folders), Excluded: kinds(out.Excluded),
	})
	for _, p := range []struct {
		flag     string
		patterns photo.Patterns
	}{{"--exclude", r.set.Exclude}, {"--include", r.set.Include}} {
		if unused := p.patterns.Unused(); len(unused) > 0 {
			r.log.Info(fmt.Sprintf("%s changes nothing here with %q", p.flag, unused))
		}
	}
	o := r.track.Live().LeftOut()
	for _, line := range ui.LeftOutFolders(o, true) {
		r.log.Info(line)
	}
	for _, line := range ui.LeftOutNames(o, true) {
		r.log.Warn(line)
	}
}

func (r *runner) isFailed(rel string) bool {
	_, failed := r.track.Failed(rel)
	return failed
}

// ownFiles are the workdir's own files, which may lie among the photos.
func (r *runner) ownFiles() []string {
	var own []string
	for _, name := range []string{tracker.OutputsName, tracker.LogsName, tracker.ProgressName, tracker.StateName, tracker.LockName} {
		own = append(own, filepath.Join(r.dir, name))
	}
	return own
}
