package watch

import (
	"context"
	"sync"
	"time"

	"photodesc/internal/fsutil"
)

// Rest tells files that have rested from those that are being written. A file that was changed long ago has, so that one that was
// renamed into its place is taken at once. Another is looked at again until its size and time have not changed for a while, as the
// monotonic clock counts it: how the clock of the file's server differs from this machine's does not matter.
type Rest struct {
	settle time.Duration
	clock  Clock

	mu    sync.Mutex
	files map[string]restless
	walk  int
}

// restless is a file that has not rested, as it was when it was looked at first with this size and time.
type restless struct {
	size, changed int64
	since         time.Duration
	walk          int
}

// NewRest waits until files have not changed for settle.
func NewRest(settle time.Duration, clock Clock) *Rest {
	return &Rest{settle: settle, clock: clock, files: map[string]restless{}}
}

// Begin is called before a walk.
func (r *Rest) Begin() { r.walk++ }

// End is called after a walk. Files that a complete walk has not asked about are forgotten; after another they wait once more.
func (r *Rest) End(complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for rel, f := range r.files {
		switch {
		case f.walk == r.walk:
		case complete:
			delete(r.files, rel)
		default:
			f.since = r.clock.Elapsed()
			r.files[rel] = f
		}
	}
}

// Rested is whether a file with this size and time of change may be described. It may be called concurrently.
func (r *Rest) Rested(rel string, size int64, changed time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rested(rel, size, changed)
}

func (r *Rest) rested(rel string, size int64, changed time.Time) bool {
	now := r.clock.Elapsed()
	f, waits := r.files[rel]
	switch same := f.size == size && f.changed == changed.UnixNano(); {
	case !waits && r.clock.Wall().Sub(changed) >= r.settle, waits && same && now-f.since >= r.settle, r.settle <= 0:
		delete(r.files, rel)
		return true
	case waits && same:
		f.walk = r.walk
	default:
		f = restless{size, changed.UnixNano(), now, r.walk}
	}
	r.files[rel] = f
	return false
}

// Waiting is how many files have not rested.
func (r *Rest) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.files)
}

// Due is when the next file may have rested; ok is false if none waits.
func (r *Rest) Due() (at time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.files {
		if due := f.since + r.settle; !ok || due < at {
			at, ok = due, true
		}
	}
	return at, ok
}

// AnyRested looks at the files that wait. It is whether one has rested, which the next walk then takes. Files that are not there any
// more wait no longer.
func (r *Rest) AnyRested(ctx context.Context, fsys FS, root string) (any bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for rel, f := range r.files {
		if n++; n%256 == 0 && ctx.Err() != nil {
			return false
		}
		info, err := fsys.Stat(fsutil.Join(root, rel))
		if err != nil {
			delete(r.files, rel)
			continue
		}
		if same := f.size == info.Size() && f.changed == info.ModTime().UnixNano(); !same {
			r.files[rel] = restless{info.Size(), info.ModTime().UnixNano(), r.clock.Elapsed(), f.walk}
		} else if r.clock.Elapsed()-f.since >= r.settle {
			any = true
		}
	}
	return any
}
