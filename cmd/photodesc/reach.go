package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"photodesc/photo"
	"photodesc/photo/vips"
	"photodesc/pool"
)

// witnesses is how many other photos are asked whether the folder is there.
const witnesses = 8 // many, for the page cache may hold some

// reach finds out for the pool whether a photo that a worker could not read is
// lost alone, or whether the folder is: a disk pulled out, a server gone.
type reach struct {
	root   string
	before os.FileInfo // of the root when the run began
	good   string      // a photo that was described in an earlier run, if there is one
	photos []string    // what this run has to do
	// works is whether a photo was ever described: where none was, files that
	// cannot be read are what the folder holds.
	works func() bool
}

// look is pool.Config.Reach.
func (r reach) look(rel string) error {
	mine := vips.Readable(photoPath(r.root, rel))
	if mine == nil {
		return nil
	}
	now, err := os.Stat(r.root)
	if err != nil {
		return &pool.GoneError{Why: fmt.Sprintf("the folder %q: %v", r.root, photo.Reason(err))}
	}
	missing := true // all that is asked about
	for _, other := range r.witnesses() {
		switch err := vips.Readable(photoPath(r.root, other)); {
		case err == nil:
			return mine
		case !errors.Is(err, photo.ErrGone):
			missing = false
		}
	}
	switch same := os.SameFile(r.before, now); {
	case !same:
		return &pool.GoneError{Why: fmt.Sprintf("%q is another folder than before, without these photos; is its disk mounted?", r.root)}
	case missing, !r.works():
		return mine
	}
	return &pool.GoneError{Why: fmt.Sprintf("none can be read, as %v", mine)}
}

// witnesses are photos from all over the run.
func (r reach) witnesses() []string {
	n := len(r.photos)
	var list []string
	if r.good != "" {
		list = append(list, r.good)
	}
	for i, first := 0, rand.IntN(max(n, 1)); i < min(witnesses, n); i++ {
		list = append(list, r.photos[(first+i*max(1, n/witnesses))%n])
	}
	return list
}
