package tracker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lockPatience is how long taking the lock is tried. Probing the lock takes it
// for microseconds, and a probe must not keep a run from starting.
const lockPatience = 400 * time.Millisecond

// lock is the lock of a run on its workdir. The system releases it when the
// process ends, however it ends. The file stays: removing it would let a third
// process lock a file that is no longer there for the others.
type lock struct {
	flock *flock.Flock
	path  string
}

func takeLock(dir string, now time.Time) (*lock, error) {
	path := filepath.Join(dir, LockName)
	l := &lock{path: path, flock: flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))}
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	held, err := l.flock.TryLockContext(ctx, 20*time.Millisecond)
	if !held {
		if ctx.Err() == nil && err != nil {
			return nil, &WriteError{Op: "lock", Path: path, Err: err}
		}
		pid, since := readLock(path)
		return nil, &LockedError{Dir: dir, PID: pid, Since: since}
	}
	if err := l.write(fmt.Sprintf("%d\n%s\n", os.Getpid(), now.Format(time.RFC3339))); err != nil {
		_ = l.flock.Unlock()
		return nil, &WriteError{Op: "write to", Path: path, Err: err}
	}
	return l, nil
}

// write replaces the file's text in place.
func (l *lock) write(text string) error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func (l *lock) release() error {
	// A pid left behind misleads nobody: the lock says whether it counts.
	_ = l.write("")
	return l.flock.Unlock()
}

// readLock returns who wrote the lock file: first line the pid, second the
// time. Both are zero when the file does not say.
func readLock(path string) (pid int, since time.Time) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, time.Time{}
	}
	first, second, _ := strings.Cut(string(data), "\n")
	pid, err = strconv.Atoi(first)
	if err != nil || pid <= 0 {
		return 0, time.Time{}
	}
	since, _ = time.Parse(time.RFC3339, strings.TrimSpace(second))
	return pid, since
}

// Running says whether a run holds the workdir, who and since when. PID and
// time are zero while a run is just starting. It disturbs nobody and needs
// only the right to read.
func Running(dir string) (running bool, pid int, since time.Time) {
	path := filepath.Join(dir, LockName)
	probe := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := probe.TryRLock()
	if err != nil {
		return false, 0, time.Time{}
	}
	if free {
		_ = probe.Unlock()
		return false, 0, time.Time{}
	}
	pid, since = readLock(path)
	return true, pid, since
}
