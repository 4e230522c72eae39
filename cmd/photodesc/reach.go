package main

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"photodesc/photo"
	"photodesc/photo/vips"
	"photodesc/pool"
)

// witnesses is how many other photos are asked whether the folder is there.
const witnesses = 8 // many, for the page cache may hold some

// reach finds out for the pool whether a photo that a worker could not read is
// lost alone, or whether the folder is: a disk pulled out, a server gone.
type reach struct {
	root    string
	anchors anchors
	good    string   // a photo that was described in an earlier run, if there is one
	photos  []string // what this run has to do
	// works is whether a photo was ever described: where none was, files that
	// cannot be read are what the folder holds.
	works func() bool
}

// look is pool.Config.Reach.
func (r reach) look(rel string) error {
	path := photoPath(r.root, rel)
	mine := vips.Readable(path)
	if mine == nil {
		return nil
	}
	if err := r.anchors.gone(path); err != nil {
		return err
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
	if missing || !r.works() {
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
