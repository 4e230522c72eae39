package tracker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// TestPidFileRemoved takes the pid file from under a run: no other run gets in,
// the run is seen, and says its pid again.
func TestPidFileRemoved(t *testing.T) {
	for name, away := range map[string]func(path string) error{
		"removed": os.Remove,
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"renamed": func(path string) error { return os.Rename(path, path+".old") },
		"another in its place": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("1\n2025-11-23T14:30:22Z\n"), 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tr := open(t, dir, Options{})
			add(t, tr, okRecord("a.jpg"))
			for range 2 { // people do it again
				if err := away(filepath.Join(dir, LockName)); err != nil {
					t.Fatal(err)
				}
				if running, _, _ := Running(dir); !running {
					t.Fatal("not seen as running")
				}
				if s, err := Peek(dir); err != nil || s.State != StateRunning || name == "removed" && s.PID != os.Getpid() {
					t.Fatalf("%v, pid %d, %v", s.State, s.PID, err)
				}
				var locked *LockedError
				if _, err := Open(dir, Options{}); !errors.As(err, &locked) {
					t.Fatalf("a second run got in: %v", err)
				}
				if err := awaitPID(dir, os.Getpid()); err != nil {
					t.Fatal(err)
				}
			}
			add(t, tr, okRecord("b.jpg"))
			if n := strings.Count(notes(tr), "while the run works"); n != 2 {
				t.Errorf("%d notes: %s", n, notes(tr))
			}
			closeTracker(t, tr)
			if running, _, _ := Running(dir); running || len(read(t, dir, LockName)) != 0 {
				t.Error("still locked")
			}
			closeTracker(t, open(t, dir, Options{}))
			if got := checkFiles(t, dir); len(got) != 2 {
				t.Error(got)
			}
		})
	}
}

// awaitPID waits until the pid file says the pid.
func awaitPID(dir string, want int) error {
	for end := time.Now().Add(10 * watchEvery); ; time.Sleep(10 * time.Millisecond) {
		running, pid, since := Running(dir)
		if running && pid == want && !since.IsZero() {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("running %v, pid %d, since %v", running, pid, since)
		}
	}
}

// olderRun holds a workdir as versions before the progress file was locked, with
// a pid file of its own.
func olderRun(t *testing.T, dir string, pid int) {
	t.Helper()
	path := filepath.Join(dir, LockName)
	f := flock.New(path + ".new")
	if held, err := f.TryLock(); !held || err != nil {
		t.Fatal(held, err)
	}
	write(t, fmt.Sprintf("%d\n2025-11-23T14:30:22Z\n", pid), path+".new")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Unlock() })
}

// stopLoop waits for a state that is just being written; none is written after
// it but the last.
func stopLoop(l *Live) {
	close(l.quit)
	<-l.done
	l.quit = make(chan struct{})
}

func TestOlderRunIsSeen(t *testing.T) {
	dir := t.TempDir()
	olderRun(t, dir, 4711)
	var locked *LockedError
	if _, err := Open(dir, Options{}); !errors.As(err, &locked) || locked.PID != 4711 {
		t.Error(err)
	}
	if running, pid, since := Running(dir); !running || pid != 4711 || since.Year() != 2025 {
		t.Error(running, pid, since)
	}
}

// TestTakenOver has a run of an older version come in, which a removed pid file
// lets do that: this run writes nothing any more.
func TestTakenOver(t *testing.T) {
	for _, idle := range []bool{false, true} {
		dir := t.TempDir()
		tr := open(t, dir, Options{now: fixedTime})
		add(t, tr, okRecord("a.jpg"))
		olderRun(t, dir, 4711)
		if !idle {
			if err := tr.Add(okRecord("b.jpg")); err == nil {
				t.Fatal("described beside another run")
			}
		}
		select {
		case <-tr.Broken():
		case <-time.After(10 * watchEvery):
			t.Fatal("not noticed")
		}
		err := tr.Add(okRecord("c.jpg"))
		var w *WriteError
		var locked *LockedError
		if !errors.As(err, &w) || !errors.As(err, &locked) || locked.PID != 4711 || !strings.Contains(err.Error(), "leave photodesc.pid") {
			t.Fatal(err)
		}
		stopLoop(tr.live)
		write(t, "theirs", dir, StateName)
		closeTracker(t, tr)
		if string(read(t, dir, StateName)) != "theirs" || !strings.HasPrefix(string(read(t, dir, LockName)), "4711\n") {
			t.Error("wrote over the other run's files")
		}
		if got := checkFiles(t, dir); len(got) != 1 {
			t.Error(got)
		}
	}
}

// TestEmptied has all of the workdir removed, and another run begin there.
func TestEmptied(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, Options{})
	add(t, first, okRecord("a.jpg"))
	for _, name := range []string{ProgressName, LockName, OutputsName, StateName} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	second := open(t, dir, Options{})
	stopLoop(first.live)
	if err := first.Add(okRecord("b.jpg")); !errors.Is(err, errReplaced) {
		t.Fatal(err)
	}
	add(t, second, okRecord("c.jpg"))
	second.Live().SetRun("second", "", 0)
	second.live.flush()
	closeTracker(t, first)
	if s, err := Peek(dir); err != nil || !s.Running || s.Model != "second" || s.PID != os.Getpid() || s.Completed != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	closeTracker(t, second)
	if got := checkFiles(t, dir); len(got) != 1 || !got["c.jpg"] {
		t.Error(got)
	}
}

// TestIdleAndReplaced removes the progress file under a run that adds nothing.
func TestIdleAndReplaced(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	if err := os.Remove(filepath.Join(dir, ProgressName)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-tr.Broken():
	case <-time.After(10 * watchEvery):
		t.Fatal("not noticed")
	}
	if err := tr.Err(); !errors.Is(err, errReplaced) {
		t.Fatal(err)
	}
	closeTracker(t, tr)
	if s, err := Peek(dir); err != nil || s.State != StateBroke {
		t.Errorf("%+v, %v", s.State, err)
	}
}

// TestMoved renames the workdir of a run.
func TestMoved(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old")
	moved := old + " moved"
	tr := open(t, old, Options{})
	add(t, tr, okRecord("a.jpg"))
	if err := os.Rename(old, moved); err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := Open(moved, Options{}); !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Fatal(err)
	}
	// Another run where it was.
	other := open(t, old, Options{})
	if err := tr.Add(okRecord("b.jpg")); !errors.Is(err, errReplaced) {
		t.Fatal(err)
	}
	closeTracker(t, tr)
	add(t, other, okRecord("c.jpg"))
	if running, pid, _ := Running(old); !running || pid != os.Getpid() {
		t.Error(running, pid)
	}
	closeTracker(t, other)
	closeTracker(t, open(t, moved, Options{}))
	if got := checkFiles(t, moved); len(got) != 1 || !got["a.jpg"] {
		t.Error(got)
	}
	if got := checkFiles(t, old); len(got) != 1 || !got["c.jpg"] {
		t.Error(got)
	}
}

// TestMovedBesideOlder has a run of an older version where the workdir was: the
// moved run does not write its last figures over that one's.
func TestMovedBesideOlder(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old")
	tr := open(t, old, Options{})
	if err := os.Rename(old, old+" moved"); err != nil {
		t.Fatal(err)
	}
	write(t, "", old, ProgressName)
	olderRun(t, old, 4711)
	if err := tr.Add(okRecord("b.jpg")); !errors.Is(err, errReplaced) {
		t.Fatal(err)
	}
	stopLoop(tr.live)
	write(t, "theirs", old, StateName)
	closeTracker(t, tr)
	if string(read(t, old, StateName)) != "theirs" || !strings.HasPrefix(string(read(t, old, LockName)), "4711\n") {
		t.Error("wrote over the other run's files")
	}
}

// TestCopied copies the workdir of a run: a copy is a workdir of its own, and
// one of hard links is the same one.
func TestCopied(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	add(t, tr, okRecord("a.jpg"))
	copied, linked := filepath.Join(t.TempDir(), "copy"), t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if running, _, _ := Running(copied); running {
		t.Error("a copy runs")
	}
	other := open(t, copied, Options{})
	add(t, other, okRecord("b.jpg"))
	add(t, tr, okRecord("b.jpg"))
	closeTracker(t, other)
	for _, name := range []string{LockName, ProgressName} {
		if err := os.Link(filepath.Join(dir, name), filepath.Join(linked, name)); err != nil {
			t.Skip(err)
		}
	}
	var locked *LockedError
	if _, err := Open(linked, Options{}); !errors.As(err, &locked) {
		t.Error(err)
	}
	closeTracker(t, tr)
	checkFiles(t, copied)
	checkFiles(t, dir)
}
