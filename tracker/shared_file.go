package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// sharedFile is a file of lines to which several processes add, also while a run works. It is locked while lines are added.
type sharedFile struct {
	path  string
	what  string // that it holds, for people
	again string // what a person does again where it cannot be written
}

// sharedPatience is how long a writer waits for others, which take milliseconds each.
const sharedPatience = 10 * time.Second

// lock locks the file, which is created where there is none.
func (s sharedFile) lock() (*flock.Flock, error) {
	if err := checkRegular(s.path); err != nil {
		return nil, s.failed("open", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), sharedPatience)
	defer cancel()
	for {
		f := newFlock(s.path)
		held, err := f.TryLockContext(ctx, 5*time.Millisecond)
		switch {
		case held && presenceOf(f) != removed && presenceOf(f) != replaced:
			return f, nil
		case held:
			_ = f.Unlock()
		case ctx.Err() != nil:
			return nil, fmt.Errorf("another process has been writing %s to %q for %v\n  try again when it has ended", s.what, s.path, sharedPatience)
		default:
			_ = f.Close()
			return nil, s.failed("lock", err)
		}
	}
}

// append adds whole lines and waits until they are on the disk. The file is locked and exists.
func (s sharedFile) append(disk filesystem, lines []byte) error {
	f, err := disk.OpenFile(s.path, os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return s.failed("open", err)
	}
	defer f.Close()
	whole, empty, err := endsWhole(s.path)
	if err != nil {
		return s.failed("read", err)
	}
	if empty { // it may have been created just now
		if err := disk.SyncDir(filepath.Dir(s.path)); err != nil {
			return s.failed("sync", err)
		}
	}
	if !whole { // a line was torn; what is left of it stays a line of its own
		lines = append([]byte{'\n'}, lines...)
	}
	var failed *WriteError
	if err := (&appendFile{fs: disk, f: f, path: s.path}).append(lines); errors.As(err, &failed) {
		failed.again = s.again
		return failed
	}
	return nil
}

func (s sharedFile) failed(op string, err error) error {
	return &WriteError{Op: op, Path: s.path, Err: err, again: s.again}
}

// endsWhole is whether a file is empty or ends with a newline.
func endsWhole(path string) (whole, empty bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, false, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return true, true, err
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], size-1)
	return last[0] == '\n', false, err
}
