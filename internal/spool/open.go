package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

const (
	lockName = "lock"
	pattern  = "spool-*" // of the folders
)

// Open makes a spool in a new folder below parent, which is created with rights for this user alone where it is not there. Folders of
// processes that have ended are removed.
func Open(parent string, opts Options) (*Spool, error) {
	if opts.retry <= 0 {
		opts.retry = time.Second
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, err
	}
	for tries := 0; ; tries++ {
		s, err := open(parent, opts)
		if !errors.Is(err, os.ErrNotExist) || tries == 10 { // another process may have removed the empty parent at its end
			return s, err
		}
	}
}

func open(parent string, opts Options) (*Spool, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(parent); err != nil || !info.IsDir() {
		return nil, errors.Join(err, fmt.Errorf("%q is not a folder: remove it", parent))
	}
	gate := flock.New(parent, flock.SetFlag(os.O_RDONLY)) // nobody sees a folder that is not locked yet
	if err := gate.Lock(); err != nil && !durable.NoLocks(err) {
		return nil, err
	}
	defer gate.Unlock()
	removeDead(parent)
	dir, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return nil, err
	}
	s := &Spool{dir: dir, opts: opts, turn: make(chan struct{}, 1), freed: make(chan struct{}, 1),
		lock: flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))}
	s.turn <- struct{}{}
	if _, err := s.lock.TryLock(); err != nil && !durable.NoLocks(err) {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	for _, name := range []string{filesName, partsName} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			_ = os.RemoveAll(dir)
			return nil, err
		}
	}
	return s, nil
}

// removeDead removes the folders of processes that have ended. Without locks on the file system, nothing tells which these are.
func removeDead(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(fsutil.QuoteGlob(parent), pattern))
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))
		if held, err := lock.TryLock(); held && err == nil {
			_ = os.RemoveAll(dir)
			_ = lock.Unlock()
		}
	}
}
