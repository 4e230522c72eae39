package tracker

import (
	"slices"
	"time"

	"photodesc/internal/wording"
)

// This file keeps up with photos whose files were moved, changed or removed. What is true of a file is for the caller to find out.

// Files keeps up with the files of a tracker's photos.
type Files struct{ t *Tracker }

// Files returns what keeps up with the files of the photos.
func (t *Tracker) Files() Files { return Files{t} }

// Seen notes that a walk has found the photo.
func (of Files) Seen(path string) {
	k := keyOf(path)
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	if m, known := of.t.photos[k]; known {
		of.t.photos[k] = m | seen
	}
}

// Walk begins another walk: no photo is Seen.
func (of Files) Walk() {
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	for k, m := range of.t.photos {
		if m&seen != 0 {
			of.t.photos[k] = m &^ seen
		}
	}
}

// FileChanged is whether the file of a described photo is not the one that was described, by size and time of change. It is false
// where the record does not have them.
func (of Files) FileChanged(path string, f PhotoFile) bool {
	k := keyOf(path)
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	m := of.t.photos[k]
	return m.described() && m.stamp() != 0 && m.stamp() != stampOf(&f)
}

// FileUnknown is whether the record of a described photo does not say what its file was, as those of version 0.1.
func (of Files) FileUnknown(path string) bool {
	k := keyOf(path)
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	m := of.t.photos[k]
	return m.described() && m&hasResult != 0 && m.stamp() == 0
}

// FailedFileChanged is whether the file of a photo that failed was changed since: by size and time of change or, where the record
// does not have them, by the time alone.
func (of Files) FailedFileChanged(path string, f PhotoFile) bool {
	k := keyOf(path)
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	why, failed := of.t.failures[k]
	switch {
	case !failed:
		return false
	case why.file != 0:
		return why.file != stampOf(&f)
	}
	return f.ModTime.Truncate(time.Millisecond).After(why.at) // as exact as times on lines are
}

// Retry has a photo tried again that failed.
func (of Files) Retry(path string) {
	k := keyOf(path)
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	if why, failed := of.t.failures[k]; failed {
		delete(of.t.failures, k)
		of.t.retrying[k] = why
		of.t.counts.Failed, of.t.counts.Retrying = len(of.t.failures), len(of.t.retrying)
		if of.t.live != nil {
			of.t.live.setCounts(of.t.counts)
		}
	}
}

// Unseen are the described photos that no walk has found: how many, and which. The function may be called concurrently while
// nothing is added.
func (of Files) Unseen() (count int, has func(path string) bool) {
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	for _, m := range of.t.photos {
		if m.described() && m&seen == 0 {
			count++
		}
	}
	return count, func(path string) bool {
		m := of.t.photos[keyOf(path)]
		return m.described() && m&seen == 0
	}
}

// Moved is a described photo that is under another path now.
type Moved struct {
	Record Record // the newest of the path before
	Path   string // where it is now
	File   *PhotoFile
}

// Move writes for each photo a record under its new path, and one that takes the results of the path before back. Photos
// that are described under the new path already are left as they are.
func (of Files) Move(moves []Moved) error {
	return inBatches(moves, func(list []Moved) error {
		var records []Record
		for _, m := range list {
			if of.t.Done(m.Path) {
				continue
			}
			to := m.Record
			to.Path, to.From, to.File = m.Path, m.Record.Path, m.File
			if to.Of == m.Path { // a copy that takes the place of its original, which was gone
				to.Of = ""
			}
			if !to.IsDuplicate() {
				to.Via = ViaMoved
			}
			records = append(records, to, of.forgotten(m.Record.Path))
		}
		return of.t.AddBatch(records)
	})
}

// finishMoves takes the paths before of moved photos back, where a crash came in between. If that cannot be written, the next run does.
func (of Files) finishMoves(paths []string) {
	paths = slices.DeleteFunc(paths, func(path string) bool { return !of.t.photos[keyOf(path)].described() })
	if len(paths) == 0 {
		return
	}
	of.t.notes.add(Info, OutputsName, 0, "%s moved when the run before was killed; the path before is taken back", wording.Count(len(paths), "photo"))
	_ = of.Forget(paths) // the run's next line tells, too, that nothing can be written
}

// Forget takes the results of photos back. What was written stays in the outputs.
func (of Files) Forget(paths []string) error {
	return inBatches(paths, func(list []string) error {
		var records []Record
		for _, path := range list {
			records = append(records, of.forgotten(path))
		}
		return of.t.AddBatch(records)
	})
}

// Refresh writes records again with what their files are now, of which the pictures are the same.
func (of Files) Refresh(records []Record) error {
	return inBatches(records, func(list []Record) error {
		again := make([]Record, len(list))
		for i, r := range list {
			r.refresh = true
			again[i] = r
		}
		return of.t.AddBatch(again)
	})
}

func (of Files) forgotten(path string) Record {
	return Record{Path: path, Status: Forgotten, Time: of.t.now().Truncate(time.Millisecond)}
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
