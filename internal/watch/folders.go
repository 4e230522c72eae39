package watch

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"io/fs"
	"sync"
	"time"

	"photodesc/internal/fsutil"
)

const (
	// granularity is how coarse the times of change of a folder may be: a second change within it may leave the time as it was.
	// FAT has two seconds.
	granularity = 3 * time.Second
	// recently is how far the time of change of a folder may lie from now for it to be listed once more after the first walk.
	recently = time.Minute
)

// Folders knows the folders of the last walk and finds out whether one of them was changed since. Its methods but Dirty are for one
// goroutine.
type Folders struct {
	root    string
	fsys    FS
	clock   Clock
	matters func(name string) bool
	seed    maphash.Seed

	known map[string]folder
	walk  uint32
	look  map[string]bool // in this walk, folders of which a change was told

	mu    sync.Mutex
	dirty map[string]bool // folders in which something was changed, as Dirty was told
}

// folder is what is known of a folder.
type folder struct {
	changed int64 // its time of change, in nanoseconds
	// print is a hash of the names, sizes and times of what matters in it, 0 if it was not taken: as long as a folder rests, its
	// time is enough.
	print uint64
	// confirm is when it is listed once more, because its time may not show a change that came right after the last: 0 for never.
	confirm time.Duration
	walk    uint32 // that has entered it last
	missing bool   // it was not there at the last look, and a walk has been asked for
}

// NewFolders knows no folder yet. matters tells by its name whether a file, if it is changed, is worth a walk; folders always are.
func NewFolders(root string, fsys FS, clock Clock, matters func(name string) bool) *Folders {
	return &Folders{root: root, fsys: fsys, clock: clock, matters: matters, seed: maphash.MakeSeed(), known: map[string]folder{}, dirty: map[string]bool{}}
}

// Begin is called before a walk.
func (f *Folders) Begin() {
	f.walk++
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look, f.dirty = f.dirty, map[string]bool{}
}

// Enter is called by a walk before it lists a folder, by its path relative to the root.
func (f *Folders) Enter(rel string) {
	info, err := f.fsys.Stat(f.full(rel))
	if err != nil {
		return // the walk reports it; a folder that cannot be read is none that is known
	}
	now, before := info.ModTime(), f.known[rel]
	next := folder{changed: now.UnixNano(), print: before.print, confirm: before.confirm, walk: f.walk}
	changed := before.walk != 0 && before.changed != next.changed || f.look[rel]
	if before.walk == 0 {
		changed = f.clock.Wall().Sub(now).Abs() < recently
	}
	if changed || before.print != 0 {
		if next.print = f.printOf(rel); changed || next.print != before.print {
			next.confirm = f.clock.Elapsed() + granularity
		}
	}
	f.known[rel] = next
}

// End is called after a walk. Folders that a complete walk has not entered are forgotten.
func (f *Folders) End(complete bool) {
	f.look = nil
	if !complete {
		return
	}
	for rel, at := range f.known {
		if at.walk != f.walk {
			delete(f.known, rel)
		}
	}
}

// Each calls do with the path of each folder, relative to the root, until it returns false.
func (f *Folders) Each(do func(rel string) bool) {
	for rel := range f.known {
		if !do(rel) {
			return
		}
	}
}

// Len is the number of folders.
func (f *Folders) Len() int { return len(f.known) }

// Dirty notes that something was changed in a folder. It may be called concurrently.
func (f *Folders) Dirty(rel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.dirty) < maxDirty {
		f.dirty[rel] = true
	}
}

// maxDirty bounds how many folders are remembered between two looks. One that is not remembered shows by its time of change.
const maxDirty = 10_000

func (f *Folders) isDirty(rel string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dirty[rel]
}

// Due is when a folder is to be listed once more; ok is false if none is.
func (f *Folders) Due() (at time.Duration, ok bool) {
	for _, k := range f.known {
		if k.confirm != 0 && (!ok || k.confirm < at) {
			at, ok = k.confirm, true
		}
	}
	return at, ok
}

// Changed is whether a folder may hold something else than in the last walk. It looks at folders until it finds one, or ctx ends.
func (f *Folders) Changed(ctx context.Context) bool {
	n := 0
	for rel, k := range f.known {
		if n++; n%256 == 0 && ctx.Err() != nil {
			return false
		}
		info, err := f.fsys.Stat(f.full(rel))
		switch missing := err != nil; {
		case missing && k.missing:
			continue
		case missing != k.missing:
			k.missing, k.confirm = missing, 0
			f.known[rel] = k
			return true
		}
		at, dirty := info.ModTime().UnixNano(), f.isDirty(rel)
		due := k.confirm != 0 && f.clock.Elapsed() >= k.confirm
		if at == k.changed && !dirty && !due {
			continue
		}
		if k.print == 0 || f.printOf(rel) != k.print {
			return true
		}
		k.confirm = 0
		if at != k.changed {
			k.changed, k.confirm = at, f.clock.Elapsed()+granularity
		}
		f.known[rel] = k
		if dirty {
			f.mu.Lock()
			delete(f.dirty, rel)
			f.mu.Unlock()
		}
	}
	return false
}

func (f *Folders) full(rel string) string {
	if rel == "." {
		return f.root
	}
	return fsutil.Join(f.root, rel)
}

// printOf hashes what matters in a folder, in any order. It is never 0.
func (f *Folders) printOf(rel string) (sum uint64) {
	dir := f.full(rel)
	err := f.fsys.List(dir, func(e fs.DirEntry) bool {
		if !e.IsDir() && !f.matters(e.Name()) {
			return true
		}
		var h maphash.Hash
		h.SetSeed(f.seed)
		h.WriteString(e.Name())
		h.WriteByte(0)
		numbers := []int64{int64(e.Type())}
		if !e.IsDir() {
			if info, err := f.fsys.Stat(fsutil.Join(dir, e.Name())); err == nil {
				numbers = append(numbers, info.Size(), info.ModTime().UnixNano())
			}
		}
		_ = binary.Write(&h, binary.LittleEndian, numbers)
		sum += h.Sum64()
		return true
	})
	if err != nil {
		sum ^= 1 << 63
	}
	return max(sum, 1)
}
