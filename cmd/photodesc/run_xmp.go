package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/internal/xmp"
	"photodesc/pool"
	"photodesc/tracker"
)

// This file writes sidecars during a run with --xmp. The supervisor writes them, beside its other work: a disk that does not
// answer holds up no photo. What could not be written is left to `photodesc export xmp`.

// sidecarQueue is how many photos may wait for their sidecars.
const sidecarQueue = 1000

// The end of a run waits so long for the sidecars that are still to be written, and so long if it was killed.
const (
	sidecarsLast   = 30 * time.Second
	sidecarsKilled = 2 * time.Second
)

// runSidecars writes the sidecars of a run. A nil one writes none.
type runSidecars struct {
	dir    string // workdir
	files  *xmp.Sidecars
	tally  *sidecarTally
	queue  chan describedPhoto
	done   chan struct{}
	missed atomic.Int64 // photos that found the queue full
	added  atomic.Int64 // described photos

	counted *tracker.SidecarCount // nil where the outputs cannot be read

	corrections corrections
}

type describedPhoto struct {
	rec    tracker.Record
	inside *worker.Inside
}

// startSidecars begins with --xmp. warn is told of photos without a sidecar.
func startSidecars(dir, root, names string, warn func(string)) *runSidecars {
	s := &runSidecars{
		dir: dir, files: xmp.In(root, xmp.Options{Names: xmp.Names(names)}), tally: newSidecarTally(warn),
		queue: make(chan describedPhoto, sidecarQueue), done: make(chan struct{}),
	}
	if counted, err := tracker.CountSidecars(dir); err == nil && counted.RunBegun() == nil {
		s.counted = counted
	}
	go func() {
		defer close(s.done)
		for p := range s.queue {
			s.write(p)
		}
	}()
	return s
}

// add has the sidecar of a described photo written, soon.
func (s *runSidecars) add(rec tracker.Record, inside *worker.Inside) {
	if s == nil || rec.Status != tracker.OK {
		return
	}
	s.added.Add(1)
	select {
	case s.queue <- describedPhoto{rec, inside}:
	default:
		s.missed.Add(1)
	}
}

func (s *runSidecars) write(p describedPhoto) {
	if s.tally.stop() != nil {
		s.missed.Add(1)
		return
	}
	photo, err := s.corrections.of(s.dir, p.rec)
	if err != nil {
		s.tally.add(p.rec.Path, xmp.Unchanged, fmt.Errorf("the corrections cannot be read: %w", err))
		return
	}
	outcome, err := s.files.WriteInside(p.rec.Path, sidecarText(&photo), func(string) (xmp.Embedded, error) { return p.inside.Get() })
	s.tally.add(p.rec.Path, outcome, err)
}

// end waits for what is still to be written, not for ever, and returns lines for the log.
func (s *runSidecars) end(patience time.Duration) (text, warning string) {
	if s == nil {
		return "", ""
	}
	close(s.queue)
	waiting := 0
	select {
	case <-s.done:
	case <-time.After(patience):
		waiting = len(s.queue) + 1
	}
	s.tally.folds.flush()
	if n := int(s.missed.Load()) + waiting; n > 0 {
		warning = fmt.Sprintf("%s got no sidecar, because the disk was full or slow", wording.Count(n, "photo"))
	}
	if err := s.tally.stop(); err != nil {
		warning += ": " + err.Error()
	}
	if warning != "" {
		warning += "; later: " + ui.CommandLine(s.dir, "export", "xmp")
	}
	s.note()
	return s.tally.text(false), warning
}

// note has status know of the sidecars. Where it cannot be written they count as out of date.
func (s *runSidecars) note() {
	if s.counted == nil {
		return
	}
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	made := s.tally.outcomes[xmp.Made]
	_ = s.counted.RunEnded(int(s.added.Load()), made+s.tally.outcomes[xmp.Changed]+s.tally.outcomes[xmp.Unchanged], made)
}

// corrections are those of a workdir, read again when the file has changed.
type corrections struct {
	info os.FileInfo
	all  *tracker.Corrections
}

// of is the photo with its correction.
func (c *corrections) of(dir string, rec tracker.Record) (tracker.Photo, error) {
	info, err := os.Stat(filepath.Join(dir, tracker.OutputsName, tracker.CorrectionsName))
	if errors.Is(err, fs.ErrNotExist) {
		return tracker.Photo{Record: rec}, nil
	}
	if err != nil {
		return tracker.Photo{}, err
	}
	if c.info == nil || info.Size() != c.info.Size() || !info.ModTime().Equal(c.info.ModTime()) {
		all, err := tracker.ReadCorrections(dir)
		if err != nil {
			return tracker.Photo{}, err
		}
		c.all, c.info = all, info
	}
	return c.all.Apply(rec), nil
}

// endSidecars logs what became of the sidecars of the run; err is how the run ended.
func endSidecars(r *runner, err error) {
	patience := sidecarsLast
	if errors.Is(err, pool.ErrKilled) {
		patience = sidecarsKilled
	}
	text, warning := r.sidecars.end(patience)
	if text != "" {
		r.log.Info(text)
	}
	if warning != "" {
		r.log.Warn(warning)
	}
}
