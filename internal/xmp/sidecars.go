package xmp

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"photodesc/internal/fsutil"
)

// Outcome is what became of a photo's sidecar.
type Outcome int

// The outcomes.
const (
	Unchanged Outcome = iota // nothing to do
	Made                     // a new sidecar
	Changed                  // one that was there
	Deleted                  // by Remove, because nothing was in it that photodesc has not made
	Gone                     // the photo is not there any more
)

// Sidecars writes the sidecars of the photos in a folder. Its methods may be called
// concurrently, also by several processes.
type Sidecars struct {
	root   string
	inside func(path string) (Embedded, error)
	dry    bool
	finder finder
}

// Options are how sidecars are written.
type Options struct {
	Names  Names // of new ones; "" is FullName
	DryRun bool  // change nothing, but tell what would be done
	// Inside reads what is embedded in a photo.
	Inside func(path string) (Embedded, error)
}

// In returns the sidecars of the photos below root.
func In(root string, o Options) *Sidecars {
	return &Sidecars{root: root, inside: o.Inside, dry: o.DryRun, finder: finder{names: o.Names, now: time.Now}}
}

// An Error says why the sidecar of a photo stays as it is.
type Error struct {
	Sidecar string
	Err     error // a *RefusedError, or of the system
}

func (e *Error) Error() string { return fmt.Sprintf("%q: %s", e.Sidecar, e.Reason()) }

// Reason is the error without the path.
func (e *Error) Reason() string {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(e.Err, &pe):
		return pe.Err.Error()
	case errors.As(e.Err, &le):
		return le.Err.Error()
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

var errOutside = refuse("the path leads out of the photo folder")

// tries is how often a sidecar is edited that changes meanwhile.
const tries = 3

// Write brings the sidecar of a photo up to date; path is relative to the root. The error is
// an *[Error].
func (s *Sidecars) Write(path string, t Text) (Outcome, error) {
	return s.WriteInside(path, t, s.inside)
}

// WriteInside is Write with another way to know what is embedded in the photo.
func (s *Sidecars) WriteInside(path string, t Text, inside func(path string) (Embedded, error)) (Outcome, error) {
	full := fsutil.Join(s.root, path)
	if !filepath.IsLocal(path) {
		return Unchanged, &Error{full, errOutside}
	}
	info, err := os.Stat(full)
	if errors.Is(err, fs.ErrNotExist) {
		return Gone, nil
	}
	if err != nil {
		return Unchanged, &Error{full, err}
	}
	sidecar, _, err := s.finder.find(full)
	if err != nil {
		return Unchanged, &Error{full + endings[0], err}
	}
	var in *Embedded
	return s.edit(sidecar, info, func(was content) ([]byte, bool, error) {
		if in == nil {
			read, err := inside(full)
			if err != nil {
				return nil, false, refuse("what is inside of the photo cannot be read, and a sidecar could hide it: %v", err)
			}
			in = &read
		}
		if was.info == nil {
			data, err := New(t, *in)
			return data, false, err
		}
		data, err := Update(was.bytes, t, *in)
		return data, false, err
	})
}

// Read returns the sidecar of a photo for [Written], nil if there is none or it cannot be
// read; path is relative to the root.
func (s *Sidecars) Read(path string) []byte {
	if !filepath.IsLocal(path) {
		return nil
	}
	sidecar, exists, err := s.finder.find(fsutil.Join(s.root, path))
	if err != nil || !exists {
		return nil
	}
	was, err := readUpTo(sidecar, maxRead)
	if err != nil {
		return nil
	}
	return was.bytes
}

// Remove takes out of the sidecars of a photo what Write put in. The photo itself need not
// be there. The error is an *[Error].
func (s *Sidecars) Remove(path string) (outcome Outcome, err error) {
	if !filepath.IsLocal(path) {
		return Unchanged, &Error{path, errOutside}
	}
	for _, sidecar := range candidates(fsutil.Join(s.root, path)) {
		if !s.dry {
			sweep(sidecar)
		}
		if there, err := isThere(sidecar); !there || err != nil {
			continue // such a name may be too long to be there
		}
		o, e := s.edit(sidecar, nil, func(was content) ([]byte, bool, error) {
			if !bytes.Contains(was.bytes, []byte(nsOwn)) {
				return was.bytes, false, nil
			}
			return Remove(was.bytes)
		})
		outcome, err = max(outcome, o), errors.Join(err, e)
	}
	return outcome, err
}

// edit replaces a sidecar by what change makes of it. Nothing is touched where that is the
// same.
func (s *Sidecars) edit(sidecar string, photo fs.FileInfo, change func(content) (data []byte, remove bool, err error)) (Outcome, error) {
	fail := func(err error) (Outcome, error) { return Unchanged, &Error{sidecar, err} }
	look := func() (was content, data []byte, remove bool, err error) {
		if was, err = readSidecar(sidecar); err == nil {
			data, remove, err = change(was)
		}
		return was, data, remove, err
	}
	for try := 1; ; try++ {
		was, data, remove, err := look()
		if err != nil {
			return fail(err)
		}
		if bytes.Equal(data, was.bytes) && !remove {
			return Unchanged, nil
		}
		outcome := Changed
		switch {
		case remove:
			outcome = Deleted
		case was.info == nil:
			outcome = Made
		}
		if s.dry {
			return outcome, nil
		}
		like := photo
		if was.info != nil {
			like = was.info
		}
		err = func() error {
			r, err := lock(sidecar)
			if err != nil {
				return err
			}
			if !was.unchanged(sidecar) {
				err = errChanged
			} else if remove {
				if err = os.Remove(sidecar); err == nil {
					r.discard()
					return nil
				}
			} else if err = r.put(data, was, like); err == nil {
				return nil
			}
			r.discard()
			return err
		}()
		if err == nil {
			return outcome, nil
		}
		if !errors.Is(err, errChanged) || try >= tries {
			return fail(err)
		}
	}
}
