package tracker

import (
	"slices"
	"time"

	"photodesc/internal/wording"
)

// This file keeps up with photos whose files were moved, changed or removed. What is true of a file is for the caller to find out.

// Seen notes that a walk has found the photo.
func (t *Tracker) Seen(path string) {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	if m, known := t.photos[k]; known {
		t.photos[k] = m | seen
	}
}

// FileChanged is whether the file of a described photo is not the one that was described, by size and time of change. It is false
// where the record does not have them.
func (t *Tracker) FileChanged(path string, f PhotoFile) bool {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.photos[k]
	return m.described() && m.stamp() != 0 && m.stamp() != stampOf(&f)
}

// FileUnknown is whether the record of a described photo does not say what its file was, as those of version 0.1.
func (t *Tracker) FileUnknown(path string) bool {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.photos[k]
	return m.described() && m&hasResult != 0 && m.stamp() == 0
}

// FailedFileChanged is whether the file of a photo that failed was changed since: by size and time of change or, where the record
// does not have them, by the time alone.
func (t *Tracker) FailedFileChanged(path string, f PhotoFile) bool {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	why, failed := t.failures[k]
	switch {
	case !failed:
		return false
	case why.file != 0:
		return why.file != stampOf(&f)
	}
	return f.ModTime.Truncate(time.Millisecond).After(why.at) // as exact as times on lines are
}

// Retry has a photo tried again that failed.
func (t *Tracker) Retry(path string) {
	k := keyOf(path)
	t.mu.Lock()
	defer t.mu.Unlock()
	if why, failed := t.failures[k]; failed {
		delete(t.failures, k)
		t.retrying[k] = why
		t.counts.Failed, t.counts.Retrying = len(t.failures), len(t.retrying)
		if t.live != nil {
			t.live.setCounts(t.counts)
		}
	}
}

// Unseen are the described photos that no walk has found: how many, and which. The function may be called concurrently while
// nothing is added.
func (t *Tracker) Unseen() (count int, has func(path string) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.photos {
		if m.described() && m&seen == 0 {
			count++
		}
	}
	return count, func(path string) bool {
		m := t.photos[keyOf(path)]
		return m.described() && m&seen == 0
	}
}

// Gone is how many photos are described, not up for another description, and were found by no walk.
func (t *Tracker) Gone() (count int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, m := range t.photos {
		if m&seen == 0 && t.done(k) {
			count++
		}
	}
	return count
}

// Moved is a described photo that is under another path now.
type Moved struct {
	Record Record // the newest of the path before
	Path   string // where it is now
	File   *PhotoFile
}

// Move writes for each photo a record under its new path, and one that takes the results of the path before back. Photos
// that are described under the new path already are left as they are.
func (t *Tracker) Move(moves []Moved) error {
	return inBatches(moves, func(list []Moved) error {
		var records []Record
		for _, m := range list {
			if t.Done(m.Path) {
				continue
			}
			to := m.Record
			to.Path, to.From, to.Via, to.File = m.Path, m.Record.Path, ViaMoved, m.File
			records = append(records, to, t.forgotten(m.Record.Path))
		}
		return t.AddBatch(records)
	})
}

// finishMoves takes the paths before of moved photos back, where a crash came in between. If that cannot be written, the next run does.
func (t *Tracker) finishMoves(paths []string) {
	paths = slices.DeleteFunc(paths, func(path string) bool { return !t.photos[keyOf(path)].described() })
	if len(paths) == 0 {
		return
	}
	t.notes.add(Info, OutputsName, 0, "%s moved when the run before was killed; the path before is taken back", wording.Count(len(paths), "photo"))
	_ = t.Forget(paths) // the run's next line tells, too, that nothing can be written
}

// Forget takes the results of photos back. What was written stays in the outputs.
func (t *Tracker) Forget(paths []string) error {
	return inBatches(paths, func(list []string) error {
		var records []Record
		for _, path := range list {
			records = append(records, t.forgotten(path))
		}
		return t.AddBatch(records)
	})
}

// Refresh writes records again with what their files are now, of which the pictures are the same.
func (t *Tracker) Refresh(records []Record) error {
	return inBatches(records, func(list []Record) error {
		again := make([]Record, len(list))
		for i, r := range list {
			r.refresh = true
			again[i] = r
		}
		return t.AddBatch(again)
	})
}

func (t *Tracker) forgotten(path string) Record {
	return Record{Path: path, Status: Forgotten, Time: t.now().Truncate(time.Millisecond)}
}

// perSync is how many photos share the wait for the disk.
const perSync = 2000

func inBatches[T any](list []T, write func([]T) error) error {
	for len(list) > 0 {
		n := min(len(list), perSync)
		if err := write(list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}
