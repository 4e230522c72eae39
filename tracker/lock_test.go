package tracker

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	_, err := Open(dir, Options{})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || time.Since(locked.Since) > time.Minute {
		t.Fatalf("%v, %+v", err, locked)
	}
	if running, pid, _ := Running(dir); !running || pid != os.Getpid() {
		t.Error(running, pid)
	}
	closeTracker(t, tr)
	if running, _, _ := Running(dir); running {
		t.Error("still running")
	}
	if len(read(t, dir, LockName)) != 0 {
		t.Error("pid left behind")
	}
	closeTracker(t, open(t, dir, Options{}))
}

// TestDeadRunDoesNotBlock leaves a lock file of a dead run, even with the pid
// of a living process.
func TestDeadRunDoesNotBlock(t *testing.T) {
	dir := t.TempDir()
	write(t, "1\n2025-11-23T14:30:22Z\n", dir, LockName)
	if running, _, _ := Running(dir); running {
		t.Error("running")
	}
	open(t, dir, Options{})
}

// TestPeekingDoesNotBlock starts runs while others look at the lock all the time.
func TestPeekingDoesNotBlock(t *testing.T) {
	dir := t.TempDir()
	closeTracker(t, open(t, dir, Options{}))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					Running(dir)
				}
			}
		})
	}
	for range 20 {
		closeTracker(t, open(t, dir, Options{}))
	}
	close(stop)
	wg.Wait()
}

// TestChildDoesNotKeepLock has a child outlive the run.
func TestChildDoesNotKeepLock(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	closeTracker(t, tr)
	open(t, dir, Options{})
}

func TestRoot(t *testing.T) {
	dir, photos, other := t.TempDir(), t.TempDir(), t.TempDir()
	// Without a result the workdir is nobody's.
	closeTracker(t, open(t, dir, Options{Root: other}))
	tr := open(t, dir, Options{Root: photos})
	if err := tr.Add(Record{Path: "a.jpg", Status: OK, Description: "A."}); err != nil {
		t.Fatal(err)
	}
	closeTracker(t, tr)
	_, err := Open(dir, Options{Root: other})
	var root *RootError
	if !errors.As(err, &root) || root.Have != photos || root.Want != other || !strings.Contains(err.Error(), "-C OTHER") {
		t.Fatal(err)
	}
	if running, _, _ := Running(dir); running {
		t.Error("lock kept after an error")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(photos, link); err != nil {
		t.Skip(err)
	}
	for _, same := range []string{link, photos + "/", ""} {
		closeTracker(t, open(t, dir, Options{Root: same}))
	}
	os.Remove(filepath.Join(dir, StateName))
	closeTracker(t, open(t, dir, Options{Root: other}))
}
