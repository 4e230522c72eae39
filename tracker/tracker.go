package tracker

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"photodesc/internal/fsutil"
)

// Options are how a workdir is opened.
type Options struct {
	// Root is the photo folder. Paths of photos are relative to it.
	// An empty Root is not compared with the workdir's.
	Root string
	// RetryFailed has photos tried again that failed in earlier runs.
	RetryFailed bool
	// RootMoved is asked where the workdir belongs to another folder than Root: whether these photos, a sample, are under Root as
	// they were described. nil: they are not.
	RootMoved func(sample []Record) bool

	fs  filesystem       // nil: the system's
	now func() time.Time // nil: time.Now
}

// Counts are numbers of photos.
type Counts struct {
	Done     int // described, in all runs, and not up for another description
	Failed   int // failed, in all runs, and not up for another try
	Retrying int // failed in an earlier run and up for another try
	Shared   int // of Done, with the words of another photo that has the same picture
	NewDone  int // described by this run
	NewShare int // given the words of another photo by this run
	NewFail  int // lines of failures written by this run
}

// Tracker is an open workdir. Its methods may be called concurrently.
type Tracker struct {
	dir     string
	fs      filesystem
	now     func() time.Time
	started time.Time
	lock    *lock
	live    *Live
	notes   notebook

	progress *appendFile
	commits  sync.Mutex  // held while writing; guards output
	output   *appendFile // nil until the first record
	pictures *Pictures   // nil: not asked for

	mu sync.Mutex // guards what follows
	photoIndex
	settingsUse
	ending
	counts  Counts
	tally   Tally
	next    *group // waiting to be written
	written int64  // bytes of result lines of this run
}

// photoIndex is what is known of each photo.
type photoIndex struct {
	photos      map[key]marks
	settingsIDs *settingsIDs
	failures    map[key]Failure // not to be tried again
	retrying    map[key]Failure // of earlier runs, to be tried again
	refailed    map[key]refailure
	retry       bool // failures of earlier runs are to be tried again
}

// settingsUse is which settings this run has, and what they mean for descriptions
// that were made with others.
type settingsUse struct {
	settings   Settings
	id         string // of settings
	settingsID int    // number of id in settingsIDs
	same       []bool // by the number of an ID: whether its settings are as good as these; nil before Use
	again      bool   // what was described with others is to be described again
}

// ending is whether and why nothing can be written any more.
type ending struct {
	broken   error
	brokenCh chan struct{} // closed when broken is set
	closed   bool
	unwatch  chan struct{} // ends watch
	watched  chan struct{} // closed when watch has ended
}

// Open makes dir the workdir of a run: it takes its lock, creates what is
// missing, and reads and mends what earlier runs left. It returns a
// *LockedError when another run holds dir, a *RootError when dir belongs to
// other photos, and a *WriteError when dir cannot be written to.
func Open(dir string, opt Options) (*Tracker, error) {
	t := &Tracker{dir: dir, now: opt.now,
		ending: ending{brokenCh: make(chan struct{}), unwatch: make(chan struct{}), watched: make(chan struct{})}}
	disk := &lenientFS{filesystem: opt.fs, refused: t.notes.cannotSync}
	if disk.filesystem == nil {
		disk.filesystem = osFS{}
	}
	t.fs = disk
	if t.now == nil {
		t.now = time.Now
	}
	t.started = t.now()
	for _, sub := range []string{OutputsName, LogsName} {
		path := filepath.Join(dir, sub)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, &WriteError{Op: "create", Path: path, Err: err}
		}
	}
	var err error
	if t.lock, err = takeLock(dir, t.started); err != nil {
		return nil, err
	}
	if err := t.fill(opt); err != nil {
		_ = t.lock.release()
		return nil, err
	}
	go t.watch()
	return t, nil
}

// fill reads the workdir. Its lock is held.
func (t *Tracker) fill(opt Options) error {
	book := &t.notes
	removeLeftovers(t.dir)
	old, err := readState(t.dir)
	if err != nil && !os.IsNotExist(err) {
		book.add(Warn, StateName, 0, "not readable, its statistics start again at zero: %v", err)
	}
	if opt.Root != "" {
		root, err := fsutil.Abs(opt.Root)
		if err != nil {
			return err
		}
		opt.Root = root
	}
	if old.died() {
		book.add(Warn, "", 0, "the run before (pid %d) ended without a word, last heard of %s",
			old.PID, old.Updated.Format(time.DateTime))
	}
	l := loader{fs: t.fs, dir: t.dir, book: book}
	if err := l.load(); err != nil {
		return err
	}
	if opt.Root != "" {
		// A workdir without results belongs to no folder yet: the first run may have been
		// given the wrong one.
		if len(l.photos)+len(l.failures) > 0 {
			if err := checkRoot(t.dir, old.Root, opt.Root, opt); err != nil {
				return err
			}
			if old.Root != "" && !sameFolder(old.Root, opt.Root) {
				book.add(Info, "", 0, "the photos of %q are in %q now: a sample of them is the same", old.Root, opt.Root)
			}
		}
		old.Root = opt.Root
	}
	t.progress = l.progress
	t.take(&l, opt.RetryFailed)
	t.live = newLive(t, old)
	t.Files().finishMoves(l.forget)
	return nil
}

// take makes what was read the tracker's.
func (t *Tracker) take(l *loader, retry bool) {
	t.photos, t.settingsIDs = l.photos, l.settingsIDs
	t.failures, t.retrying, t.refailed = l.failures, map[key]Failure{}, l.refailed
	t.retry = retry
	if retry {
		t.failures, t.retrying = t.retrying, t.failures
	}
	done := 0
	for _, m := range t.photos {
		if m.described() {
			done++
		}
	}
	t.counts = Counts{Done: done, Shared: t.countShared(), Failed: len(t.failures), Retrying: len(t.retrying)}
}

// sameFolder compares two folders by name and, if both exist, as files, so that
// links and other spellings of the name are recognised.
func sameFolder(a, b string) bool {
	if fsutil.IsBucket(a) || fsutil.IsBucket(b) {
		return a == b
	}
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	ai, aerr := os.Stat(a)
	bi, berr := os.Stat(b)
	return aerr == nil && berr == nil && os.SameFile(ai, bi)
}

// Notes are what was found and mended by Open, for the log, and what was noticed
// since.
func (t *Tracker) Notes() []Note { return t.notes.all() }

// Live takes what status and summary show of the run.
func (t *Tracker) Live() *Live { return t.live }

// Done is whether the photo is described and not up for another description.
func (t *Tracker) Done(path string) bool {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done(k)
}

// Failed is whether the photo failed and is not to be tried again, and why.
func (t *Tracker) Failed(path string) (Failure, bool) {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.failures[k]
	return f, ok
}

// Retrying is whether the photo failed and is up for another try.
func (t *Tracker) Retrying(path string) bool {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.retrying[k]
	return ok
}

// Counts returns the numbers as they are now.
func (t *Tracker) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// OutputPath is the file the run's results go to, or "" before the first.
func (t *Tracker) OutputPath() string {
	t.commits.Lock()
	defer t.commits.Unlock()
	if t.output == nil {
		return ""
	}
	return t.output.path
}

// Err returns why nothing can be written any more: a *WriteError, or nil.
func (t *Tracker) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}

// Close waits for what is being written, writes the final figures and releases the
// lock. A second Close does nothing.
func (t *Tracker) Close() error {
	t.commits.Lock()
	defer t.commits.Unlock()
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	t.mu.Unlock()

	close(t.unwatch)
	<-t.watched
	t.live.close()
	err := t.progress.f.Close()
	if t.output != nil {
		err = errors.Join(err, t.output.f.Close())
	}
	return errors.Join(err, t.lock.release())
}
