package tracker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// faultFS makes file operations fail: fault is asked before each of them, with
// its name and the file's base name, and says how many bytes are written
// before it fails.
type faultFS struct {
	osFS
	fault func(op, name string) (keep int, err error)
}

func (f *faultFS) ask(op, path string) (int, error) {
	if f.fault == nil {
		return 0, nil
	}
	return f.fault(op, filepath.Base(path))
}

func (f *faultFS) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	op := "open"
	if flag&os.O_EXCL != 0 {
		op = "create"
	}
	if _, err := f.ask(op, name); err != nil {
		return nil, err
	}
	real, err := f.osFS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{file: real, fs: f, name: name}, nil
}

func (f *faultFS) SyncDir(name string) error {
	if _, err := f.ask("syncdir", name); err != nil {
		return err
	}
	return f.osFS.SyncDir(name)
}

type faultFile struct {
	file
	fs   *faultFS
	name string
}

func (f *faultFile) Write(b []byte) (int, error) {
	if keep, err := f.fs.ask("write", f.name); err != nil {
		n, _ := f.file.Write(b[:min(keep, len(b))])
		return n, err
	}
	return f.file.Write(b)
}

func (f *faultFile) Sync() error {
	if _, err := f.fs.ask("sync", f.name); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *faultFile) Truncate(size int64) error {
	if _, err := f.fs.ask("truncate", f.name); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

// TestFaults lets every file operation of adding a photo fail in turn. What
// was counted stays, what was not is either absent or counted by the next run,
// and the tracker takes no more.
func TestFaults(t *testing.T) {
	output := outputName(testTime)
	for _, c := range []struct {
		op, name    string
		err         error
		noTruncate  bool
		nextRunHasB bool // its result was written before the fault
		hint        string
	}{
		{"create", output, syscall.ENOSPC, false, false, "free some space"},
		{"syncdir", OutputsName, syscall.EIO, false, false, "reports errors"},
		{"write", output, syscall.ENOSPC, false, false, "free about"},
		{"write", output, syscall.ENOSPC, true, false, "free about"},
		{"write", output, syscall.EROFS, true, false, "read-only"},
		{"sync", output, syscall.EIO, false, false, "reports errors"},
		{"write", ProgressName, syscall.ENOSPC, false, true, "free about"},
		{"write", ProgressName, syscall.EDQUOT, true, true, "free about"},
		{"sync", ProgressName, syscall.EIO, false, true, "reports errors"},
	} {
		name := c.op + " " + c.name + " " + c.err.Error()
		if c.noTruncate {
			name += " no truncate"
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var on atomic.Bool
			faults := &faultFS{}
			tr := open(t, dir, Options{fs: faults, now: fixedTime})
			tr.Live().SetPhotos(1000, 0, 0)
			first := c.op == "create" || c.op == "syncdir"
			if !first {
				add(t, tr, okRecord("a.jpg"))
			}
			faults.fault = func(op, name string) (int, error) {
				if on.Load() && (op == c.op && name == c.name || op == "truncate" && c.noTruncate) {
					return 20, c.err
				}
				return 0, nil
			}
			on.Store(true)
			err := tr.Add(okRecord("b.jpg"))
			var w *WriteError
			if !errors.As(err, &w) || !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.hint) {
				t.Fatalf("got %v", err)
			}
			on.Store(false)
			if again := tr.Add(okRecord("c.jpg")); !errors.Is(again, c.err) || tr.Err() == nil {
				t.Fatalf("took another: %v", again)
			}
			if tr.Done("b.jpg") || tr.Done("a.jpg") == first {
				t.Fatal("counted wrongly")
			}
			closeTracker(t, tr)
			if s, _ := Peek(dir); s.Stop == nil || s.Stop.Reason != Broke || !strings.Contains(s.Stop.Text, c.hint) {
				t.Fatalf("%+v", s.Stop)
			}

			tr = open(t, dir, Options{})
			if tr.Done("b.jpg") != c.nextRunHasB || tr.Done("a.jpg") == first {
				t.Fatalf("after reopening: %v", notes(tr))
			}
			for _, p := range []string{"a.jpg", "b.jpg", "c.jpg"} {
				if !tr.Done(p) {
					add(t, tr, okRecord(p))
				}
			}
			closeTracker(t, tr)
			if got := checkFiles(t, dir); len(got) != 3 {
				t.Fatal(got)
			}
		})
	}
}

// TestFaultsAtOpen has the next run fail while it mends.
func TestFaultsAtOpen(t *testing.T) {
	for _, op := range []string{"write", "sync"} {
		dir := t.TempDir()
		write(t, line(t, okRecord("a.jpg"))+line(t, okRecord("b.jpg")), dir, OutputsName, outputName(testTime))
		faults := &faultFS{fault: func(o, name string) (int, error) {
			if o == op && name == ProgressName {
				return 3, syscall.ENOSPC
			}
			return 0, nil
		}}
		if _, err := Open(dir, Options{fs: faults}); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		tr := open(t, dir, Options{})
		closeTracker(t, tr)
		if got := checkFiles(t, dir); len(got) != 2 {
			t.Fatal(got)
		}
	}
}

// TestUnreadableOutput opens a workdir with an output that cannot be opened.
func TestUnreadableOutput(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{now: fixedTime})
	add(t, tr, okRecord("a.jpg"))
	closeTracker(t, tr)
	for _, err := range []error{syscall.EIO, syscall.EACCES} {
		faults := &faultFS{fault: func(op, name string) (int, error) {
			if op == "open" && name == outputName(testTime) {
				return 0, err
			}
			return 0, nil
		}}
		tr := open(t, dir, Options{fs: faults})
		if !tr.Done("a.jpg") || !strings.Contains(notes(tr), "not read: "+err.Error()) {
			t.Error(notes(tr))
		}
		closeTracker(t, tr)
	}
}

// TestReplaced takes the files away under a run.
func TestReplaced(t *testing.T) {
	for _, sub := range []string{ProgressName, filepath.Join(OutputsName, outputName(testTime))} {
		dir := t.TempDir()
		tr := open(t, dir, Options{now: fixedTime})
		add(t, tr, okRecord("a.jpg"))
		if err := os.Remove(filepath.Join(dir, sub)); err != nil {
			t.Fatal(err)
		}
		if err := tr.Add(okRecord("b.jpg")); !errors.Is(err, errReplaced) {
			t.Fatalf("%s: %v", sub, err)
		}
	}
}
