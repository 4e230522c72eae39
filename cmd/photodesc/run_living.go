package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo/identity"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"
)

// This file finds out which described photos were moved or changed since. A walk looks at the size and time of each described photo.
// Files are read only where these are others than before, or where new photos came while described ones went.

// living is what became of described photos since.
type living struct {
	changed    []string                      // with another picture
	refreshed  map[string]*tracker.PhotoFile // with another file and the same picture
	moved      map[string]movedTo            // by the path before
	unknown    []string                      // of which only the path is known
	triedAgain int                           // failed, and the file was changed since
}

// lookers is how many files are looked at together: on a server, most of the time is waiting.
const lookers = 16

// inParallel calls f with each item, several at a time, and returns when all are done or, with an error, soon after ctx has ended.
func inParallel[T any](ctx context.Context, items []T, f func(i int, item T)) error {
	var wait sync.WaitGroup
	next := make(chan int)
	for range min(lookers, len(items)) {
		wait.Go(func() {
			for i := range next {
				f(i, items[i])
			}
		})
	}
	for i := range items {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wait.Wait()
	return ctx.Err()
}

// wholeReads bounds how many photos are read whole together: JPEGs of up to 64 MiB are then in memory.
var wholeReads = make(chan struct{}, 4)

func readWhole(path string) (*tracker.PhotoFile, error) {
	wholeReads <- struct{}{}
	defer func() { <-wholeReads }()
	return fileAt(path)
}

// statter looks at the files of described photos while the walk goes on.
type statter struct {
	track   *tracker.Tracker
	source  photoSource
	batches chan []string
	batch   []string
	wait    sync.WaitGroup
	mu      sync.Mutex
	touched []string // whose size or time is another
	unknown []string // of which nothing but the path is known
	rested  func(rel string, file tracker.PhotoFile) bool
}

func newStatter(track *tracker.Tracker, source photoSource, rested func(string, tracker.PhotoFile) bool) *statter {
	s := &statter{track: track, source: source, rested: rested, batches: make(chan []string, lookers)}
	for range lookers {
		s.wait.Go(func() {
			for batch := range s.batches {
				for _, rel := range batch {
					s.look(rel)
				}
			}
		})
	}
	return s
}

func (s *statter) look(rel string) {
	if s.track.Files().FileUnknown(rel) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unknown = append(s.unknown, rel)
		return
	}
	file, err := s.source.stat(rel)
	if err != nil || !s.track.Files().FileChanged(rel, file) || !s.rested(rel, file) {
		return // what cannot be looked at now is not another picture
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touched = append(s.touched, rel)
}

func (s *statter) add(rel string) {
	if s.batch = append(s.batch, rel); len(s.batch) == 256 {
		s.batches <- s.batch
		s.batch = nil
	}
}

// end returns the photos whose files are others than those that were described.
func (s *statter) end() []string {
	s.batches <- s.batch
	close(s.batches)
	s.wait.Wait()
	slices.Sort(s.touched)
	return s.touched
}

func statFile(path string) (tracker.PhotoFile, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &fsutil.NotRegularError{Mode: info.Mode()}
	}
	if err != nil {
		return tracker.PhotoFile{}, err
	}
	return tracker.PhotoFile{Size: info.Size(), ModTime: info.ModTime().UTC()}, nil
}

// filesOf returns the files of described photos as they were described, by path.
func (s *scanner) filesOf(match func(rel string) bool) (map[string]*tracker.PhotoFile, error) {
	files := map[string]*tracker.PhotoFile{}
	err := tracker.Find(s.dir, match, 0, func(r tracker.Record) error {
		if r.Status == tracker.OK && r.File != nil {
			files[r.Path] = r.File
		}
		return nil
	})
	return files, err
}

func inSet[V any](set map[string]V) func(string) bool {
	return func(rel string) bool { _, in := set[rel]; return in }
}

// compare finds out which of the touched photos have another picture.
func (s *scanner) compare(ctx context.Context, touched []string, out *living) error {
	if len(touched) == 0 {
		return nil
	}
	set := map[string]bool{}
	for _, rel := range touched {
		set[rel] = true
	}
	before, err := s.filesOf(inSet(set))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	compared := 0
	err = inParallel(ctx, touched, func(_ int, rel string) {
		was := before[rel]
		if was == nil {
			return
		}
		now, same, err := pictureNow(ctx, s.source, rel, was)
		mu.Lock()
		defer mu.Unlock()
		if compared++; compared%100 == 0 {
			s.news(fmt.Sprintf("%s of %s that were changed compared", ui.Comma(compared), wording.Count(len(touched), "photo")))
		}
		switch {
		case err != nil:
			s.warn(warning{"photo", "not compared", tracker.EncodePath(rel), err.Error(), fmt.Sprintf("%s was changed and cannot be read now: %v", tracker.EncodePath(rel), err)})
		case same:
			out.refreshed[rel] = now
		default:
			out.changed = append(out.changed, rel)
		}
	})
	slices.Sort(out.changed)
	return err
}

// pictureNow is what a file is now, and whether it has the picture that it had.
func pictureNow(ctx context.Context, source photoSource, rel string, was *tracker.PhotoFile) (now *tracker.PhotoFile, same bool, err error) {
	info, err := source.stat(rel)
	if err == nil && info.ETag != "" && info.ETag == was.ETag && info.Size == was.Size {
		return withContent(info, was), true, nil
	}
	path, done, err := source.open(ctx, rel)
	if err != nil {
		return nil, false, err
	}
	defer done()
	local, head, tells, err := headOf(path)
	if err != nil {
		return nil, false, err
	}
	info.Size, info.ModTime = local.Size, local.ModTime
	if head == was.Head && tells {
		return withContent(info, was), true, nil
	}
	if now, err = readWhole(path); err != nil {
		return nil, false, err
	}
	now.ETag = info.ETag
	return now, sameContent(now, was), nil
}

// withContent returns a file with the hashes of another one that has the same content.
func withContent(file tracker.PhotoFile, same *tracker.PhotoFile) *tracker.PhotoFile {
	file.Hash, file.Head, file.Picture = same.Hash, same.Head, same.Picture
	return &file
}

// sameContent is whether the hashes say that two files have the same picture.
func sameContent(a, b *tracker.PhotoFile) bool {
	if a.Picture != "" && b.Picture != "" {
		return a.Picture == b.Picture
	}
	return a.Hash != "" && a.Hash == b.Hash
}

// headOf reads the ends of a file. tells is whether files with the same ends are the same.
func headOf(path string) (info tracker.PhotoFile, head string, tells bool, err error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return info, "", false, err
	}
	defer f.Close()
	at, err := f.Stat()
	if err != nil {
		return info, "", false, err
	}
	info = tracker.PhotoFile{Size: at.Size(), ModTime: at.ModTime().UTC()}
	head, err = identity.Head(f, info.Size)
	return info, head, err == nil && identity.HeadTells(f, info.Size), err
}

// keepUp writes what became of described photos.
func (l *living) keepUp(r *runner) error {
	if n := len(l.moved); n > 0 {
		corrected, err := moveCorrections(r.dir, l.moved)
		if err != nil {
			return err
		}
		if err := rewrite(r.dir, inSet(l.moved), func(batch []tracker.Record) error {
			moves := make([]tracker.Moved, len(batch))
			for i, rec := range batch {
				to := l.moved[rec.Path]
				moves[i] = tracker.Moved{Record: rec, Path: to.path, File: to.file}
			}
			return r.track.Files().Move(moves)
		}); err != nil {
			return err
		}
		if err := moveLateCorrections(r.dir, l.moved, corrected); err != nil {
			return err
		}
		r.log.Info(fmt.Sprintf("%s moved or renamed: the descriptions stay", wording.Count(n, "photo")))
	}
	if n := len(l.refreshed); n > 0 {
		if err := rewrite(r.dir, inSet(l.refreshed), func(batch []tracker.Record) error {
			for i, rec := range batch {
				batch[i].File = l.refreshed[rec.Path]
			}
			return r.track.Files().Refresh(batch)
		}); err != nil {
			return err
		}
		r.log.Info(fmt.Sprintf("%s changed, the picture is the same: the descriptions stay", wording.Count(n, "photo")))
	}
	if n := len(l.changed); n > 0 {
		price := takesText(n, r.track.Live().Progress().RateOverall)
		if err := r.track.Files().Forget(l.changed); err != nil {
			return err
		}
		r.log.Info(fmt.Sprintf("%s with another picture than the one that was described: described again%s", wording.Count(n, "photo"), price))
	}
	if n := l.triedAgain; n > 0 {
		r.log.Info(fmt.Sprintf("%s that failed before and changed since: tried again", wording.Count(n, "photo")))
	}
	return nil
}

// rewrite calls write with the newest records of photos, some at a time.
func rewrite(dir string, match func(string) bool, write func([]tracker.Record) error) error {
	var batch []tracker.Record
	flush := func() error {
		err := write(batch)
		batch = nil
		return err
	}
	err := tracker.Find(dir, match, 0, func(rec tracker.Record) error {
		if rec.Status != tracker.OK {
			return nil
		}
		if batch = append(batch, rec); len(batch) < 2000 {
			return nil
		}
		return flush()
	})
	return cmp.Or(err, flush())
}

// moveCorrections gives moved photos the words that people wrote for them. It comes before the photos are moved, so that a crash in
// between loses none.
func moveCorrections(dir string, moved map[string]movedTo) (*tracker.Corrections, error) {
	all, err := tracker.ReadCorrections(dir)
	if err != nil || all.Len() == 0 {
		return all, err
	}
	corrected := func(rel string) bool {
		_, has := all.Of(rel)
		_, in := moved[rel]
		return in && has
	}
	here := map[string]tracker.Correction{} // by the path now
	err = tracker.Find(dir, corrected, 0, func(rec tracker.Record) error {
		if photo := all.Apply(rec); photo.Corrected() {
			c, _ := all.Of(rec.Path)
			to := moved[rec.Path]
			c.Path, c.File, c.Picture = to.path, to.file, to.file.Picture
			here[to.path] = c
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, writeMoved(dir, here)
}

// moveLateCorrections does so with what people wrote under the paths before since those corrections were read. It comes when the photos
// are moved: from then on nothing can be written under the paths before.
func moveLateCorrections(dir string, moved map[string]movedTo, before *tracker.Corrections) error {
	all, err := tracker.ReadCorrections(dir)
	if err != nil {
		return err
	}
	here := map[string]tracker.Correction{}
	for old, to := range moved {
		c, is := all.Of(old)
		was, had := before.Of(old)
		if is == had && c.Time.Equal(was.Time) {
			continue
		}
		c.Path, c.File, c.Picture = to.path, to.file, to.file.Picture // empty, where it was taken back
		here[to.path] = c
	}
	return writeMoved(dir, here)
}

// writeMoved writes corrections under the paths that photos have now.
func writeMoved(dir string, here map[string]tracker.Correction) error {
	if len(here) == 0 {
		return nil
	}
	return tracker.EditCorrections(dir, slices.Sorted(maps.Keys(here)), func(now *tracker.Correction) error {
		c := here[now.Path]
		now.Description, now.Keywords, now.File, now.Picture = c.Description, c.Keywords, c.File, c.Picture
		return nil
	}, nil)
}

// fillIn completes records of version 0.1, which do not say what their files were, with size, time and a hash of the ends. It reads
// 128 KiB of each file once, when all photos are described. A file that was changed after it was described stays unknown.
func fillIn(ctx context.Context, r *runner) error {
	if len(r.found.living.unknown) == 0 {
		return nil
	}
	set := map[string]bool{}
	for _, rel := range r.found.living.unknown {
		set[rel] = true
	}
	const phase = "reading the ends of photos"
	r.track.Live().SetPhase(phase)
	step := r.startStep("Reading the ends of " + wording.Count(len(set), "photo") + " that an earlier version described, to know them again when they are moved")
	defer step.end()
	looked, filled := 0, 0
	err := rewrite(r.dir, inSet(set), func(batch []tracker.Record) error {
		files := make([]*tracker.PhotoFile, len(batch))
		if err := inParallel(ctx, batch, func(i int, rec tracker.Record) {
			path, done, err := r.source.open(ctx, rec.Path)
			if err != nil {
				return
			}
			defer done()
			info, head, _, err := headOf(path)
			if err == nil && !info.ModTime.After(rec.Time) {
				info.Head = head
				files[i] = &info
			}
		}); err != nil {
			return err
		}
		var known []tracker.Record
		for i, rec := range batch {
			if files[i] != nil && r.track.Files().FileUnknown(rec.Path) {
				rec.File = files[i]
				known = append(known, rec)
			}
		}
		looked, filled = looked+len(batch), filled+len(known)
		step.at(ui.Comma(looked) + " so far")
		r.track.Live().SetPhase(phase + ": " + ui.Comma(looked) + " so far")
		return r.track.Files().Refresh(known)
	})
	if err == nil && filled > 0 {
		r.log.Info(fmt.Sprintf("%s of an earlier version are known again from now on when they are moved or changed", wording.Count(filled, "photo")))
	}
	return err
}
