//go:build unix

package tracker

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// within fails the test where f waits for a pipe that nobody opens.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal(what, "waits for a pipe")
	}
}

// TestPipes has named pipes where the run's files are to be: nothing waits for
// them.
func TestPipes(t *testing.T) {
	for _, name := range []string{LockName, ProgressName, StateName, OutputsName + "/image_analysis_20251123_143022.jsonl"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Skip(err)
		}
		within(t, name, func() {
			if running, _, _ := Running(dir); running {
				t.Error(name, "is running")
			}
			_, _ = Peek(dir)
			_, _ = Summarize(dir)
			tr, err := Open(dir, Options{})
			if err == nil {
				closeTracker(t, tr)
			} else if !strings.Contains(err.Error(), "not a file") {
				t.Error(name, err)
			}
			if fails := name == LockName || name == ProgressName; fails != (err != nil) {
				t.Error(name, err)
			}
		})
	}
}

// TestPidFileBecomesPipe has a run whose pid file somebody replaces by a named
// pipe, and by a folder: it goes on.
func TestPidFileBecomesPipe(t *testing.T) {
	for name, put := range map[string]func(string) error{
		"pipe":   func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"folder": func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, LockName)
			tr := open(t, dir, Options{})
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := put(path); err != nil {
				t.Skip(err)
			}
			time.Sleep(5 * watchEvery / 2)
			within(t, name, func() {
				add(t, tr, okRecord("a.jpg"))
				if running, _, _ := Running(dir); !running {
					t.Error("not seen as running")
				}
				if err := os.Remove(path); err != nil {
					t.Error(err)
				}
				if err := awaitPID(dir, os.Getpid()); err != nil {
					t.Error(err)
				}
				closeTracker(t, tr)
			})
		})
	}
}
