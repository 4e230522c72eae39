package storage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/pool"
)

// maxProbeSamples is how many other photos are read to find out whether the
// storage is available. One is not enough, because the page cache may still hold
// photos of a disk that is unavailable.
const maxProbeSamples = 8

// ReadTimeout is the Probe.Timeout of a run.
const ReadTimeout = 10 * time.Second

// Probe finds out whether a photo could not be read because it is bad or because
// the storage is unavailable: a disk was removed, or a server is down.
type Probe struct {
	Root          string // photo folder
	MountPoints   MountPoints
	KnownReadable string   // a photo that was described in an earlier run, "" if there is none
	Photos        []string // those of this run, below Root
	// AnyDescribed reports whether any photo was ever described. If none was, files
	// that cannot be read are probably bad.
	AnyDescribed func() bool

	Readable func(path string) error // vips.Readable
	// Timeout is how long Check waits for the photo itself before it reads others. If
	// these hang, so does Check, and the pool treats the storage as unavailable.
	Timeout time.Duration
}

// Check implements pool.Config.ProbeStorage for the photo at rel, a path below Root.
// It returns nil if the photo can be read, a *pool.UnavailableError if the storage
// is unavailable, and otherwise why the photo cannot be read.
func (p Probe) Check(rel string) error {
	path := fsutil.Join(p.Root, rel)
	own := p.readWithTimeout(path)
	if own == nil {
		return nil
	}
	if err := p.MountPoints.unavailable(path, p.anyReadable); err != nil {
		return err
	}
	allMissing := true
	for _, other := range p.probeSamples(rel) {
		switch err := p.Readable(fsutil.Join(p.Root, other)); {
		case err == nil:
			return own
		case !errors.Is(err, photo.ErrMissing):
			allMissing = false
		}
	}
	if allMissing || !p.AnyDescribed() {
		return own // the photos were deleted, or all of them are bad
	}
	return &pool.UnavailableError{Why: fmt.Sprintf("no photo can be read: %v", own)}
}

var errTimeout = errors.New("reading the file takes too long")

// readWithTimeout returns why the photo cannot be read, nil if it can.
func (p Probe) readWithTimeout(path string) error {
	answer := make(chan error, 1)
	go func() { answer <- p.Readable(path) }()
	select {
	case err := <-answer:
		return err
	case <-time.After(p.Timeout):
		return errTimeout
	}
}

// anyReadable reports whether one of a few photos below dir can be read.
func (p Probe) anyReadable(dir string) bool {
	n, tried := len(p.Photos), 0
	for i, first := 0, rand.IntN(max(n, 1)); i < n && tried < maxProbeSamples; i++ {
		if path := fsutil.Join(p.Root, p.Photos[(first+i)%n]); fsutil.Below(path, dir) {
			if tried++; p.Readable(path) == nil {
				return true
			}
		}
	}
	return false
}

// probeSamples returns a few photos from all parts of the run except the one that
// is being checked, which may hang.
func (p Probe) probeSamples(without string) []string {
	n := len(p.Photos)
	var list []string
	if p.KnownReadable != "" {
		list = append(list, p.KnownReadable)
	}
	for i, first := 0, rand.IntN(max(n, 1)); i < min(maxProbeSamples, n); i++ {
		list = append(list, p.Photos[(first+i*max(1, n/maxProbeSamples))%n])
	}
	return slices.DeleteFunc(list, func(path string) bool { return path == without })
}
