package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"photodesc/internal/photo"
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

	readable func(path string) error // vips.Readable
	patience time.Duration
}

// look is pool.Config.Reach.
func (r reach) look(rel string) error {
	path := photoPath(r.root, rel)
	mine := r.answer(path)
	if mine == nil {
		return nil
	}
	if err := r.anchors.gone(path, r.lives); err != nil {
		return err
	}
	missing := true // all that is asked about
	for _, other := range r.witnesses() {
		switch err := r.readable(photoPath(r.root, other)); {
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

// answerPatience is how long one photo is waited for before others are asked. If
// they hang, too, so does look, which tells the pool.
const answerPatience = 10 * time.Second

var errSilent = errors.New("the file does not answer")

// answer is whether a photo can be read, in time.
func (r reach) answer(path string) error {
	answer := make(chan error, 1)
	go func() { answer <- r.readable(path) }()
	select {
	case err := <-answer:
		return err
	case <-time.After(r.patience):
		return errSilent
	}
}

// lives is whether a photo below dir can be read.
func (r reach) lives(dir string) bool {
	n, asked := len(r.photos), 0
	for i, first := 0, rand.IntN(max(n, 1)); i < n && asked < witnesses; i++ {
		if path := photoPath(r.root, r.photos[(first+i)%n]); below(path, dir) {
			if asked++; r.readable(path) == nil {
				return true
			}
		}
	}
	return false
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
