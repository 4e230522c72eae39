package xmp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

// errChanged says that a sidecar is not any more as it was read.
var errChanged = errors.New("another program changes it at this moment; export again when that is done")

// content is a sidecar as it was read; info is nil if there is none.
type content struct {
	bytes []byte
	info  fs.FileInfo
}

// readSidecar reads a regular file. Links are refused: what they lead to may be kept by
// another program that does not expect changes.
func readSidecar(path string) (content, error) { return readUpTo(path, MaxSize) }

// readUpTo is readSidecar for one of which so many bytes are read, and one more.
func readUpTo(path string, size int64) (content, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return content{}, nil
	}
	if err != nil {
		return content{}, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return content{}, refuse("it is a symbolic link")
	}
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if notRegular := (*fsutil.NotRegularError)(nil); errors.As(err, &notRegular) {
		return content{}, refuse("%v", notRegular)
	}
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return content{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, size+1))
	if err != nil {
		return content{}, err
	}
	return content{data, info}, nil
}

// unchanged is whether the file is still as it was read.
func (c content) unchanged(path string) bool {
	now, err := readSidecar(path)
	if err != nil || (c.info == nil) != (now.info == nil) {
		return false
	}
	return c.info == nil || os.SameFile(c.info, now.info) && c.info.ModTime().Equal(now.info.ModTime()) && bytes.Equal(c.bytes, now.bytes)
}

// replacement is a file that will take the place of a sidecar. Its lock keeps other
// processes of photodesc away from the sidecar.
type replacement struct {
	path string // of the sidecar
	f    *os.File
}

// lockPatience is how long another process may take, which is milliseconds if its disk answers.
const lockPatience = 20 * time.Second

// temporary is the name under which a sidecar is written. No program takes it for a
// sidecar or a photo, it fits where the sidecar's own name is as long as a name may be, and
// what is left of it after a crash is used by the next attempt.
func temporary(path string) string {
	return filepath.Join(filepath.Dir(path), ".photodesc-"+sum(filepath.Base(path))+".tmp")
}

// lock opens the replacement of a sidecar and locks it.
func lock(path string) (*replacement, error) {
	temp := temporary(path)
	for begun := time.Now(); ; {
		f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
		if err != nil {
			return nil, err
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if durable.NoLocks(err) {
			f.Close()
			_ = os.Remove(temp)
			return unlocked(path)
		}
		if err == nil {
			if mine(f, temp) {
				return &replacement{path, f}, nil
			}
		} else if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, &fs.PathError{Op: "lock", Path: temp, Err: err}
		}
		f.Close()
		if time.Since(begun) > lockPatience {
			return nil, fmt.Errorf("another photodesc has kept %q for %v; if none runs, remove that file", temp, lockPatience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// unlocked opens a replacement under a name of its own, where the file system has no locks.
func unlocked(path string) (*replacement, error) {
	f, err := os.CreateTemp(filepath.Dir(path), strings.TrimSuffix(filepath.Base(temporary(path)), ".tmp")+"-*.tmp")
	if err != nil {
		return nil, err
	}
	return &replacement{path, f}, nil
}

// sweep removes a replacement that a process has left that was killed.
func sweep(path string) {
	if there, err := isThere(temporary(path)); !there || err != nil {
		return
	}
	if r, err := lock(path); err == nil {
		r.discard()
	}
}

// mine is whether the file still has its name, and that one alone: the process that had
// the lock before may have made it the sidecar.
func mine(f *os.File, temp string) bool {
	opened, err := f.Stat()
	if err != nil || !opened.Mode().IsRegular() {
		return false
	}
	named, err := os.Lstat(temp)
	var stat unix.Stat_t
	return err == nil && os.SameFile(opened, named) && unix.Fstat(int(f.Fd()), &stat) == nil && stat.Nlink == 1
}

// discard removes the replacement.
func (r *replacement) discard() {
	_ = os.Remove(r.f.Name())
	r.f.Close()
}

// put makes data the sidecar, if that is still as it was read. like is the file whose mode
// and owner the sidecar gets: the old one, or the photo of a new one.
func (r *replacement) put(data []byte, was content, like fs.FileInfo) error {
	if err := r.f.Truncate(0); err != nil {
		return err
	}
	if _, err := r.f.WriteAt(data, 0); err != nil {
		return err
	}
	if err := keepOwner(r.f, like, was.info != nil); err != nil {
		return err
	}
	if was.info != nil {
		if err := copyAttributes(r.path, r.f); err != nil {
			return err
		}
	}
	if err := durable.Sync(r.f); err != nil && !durable.Unsupported(err) {
		return err
	}
	beforeRename()
	if !was.unchanged(r.path) {
		return errChanged
	}
	rename := os.Rename
	if was.info == nil {
		rename = renameNew
	}
	err := rename(r.f.Name(), r.path)
	if errors.Is(err, fs.ErrExist) {
		return errChanged
	}
	if err == nil {
		r.f.Close()
	}
	return err
}

// beforeRename is a place for tests.
var beforeRename = func() {}
