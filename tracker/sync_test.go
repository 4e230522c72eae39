package tracker

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSyncRefused runs on a file system that has no fsync, as exFAT, SMB and
// some FUSE file systems.
func TestSyncRefused(t *testing.T) {
	for _, refusal := range []syscall.Errno{syscall.ENOTTY, syscall.EINVAL, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOSYS} {
		t.Run(refusal.Error(), func(t *testing.T) {
			dir := t.TempDir()
			faults := &faultFS{fault: func(op, _ string) (int, error) {
				if op == "sync" || op == "syncdir" {
					return 0, refusal
				}
				return 0, nil
			}}
			tr := open(t, dir, Options{fs: faults})
			tr.Use(Settings{{Name: "model", Value: "x"}}, false)
			add(t, tr, okRecord("a.jpg"), failedRecord("b.jpg", Crash), okRecord("c.jpg"))
			if n := strings.Count(notes(tr), "cannot confirm"); n != 1 || !strings.Contains(notes(tr), refusal.Error()) {
				t.Errorf("said %d times: %s", n, notes(tr))
			}
			closeTracker(t, tr)
			// There, too, a torn line is repaired.
			write(t, string(read(t, dir, ProgressName))+"torn", dir, ProgressName)
			tr = open(t, dir, Options{fs: faults})
			closeTracker(t, tr)
			if got := checkFiles(t, dir); len(got) != 2 {
				t.Error(got)
			}
		})
	}
}

// TestSyncFails keeps apart from refusals what a disk that fails says.
func TestSyncFails(t *testing.T) {
	for _, failure := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		for _, op := range []string{"sync", "syncdir"} {
			faults := &faultFS{fault: func(o, _ string) (int, error) {
				if o == op {
					return 0, failure
				}
				return 0, nil
			}}
			var w *WriteError
			if _, err := Open(t.TempDir(), Options{fs: faults}); !errors.As(err, &w) || w.Op != "sync" || !errors.Is(err, failure) {
				t.Errorf("%s %v: %v", op, failure, err)
			}
		}
	}
}

// TestSyncRefusedLater has only the outputs on such a file system, as behind a
// link: it is said when they are written.
func TestSyncRefusedLater(t *testing.T) {
	output := outputName(testTime)
	faults := &faultFS{fault: func(op, name string) (int, error) {
		if op == "sync" && name == output {
			return 0, syscall.ENOTTY
		}
		return 0, nil
	}}
	tr := open(t, t.TempDir(), Options{fs: faults, now: fixedTime})
	var heard []string
	tr.Listen(func(n Note) { heard = append(heard, n.String()) })
	add(t, tr, okRecord("a.jpg"), okRecord("b.jpg"))
	if len(heard) != 1 || !strings.Contains(heard[0], "cannot confirm") {
		t.Error(heard)
	}
}

// TestLockRefused says what to do where the file system has no locks.
func TestLockRefused(t *testing.T) {
	for _, refusal := range []syscall.Errno{syscall.ENOLCK, syscall.ENOTSUP, syscall.ENOSYS, syscall.EINVAL, syscall.ENOTTY} {
		err := &WriteError{Op: "lock", Path: filepath.Join("w", ProgressName), Err: refusal}
		if text := err.Error(); !strings.Contains(text, "-C") || !strings.Contains(text, "no file locks") {
			t.Error(text)
		}
	}
	if text := (&WriteError{Op: "lock", Err: syscall.EIO}).Error(); strings.Contains(text, "-C") {
		t.Error(text)
	}
}
