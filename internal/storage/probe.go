package storage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"photodesc/internal/photo"
	"photodesc/pool"
)

// maxProbeSamples is how many other photos are asked whether the folder is there.
const maxProbeSamples = 8 // many, for the page cache may hold some

// Probe finds out for the pool whether a photo that a worker could not read is
// lost alone, or whether the folder is: a disk pulled out, a server gone.
type Probe struct {
	Root          string
	MountPoints   MountPoints
	KnownReadable string   // a photo that was described in an earlier run, if there is one
	Photos        []string // what this run has to do
	// AnyDescribed is whether a photo was ever described: where none was, files that
	// cannot be read are what the folder holds.
	AnyDescribed func() bool

	Readable func(path string) error // vips.Readable
	Timeout  time.Duration
}

// Check is pool.Config.ProbeStorage.
func (r Probe) Check(rel string) error {
	path := PhotoPath(r.Root, rel)
	mine := r.readWithTimeout(path)
	if mine == nil {
		return nil
	}
	if err := r.MountPoints.unavailable(path, r.anyReadable); err != nil {
		return err
	}
	missing := true // all that is asked about
	for _, other := range r.probeSamples() {
		switch err := r.Readable(PhotoPath(r.Root, other)); {
		case err == nil:
			return mine
		case !errors.Is(err, photo.ErrGone):
			missing = false
		}
	}
	if missing || !r.AnyDescribed() {
		return mine
	}
	return &pool.UnavailableError{Why: fmt.Sprintf("none can be read, as %v", mine)}
}

// ReadTimeout is how long one photo is waited for before others are asked. If
// they hang, too, so does look, which tells the pool.
const ReadTimeout = 10 * time.Second

var errNoAnswer = errors.New("the file does not answer")

// readWithTimeout is whether a photo can be read, in time.
func (r Probe) readWithTimeout(path string) error {
	answer := make(chan error, 1)
	go func() { answer <- r.Readable(path) }()
	select {
	case err := <-answer:
		return err
	case <-time.After(r.Timeout):
		return errNoAnswer
	}
}

// anyReadable is whether a photo below dir can be read.
func (r Probe) anyReadable(dir string) bool {
	n, asked := len(r.Photos), 0
	for i, first := 0, rand.IntN(max(n, 1)); i < n && asked < maxProbeSamples; i++ {
		if path := PhotoPath(r.Root, r.Photos[(first+i)%n]); below(path, dir) {
			if asked++; r.Readable(path) == nil {
				return true
			}
		}
	}
	return false
}

// probeSamples are photos from all over the run.
func (r Probe) probeSamples() []string {
	n := len(r.Photos)
	var list []string
	if r.KnownReadable != "" {
		list = append(list, r.KnownReadable)
	}
	for i, first := 0, rand.IntN(max(n, 1)); i < min(maxProbeSamples, n); i++ {
		list = append(list, r.Photos[(first+i*max(1, n/maxProbeSamples))%n])
	}
	return list
}
