package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"photodesc/internal/cluster"
	"photodesc/internal/config"
	"photodesc/internal/photo"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"
)

// This file finds the photos that are to be described.

// photoFolder checks the folder and makes its path absolute, so that it is the same
// one whatever the current folder is.
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
		return "", &fileError{dir}
	}
	return abs, nil
}

// scan is what a walk through the photo folder found.
type scan struct {
	todo      []string        // photos that this run describes
	later     int             // photos left to later runs, by --limit or --files-from
	unlisted  int             // of these, by --files-from
	described int             // photos that earlier runs described
	failed    int             // photos that failed in earlier runs and are not tried again
	problems  []photo.Problem // files with a photo's name that cannot be opened; they fail
	unread    int             // folders that could not be read
	gone      int             // photos that failed in earlier runs and are not there any more
	goneAgain int             // the same of those that are up for another try
	leftOut   photo.LeftOut
	living    living

	goneDescribed int // photos that are described and not there any more, or left out

	links         []string            // where links among the photos lead
	mountPoints   storage.MountPoints // folders with photos that may become unavailable on their own
	knownReadable string              // a photo that was described in an earlier run
}

// photos is the number of photos in the folder.
func (s *scan) photos() int {
	return s.described + s.failed + len(s.problems) + len(s.todo) + s.later
}

// scanner walks the photo folder and sorts what it finds by what is known of it.
type scanner struct {
	dir      string // workdir
	source   photoSource
	options  photo.WalkOptions
	pick     photo.Picker // chooses among the photos that may be described
	list     *photo.List  // of --files-from; nil for all photos
	track    *tracker.Tracker
	warn     func(warning)
	progress func(photos int)  // called now and then
	news     func(text string) // after the walk, by several goroutines

	described func(rel string) // called with each photo that is; may be nil
	retrying  int              // found, and up for another try
	stats     *statter
	fresh     []freshPhoto // where described photos may have been moved

	folders    []string        // that could not be read
	failedSeen map[string]bool // photos that failed in earlier runs and are there
	absence    absence
	before     *tracker.Gone // by the walk before
	watch      *folderWatch  // of --watch, else nil

	keepChanged bool // --redo never: photos with another picture keep their words
}

func (s *scanner) scan(ctx context.Context) (scan, error) {
	found := scan{mountPoints: s.source.mountPoints()}
	links := storage.NewLinks(s.source.name())
	var rootErr error
	opts := s.options
	opts.LeftOut = &found.leftOut
	opts.Warn = func(rel string, err error) {
		path := tracker.EncodePath(rel)
		s.warn(warning{"pattern file", "with errors", path, err.Error(), fmt.Sprintf("%s: %v", path, err)})
	}
	opts.Link = func(path string) {
		links.Add(path)
		found.mountPoints.Add(path)
	}
	opts.Problem = func(p photo.Problem) {
		if p.Folder && p.Path == "." {
			rootErr = fmt.Errorf("%q: %w\n  see to its disk, mend its permissions, or run as a user who may read it", s.source.name(), p.Err.Err)
			return
		}
		s.problem(&found, p)
	}
	before := s.track.Counts()
	found.living = living{refreshed: map[string]*tracker.PhotoFile{}, moved: map[string]movedTo{}}
	s.stats = newStatter(s.track, s.source, s.watch.rested)
	opts.Enter = s.watch.enter
	s.failedSeen = map[string]bool{}
	photos := 0
	err := s.source.walk(ctx, opts, func(rel string) error {
		s.photo(&found, rel)
		if photos++; photos%1000 == 0 {
			s.progress(photos)
		}
		return rootErr
	})
	if rootErr != nil {
		err = rootErr
	}
	if err != nil && ctx.Err() == nil {
		err = &unavailableError{err}
	}
	if err == nil {
		err = s.watch.walked(s, &found)
	}
	if err == nil && s.list != nil {
		if err = s.list.Missing(); err != nil {
			err = ui.UsageError("--files-from: %w", err)
		}
	}
	s.before = tracker.ReadGone(s.dir)
	s.absence = s.source.absence(found.mountPoints, s.before.Mounts, s.folders)
	touched := s.stats.end()
	found.living.unknown = s.stats.unknown
	if err == nil {
		err = s.keepUp(ctx, &found, touched)
	}
	found.todo, found.later = s.pick.Photos()
	found.later += found.unlisted
	found.links = links.Paths()
	if s.absence.Certain() { // else they may be where nothing can be seen
		found.gone, found.goneAgain = max(before.Failed-found.failed-found.living.triedAgain, 0), max(before.Retrying-s.retrying, 0)
	}
	return found, err
}

// photo sorts in a photo.
func (s *scanner) photo(found *scan, rel string) {
	switch listed := s.listed(rel); {
	case s.track.Done(rel):
		found.described++
		found.knownReadable = rel
		s.track.Files().Seen(rel)
		s.stats.add(rel)
		if s.described != nil {
			s.described(rel)
		}
	case isFailed(s.track, rel) && !s.failedChanged(rel):
		found.failed++
		s.failedSeen[rel] = true
	default:
		switch {
		case isFailed(s.track, rel):
			s.track.Files().Retry(rel)
			found.living.triedAgain++
		case s.track.Retrying(rel):
			s.retrying++
			s.failedSeen[rel] = true
		}
		if s.track.Counts().Done > 0 || s.watch != nil {
			s.fresh = append(s.fresh, freshPhoto{rel, listed})
		} else if listed {
			s.pick.Add(rel)
		} else {
			found.unlisted++
		}
	}
}

// failedChanged is whether the file of a photo that failed is another now.
func (s *scanner) failedChanged(rel string) bool {
	file, err := s.source.stat(rel)
	return err == nil && s.track.Files().FailedFileChanged(rel, file) && s.watch.rested(rel, file)
}

// keepUp finds out what became of described photos and adds to the photos to be described.
func (s *scanner) keepUp(ctx context.Context, found *scan, touched []string) (err error) {
	if err := s.compare(ctx, touched, &found.living); err != nil {
		return err
	}
	if s.fresh, err = s.watch.settled(ctx, s.fresh); err != nil {
		return err
	}
	if found.unread == 0 { // else those that seem to be gone may be in such a folder
		if s.fresh, err = s.findMoved(ctx, s.fresh, &found.living); err != nil {
			return err
		}
	}
	found.described += len(found.living.moved)
	for _, p := range s.fresh {
		if p.listed {
			s.pick.Add(p.rel)
		} else {
			found.unlisted++
		}
	}
	s.fresh = nil
	if s.keepChanged {
		found.living.changed = nil
		return nil
	}
	found.living.changed = slices.DeleteFunc(found.living.changed, func(rel string) bool { return !s.listed(rel) })
	for _, rel := range found.living.changed {
		found.described--
		s.pick.Add(rel)
	}
	return nil
}

// listed reports whether the list has a photo, or there is none.
func (s *scanner) listed(rel string) bool { return s.list == nil || s.list.Met(rel) }

// problem sorts in what cannot be read.
func (s *scanner) problem(found *scan, p photo.Problem) {
	listed := p.Folder || s.listed(p.Path)
	switch {
	case p.Folder:
		found.unread++
		s.folders = append(s.folders, p.Path)
		s.warn(warning{"folder", "left out", tracker.EncodePath(p.Path), p.Err.Err.Error(), fmt.Sprintf("Folder %q is left out: %v", p.Path, p.Err.Err)})
	case s.track.Done(p.Path): // it was described when it was still a file
		s.track.Files().Seen(p.Path)
	case !listed:
	case isFailed(s.track, p.Path):
		found.failed++
		s.failedSeen[p.Path] = true
	default:
		if s.track.Retrying(p.Path) {
			s.retrying++
			s.failedSeen[p.Path] = true
		}
		found.problems = append(found.problems, p)
	}
}

func isFailed(t *tracker.Tracker, rel string) bool {
	_, failed := t.Failed(rel)
	return failed
}

// findPhotos walks the photo folder, records what cannot be opened, and logs what
// was found. If nothing is left of what is known, the disk with the photos is
// probably not mounted.
func (r *runner) findPhotos(ctx context.Context) (err error) {
	const phase = "looking for photos"
	r.track.Live().SetPhase(phase)
	r.show.Wait(phase)
	step := r.startStep("Looking for photos")
	s := newScanner(r)
	s.warn = r.folds.add
	s.news = func(news string) {
		step.at(news)
		r.track.Live().SetPhase(phase + ": " + news)
		r.show.Wait(phase + ": " + news)
	}
	s.progress = func(photos int) { s.news(ui.Comma(photos) + " so far") }
	r.found, err = s.scan(ctx)
	leaveToOthers(&r.found, r.flags.Requested)
	step.end()
	r.folds.flush()
	if err != nil {
		return err
	}
	found := &r.found
	sayLeftOut(found.leftOut, r)
	c := r.track.Counts()
	if known := c.Done + c.Failed; !r.watch.sure() && found.photos()+len(found.leftOut.Excluded) == 0 && known > 0 {
		return &unavailableError{fmt.Errorf("there is no photo in %q any more (known: %s); %s\n  when it is, run again; the results stay as they are",
			r.root, wording.Count(known, "photo"), r.source.whyEmpty())}
	}
	if err := takeFound(ctx, r, s); err != nil {
		return err
	}
	r.logFound()
	return nil
}

// unavailableError says why the photo folder could not be walked.
type unavailableError struct{ error }

func (e *unavailableError) Unwrap() error { return e.error }

// takeFound records what a walk has found.
func takeFound(ctx context.Context, r *runner, s *scanner) error {
	found := &r.found
	if err := askMoved(r); err != nil {
		return err
	}
	if err := found.living.keepUp(r); err != nil {
		return err
	}
	for _, p := range found.problems {
		rec := unreadFailure(p, r)
		if err := r.track.Add(rec); r.alreadyDone(p.Path, err) {
			continue
		} else if err != nil {
			return err
		}
		r.folds.add(failedWarning(rec))
	}
	r.folds.flush()
	shared, err := s.findGone(ctx, found)
	if err != nil {
		return err
	}
	r.track.Live().SetGone(found.goneDescribed, shared)
	r.track.Live().SetPhotos(len(found.todo), found.later, found.gone)
	r.track.Live().SetGoneRetrying(found.goneAgain)
	return nil
}

// newScanner is for a walk as the flags of a run want it.
func newScanner(r *runner) *scanner {
	return &scanner{
		dir: r.dir, source: r.source, track: r.track, list: r.list, watch: r.watch, keepChanged: r.flags.Redo == config.RedoNever || r.flags.Requested,
		pick:    photo.Picker{Root: r.root, Changed: r.source.changed(), Limit: r.flags.Limit, Newest: r.flags.NewestFirst},
		options: walkOptions(r.dir, r.set, func(rel string) bool { return r.track.Done(rel) || isFailed(r.track, rel) }),
	}
}

// logFound logs what was found.
func (r *runner) logFound() {
	found, photos := &r.found, r.found.photos()
	if gone := found.gone + found.goneAgain; gone > 0 {
		r.log.Info(fmt.Sprintf("%s that failed before: not there any more, or left out", wording.Count(gone, "photo")))
	}
	if found.goneDescribed > 0 {
		r.log.Info(fmt.Sprintf("%s described before: not there any more, or left out; the results stay", wording.Count(found.goneDescribed, "photo")))
	}
	if waiting := r.watch.waiting(); waiting > 0 {
		r.log.Info(fmt.Sprintf("%s changed a moment ago: described when the file has rested for %s", wording.Count(waiting, "photo"), ui.Spell(r.flags.Settle)))
	} else if photos == 0 {
		besides := ""
		if !r.track.Live().LeftOut().IsZero() {
			besides = " besides what is left out"
		}
		r.log.Warn(fmt.Sprintf("There is no photo%s in %q%s", shardText(r.set.Shard), r.root, besides))
	}
	later := ""
	if found.later > 0 {
		later = fmt.Sprintf(", %s for later runs", ui.Comma(found.later))
	}
	r.log.Info(fmt.Sprintf("Found %s%s: %s described, %s failed, %s to do%s", wording.Count(photos, "photo"), shardText(r.set.Shard),
		ui.Comma(found.described), ui.Comma(found.failed+len(found.problems)), ui.Comma(len(found.todo)), later))
}

// shardText names the part of the photos that a run describes, after "photos".
func shardText(s photo.Shard) string {
	if s == (photo.Shard{}) {
		return ""
	}
	return " of shard " + s.String()
}

// unreadFailure is the record of what has a photo's name and cannot be one.
func unreadFailure(p photo.Problem, r *runner) tracker.Record {
	rec := failure(p.Path, string(p.Err.Kind), p.Err.Err.Error())
	rec.Model, rec.Prompt = r.model.Name, r.set.Ask.First()
	if file, err := r.source.stat(p.Path); err == nil {
		rec.File = &file
	}
	return rec
}

// walkOptions are those that decide what is found. Photos that are known need
// not be opened to see whether they are photos.
func walkOptions(workdir string, set config.Settings, known func(rel string) bool) photo.WalkOptions {
	return photo.WalkOptions{Skip: ownFiles(workdir), Exclude: set.Exclude, Include: set.Include, Shard: set.Shard, Known: known}
}

// sayLeftOut gives what the walk left out to the tracker and logs it.
func sayLeftOut(out photo.LeftOut, r *runner) {
	r.track.Live().SetLeftOut(leftOut(out))
	for _, line := range unusedPatterns(r.set) {
		r.log.Info(line)
	}
	o := r.track.Live().LeftOut()
	for _, line := range ui.LeftOutFolders(o, true) {
		r.log.Info(line)
	}
	for _, line := range ui.LeftOutNames(o, true) {
		r.log.Warn(line)
	}
}

// leftOut is what the tracker keeps of a walk's.
func leftOut(out photo.LeftOut) tracker.LeftOut {
	kinds := func(list []photo.Tally) (to []tracker.LeftOutKind) {
		for _, t := range list {
			to = append(to, tracker.LeftOutKind{Of: t.Of, Count: t.Count, First: t.First})
		}
		return to
	}
	return tracker.LeftOut{Names: kinds(out.Names), Cloud: kinds(out.Cloud), Folders: kinds(out.Folders), Excluded: kinds(out.Excluded)}
}

// ownFiles are the workdir's own files, which may lie among the photos.
func ownFiles(dir string) []string {
	var own []string
	for _, name := range []string{tracker.OutputsName, tracker.LogsName, tracker.ProgressName, tracker.StateName, tracker.LockName, cluster.FolderName} {
		own = append(own, filepath.Join(dir, name))
	}
	return own
}
