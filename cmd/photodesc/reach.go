package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"syscall"

	"photodesc/pool"
)

// witnesses is how many other photos are asked whether the folder is there.
const witnesses = 8

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
	mine := readable(photoPath(r.root, rel))
	if mine == nil {
		return nil
	}
	now, err := os.Stat(r.root)
	if err != nil {
		return &pool.GoneError{Why: fmt.Sprintf("the folder %q: %v", r.root, pathless(err))}
	}
	missing := true // all that is asked about
	for _, other := range r.witnesses() {
		switch err := readable(photoPath(r.root, other)); {
		case err == nil:
			return mine
		case !errors.Is(err, fs.ErrNotExist):
			missing = false
		}
	}
	switch same := os.SameFile(r.before, now); {
	case !same:
		return &pool.GoneError{Why: fmt.Sprintf("%q is another folder than before, without these photos; is its disk mounted?", r.root)}
	case missing, !r.works():
		return mine
	}
	return &pool.GoneError{Why: fmt.Sprintf("none in %q can be read: %v", r.root, pathless(mine))}
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

// readable tries to read a file's first byte; the page cache may have it, so
// that only many files tell.
func readable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("no regular file")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 1), 0); err != nil && err != io.EOF {
		return err
	}
	return nil
}

func pathless(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
