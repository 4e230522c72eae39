package tracker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// group holds the lines of concurrent callers of Add. They are written with one
// write and one sync for each file.
type group struct {
	results  []byte
	progress []byte
	records  []Record
	keys     []key
	ends     []int // where the lines of records end in results
	written  bool
	err      error
}

// Add records the result of a photo. When it returns nil, the photo's lines
// are on the disk. For a photo that is described already it writes nothing and
// returns an error that wraps [ErrDone]. Once the files cannot be written it
// returns the same *WriteError from then on. Callers at the same time share the
// wait for the disk.
func (t *Tracker) Add(r Record) error { return t.AddBatch([]Record{r}) }

// AddBatch is Add for several photos with one wait for the disk. Records that
// are refused do not keep the others from being written.
func (t *Tracker) AddBatch(records []Record) error {
	var refused []error
	t.mu.Lock()
	if err := t.refusal(); err != nil {
		t.mu.Unlock()
		return err
	}
	if t.next == nil {
		t.next = &group{}
	}
	g := t.next
	for _, r := range records {
		if err := t.enqueue(g, r); err != nil {
			refused = append(refused, err)
		}
	}
	t.mu.Unlock()

	// The first one to get here writes for all that have come in the meantime.
	t.commits.Lock()
	if !g.written {
		t.commit(g)
	}
	t.commits.Unlock()
	return errors.Join(append(refused, g.err)...)
}

// refusal returns why nothing can be added, or nil. t.mu is held.
func (t *Tracker) refusal() error {
	if t.closed {
		return ErrClosed
	}
	return t.broken
}

// enqueue adds a record's lines to the group. t.mu is held.
func (t *Tracker) enqueue(g *group, r Record) error {
	k := keyOf(r.Path)
	if t.photos[k]&pending != 0 || t.done(k) && !r.refresh && !r.asked && r.Status != Forgotten {
		return fmt.Errorf("%q: %w", r.Path, ErrDone)
	}
	if r.Via == "" && !r.refresh && !r.asked {
		r.Settings = t.id
	}
	if r.Time.IsZero() {
		r.Time = t.now()
	}
	lines, err := r.appendLine(g.results)
	if err != nil {
		return err
	}
	g.results = lines
	g.records, g.keys, g.ends = append(g.records, r), append(g.keys, k), append(g.ends, len(g.results))
	if r.Status == OK {
		// A photo that is described again has its line already.
		if t.photos[k]&inProgress == 0 {
			g.progress = append(append(g.progress, EncodePath(r.Path)...), '\n')
		}
		t.photos[k] |= pending
	}
	return nil
}

// commit writes a group and counts its photos. t.commits is held.
func (t *Tracker) commit(g *group) {
	t.mu.Lock()
	if t.next == g {
		t.next = nil
	}
	g.err = t.refusal()
	t.mu.Unlock()

	if g.err == nil && len(g.records) > 0 {
		g.err = t.write(g)
	}
	g.written = true

	t.mu.Lock()
	if g.err == nil {
		t.count(g)
	} else {
		t.uncount(g)
	}
	counts := t.counts
	t.mu.Unlock()
	if g.err == nil && t.pictures != nil { // they are found when they count, not before
		for i := range g.records {
			t.pictures.add(&g.records[i], t.output.size-int64(len(g.results)-g.ends[i]))
		}
	}
	if done := slices.DeleteFunc(g.records, func(r Record) bool { return !r.described() && r.Status != Failed }); g.err == nil && len(done) > 0 {
		t.live.photos(done, counts, t.progress.size)
	} else if g.err == nil {
		t.live.change(func(s *state) { s.setCounts(counts, t.progress.size) })
	}
}

// write writes the results and then the progress lines. If it fails between the
// two, the results are not counted until the next Open.
func (t *Tracker) write(g *group) error {
	if err := t.lock.check(); err != nil {
		return err
	}
	if t.output == nil {
		if t.settings != nil {
			if err := t.settings.save(t.fs, t.dir); err != nil {
				return err
			}
		}
		out, err := createOutput(t)
		if err != nil {
			return err
		}
		t.output = out
	}
	if err := t.output.append(g.results); err != nil {
		return err
	}
	if len(g.progress) == 0 {
		return nil
	}
	return t.progress.append(g.progress)
}

// createOutput creates the output file of this run.
func createOutput(t *Tracker) (*appendFile, error) {
	dir := filepath.Join(t.dir, OutputsName)
	for later := 0; ; later++ {
		name, err := nextOutput(t.dir, t.started, later)
		if err != nil {
			return nil, &WriteError{Op: "list", Path: dir, Err: err}
		}
		path := filepath.Join(dir, name)
		f, err := t.fs.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, &WriteError{Op: "create", Path: path, Err: err}
		}
		if err := t.fs.SyncDir(dir); err != nil {
			f.Close()
			return nil, &WriteError{Op: "sync", Path: dir, Err: err}
		}
		return &appendFile{fs: t.fs, f: f, path: path}, nil
	}
}

// count counts the photos of a written group. t.mu is held.
func (t *Tracker) count(g *group) {
	t.written += int64(len(g.results) + len(g.progress))
	for i := range g.records {
		r, k := &g.records[i], g.keys[i]
		before, sharedBefore := t.done(k), t.photos[k]&shared != 0
		delete(t.retrying, k)
		switch r.Status {
		case OK:
			id := t.settingsID
			switch {
			case r.chosen():
				id = 0
			case r.Settings != t.id: // of an earlier record
				id = t.settingsIDs.number([]byte(r.Settings))
			}
			t.photos[k] = (inProgress | hasResult | seen).from(id, stampOf(r.File)).sharing(r.IsDuplicate())
			delete(t.failures, k)
			switch {
			case r.described():
				t.counts.NewDone++
			case r.Via == ViaDuplicate && r.From == "" && !r.refresh:
				t.counts.NewShare++
			}
		case Forgotten:
			if m := t.photos[k]; m != 0 {
				if t.same == nil && m&hasResult != 0 { // Use has not yet counted it
					t.settingsIDs.photos[m.settingsID()]--
				}
				t.photos[k] = t.photos[k]&(inProgress|seen) | forgotten
			}
			delete(t.failures, k)
			delete(t.refailed, k)
		default:
			t.failures[k] = failureOf(r)
			t.counts.NewFail++
		}
		after := t.done(k)
		t.counts.Done += ones(after) - ones(before)
		t.counts.Shared += ones(after && t.photos[k]&shared != 0) - ones(before && sharedBefore)
		if r.described() || r.Status == Failed {
			t.tally.add(r)
		}
	}
	t.counts.Failed, t.counts.Retrying = len(t.failures), len(t.retrying)
}

func ones(is bool) int {
	if is {
		return 1
	}
	return 0
}

// uncount drops a group that was not written. t.mu is held.
func (t *Tracker) uncount(g *group) {
	for i, r := range g.records {
		if r.Status != OK {
			continue
		}
		k := g.keys[i]
		if t.photos[k] &^= pending; t.photos[k]&inProgress == 0 {
			delete(t.photos, k)
		}
	}
	var w *WriteError
	if t.broken == nil && errors.As(g.err, &w) {
		w.Need = needOf(t)
		t.setBroken(w)
	}
}

// needOf estimates how many bytes the rest of the run will write. t.mu is held.
func needOf(t *Tracker) int64 {
	p := t.live.Progress()
	photos := int64(p.RunCompleted + p.RunFailed)
	if photos == 0 {
		return 0
	}
	return t.written / photos * int64(p.Remaining-p.Later)
}
