package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"photodesc/internal/fsutil"
)

// lockPatience is how long a run tries to take the lock. Running holds it for
// microseconds, which must not keep a run from starting.
const lockPatience = 400 * time.Millisecond

// lock is the lock of a run on its workdir: operating system locks on two files,
// which end with the process, however it ends. The pid file names its holder; runs of
// earlier versions lock only that file. People may remove it, as they do with stale
// ones. The lock on the progress file then still excludes other runs, and watch writes
// the pid file again. Neither file is removed at the end, because another process
// could have locked the removed file, and a third one a new file of that name.
type lock struct {
	dir      string
	text     string       // of the pid file
	progress *flock.Flock // on the progress file

	mu  sync.Mutex
	pid *flock.Flock // on the pid file; another one after that was removed
}

// takeLock locks dir. It returns a *LockedError where another run holds it, and
// a *WriteError where it cannot be locked.
func takeLock(dir string, now time.Time) (*lock, error) {
	l := &lock{dir: dir, text: lockText(os.Getpid(), now)}
	var err error
	if l.progress, err = lockFile(dir, ProgressName); err != nil {
		return nil, err
	}
	if l.pid, err = lockFile(dir, LockName); err != nil {
		_ = l.progress.Unlock()
		return nil, err
	}
	if err := l.write(); err != nil {
		_ = l.pid.Unlock()
		_ = l.progress.Unlock()
		return nil, &WriteError{Op: "write to", Path: l.pid.Path(), Err: err}
	}
	return l, nil
}

// newFlock is a lock on a file that is created where there is none.
func newFlock(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))
}

// lockFile locks a file of dir, and tries again where it is removed meanwhile.
func lockFile(dir, name string) (*flock.Flock, error) {
	path := filepath.Join(dir, name)
	if err := checkRegular(path); err != nil {
		return nil, &WriteError{Op: "open", Path: path, Err: err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	for {
		f := newFlock(path)
		held, err := f.TryLockContext(ctx, 20*time.Millisecond)
		if held {
			if p := presenceOf(f); p == present || p == unknown {
				return f, nil
			}
			_ = f.Unlock()
			continue
		}
		if ctx.Err() != nil {
			pid, since := readLock(filepath.Join(dir, LockName))
			return nil, &LockedError{Dir: dir, PID: pid, Since: since}
		}
		op := "lock"
		if open := (*fs.PathError)(nil); errors.As(err, &open) {
			op = "open"
		}
		return nil, &WriteError{Op: op, Path: path, Err: err}
	}
}

// presence is whether an open file is still at its path.
type presence int

const (
	present  presence = iota // it is where it was
	removed                  // there is none any more
	replaced                 // there is another one
	unknown                  // the file system does not say
)

// presenceOf says whether a lock's file is still the one at its path.
func presenceOf(f *flock.Flock) presence {
	here, err := f.Stat()
	if err != nil {
		return unknown
	}
	there, err := os.Stat(f.Path())
	switch {
	case errors.Is(err, os.ErrNotExist):
		return removed
	case err != nil:
		return unknown
	case !os.SameFile(here, there):
		return replaced
	}
	return present
}

// write puts who holds the lock into the pid file, unless another file is in its
// place.
func (l *lock) write() error { return l.fill(l.text) }

func (l *lock) fill(text string) error {
	f, err := fsutil.OpenRegular(l.pid.Path(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	ours, err := l.pid.Stat()
	if err != nil {
		return err
	}
	if there, err := f.Stat(); err != nil || !os.SameFile(ours, there) {
		return errors.Join(errReplaced, err)
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return err
}

// release ends the lock.
func (l *lock) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A pid that is left behind is harmless: it is valid only while the file is locked.
	_ = l.fill("")
	return errors.Join(l.pid.Unlock(), l.progress.Unlock())
}

// lockText is what the pid file holds: first line the pid, second the time.
func lockText(pid int, since time.Time) string {
	return fmt.Sprintf("%d\n%s\n", pid, since.Format(time.RFC3339))
}

// readLock returns who wrote the pid file. Both are zero when it does not say.
func readLock(path string) (pid int, since time.Time) {
	text, err := readPidFile(path)
	if err != nil {
		return 0, time.Time{}
	}
	return parseLock(text)
}

func readPidFile(path string) (string, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPidFile)) // the rest does not matter
	return string(data), err
}

// maxPidFile bounds what is read of a pid file, in bytes.
const maxPidFile = 4096

func parseLock(text string) (pid int, since time.Time) {
	first, second, _ := strings.Cut(text, "\n")
	pid, err := strconv.Atoi(first)
	if err != nil || pid <= 0 {
		return 0, time.Time{}
	}
	since, _ = time.Parse(time.RFC3339, strings.TrimSpace(second))
	return pid, since
}

// Running says whether a run holds the workdir, who and since when. PID and
// time are zero while a run is just starting, and for a second after its pid
// file was removed. It needs only the right to read.
func Running(dir string) (running bool, pid int, since time.Time) {
	if path := filepath.Join(dir, LockName); locked(path) {
		pid, since = readLock(path)
		return true, pid, since
	}
	return locked(filepath.Join(dir, ProgressName)), 0, time.Time{}
}

// locked is whether another process holds the lock of a file.
func locked(path string) bool {
	if checkRegular(path) != nil { // opening a pipe waits
		return false
	}
	probe := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := probe.TryRLock()
	if free {
		_ = probe.Unlock()
	}
	return !free && err == nil
}
