package storage

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

// Reach finds out for the pool whether a photo that a worker could not read is
// lost alone, or whether the folder is: a disk pulled out, a server gone.
type Reach struct {
	Root    string
	Anchors Anchors
	Good    string   // a photo that was described in an earlier run, if there is one
	Photos  []string // what this run has to do
	// Works is whether a photo was ever described: where none was, files that
	// cannot be read are what the folder holds.
	Works func() bool

	Readable func(path string) error // vips.Readable
	Patience time.Duration
}

// Look is pool.Config.Reach.
func (r Reach) Look(rel string) error {
	path := PhotoPath(r.Root, rel)
	mine := r.answer(path)
	if mine == nil {
		return nil
	}
	if err := r.Anchors.gone(path, r.lives); err != nil {
		return err
	}
	missing := true // all that is asked about
	for _, other := range r.witnesses() {
		switch err := r.Readable(PhotoPath(r.Root, other)); {
		case err == nil:
			return mine
		case !errors.Is(err, photo.ErrGone):
			missing = false
		}
	}
	if missing || !r.Works() {
		return mine
	}
	return &pool.GoneError{Why: fmt.Sprintf("none can be read, as %v", mine)}
}

// AnswerPatience is how long one photo is waited for before others are asked. If
// they hang, too, so does look, which tells the pool.
const AnswerPatience = 10 * time.Second

var errSilent = errors.New("the file does not answer")

// answer is whether a photo can be read, in time.
func (r Reach) answer(path string) error {
	answer := make(chan error, 1)
	go func() { answer <- r.Readable(path) }()
	select {
	case err := <-answer:
		return err
	case <-time.After(r.Patience):
		return errSilent
	}
}

// lives is whether a photo below dir can be read.
func (r Reach) lives(dir string) bool {
	n, asked := len(r.Photos), 0
	for i, first := 0, rand.IntN(max(n, 1)); i < n && asked < witnesses; i++ {
		if path := PhotoPath(r.Root, r.Photos[(first+i)%n]); below(path, dir) {
			if asked++; r.Readable(path) == nil {
				return true
			}
		}
	}
	return false
}

// witnesses are photos from all over the run.
func (r Reach) witnesses() []string {
	n := len(r.Photos)
	var list []string
	if r.Good != "" {
		list = append(list, r.Good)
	}
	for i, first := 0, rand.IntN(max(n, 1)); i < min(witnesses, n); i++ {
		list = append(list, r.Photos[(first+i*max(1, n/witnesses))%n])
	}
	return list
}
