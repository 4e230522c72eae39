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
// storage is available. It is more than one because the page cache may still have
// photos of a disk that is away.
const maxProbeSamples = 8

// ReadTimeout is a good Probe.Timeout.
const ReadTimeout = 10 * time.Second

// Probe finds out whether a photo that a worker could not read is a bad photo, or
// whether the storage is unavailable: a disk was pulled out, or a server is down.
type Probe struct {
	Root          string // photo folder
	MountPoints   MountPoints
	KnownReadable string   // a photo that was described in an earlier run, "" if there is none
	Photos        []string // those of this run, below Root
	// AnyDescribed is whether any photo was ever described. If none was, files that
	// cannot be read are likely to be bad rather than unavailable.
	AnyDescribed func() bool

	Readable func(path string) error // vips.Readable
	// Timeout is how long the photo itself is waited for before others are read. If
	// they hang, too, so does Check, and the pool takes the storage as unavailable.
	Timeout time.Duration
}

// Check is pool.Config.ProbeStorage. rel is a path below Root.
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
		return own // somebody has deleted the photos, or none of them is good
	}
	return &pool.UnavailableError{Why: fmt.Sprintf("none can be read, as %v", own)}
}

var errNoAnswer = errors.New("the file does not answer")

// readWithTimeout returns why the photo cannot be read, nil if it can.
func (p Probe) readWithTimeout(path string) error {
	answer := make(chan error, 1)
	go func() { answer <- p.Readable(path) }()
	select {
	case err := <-answer:
		return err
	case <-time.After(p.Timeout):
		return errNoAnswer
	}
}

// anyReadable is whether one of a few photos below dir can be read.
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

// probeSamples returns a few photos from all parts of the run, without the one
// that is in question: it says nothing of the storage, and may hang.
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
