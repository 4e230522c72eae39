package durable

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"photodesc/internal/durable/durabletest"
)

// TestWriteFile replaces a file with and without fsync, and leaves nothing
// beside it.
func TestWriteFile(t *testing.T) {
	for _, c := range []struct {
		fails  syscall.Errno
		writes bool
	}{
		{syscall.ENOTTY, true}, {syscall.EINVAL, true}, {syscall.ENOTSUP, true}, {syscall.ENOSYS, true},
		{syscall.EIO, false}, {syscall.ENOSPC, false},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		if err := WriteFile(path, []byte("old"), 0o640); err != nil {
			t.Fatal(err)
		}
		var err error
		durabletest.OnThread(t, map[string]syscall.Errno{"fsync": c.fails}, func() { err = WriteFile(path, []byte("new"), 0o644) })
		want := "old"
		if c.writes {
			want = "new"
		} else if !errors.Is(err, c.fails) {
			t.Errorf("%v: %v", c.fails, err)
		}
		if c.writes && err != nil {
			t.Errorf("%v: %v", c.fails, err)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("%v: %q, want %q", c.fails, got, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%v: %v, %v", c.fails, info.Mode(), err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%v: %d files", c.fails, len(left))
		}
	}
}

func TestSync(t *testing.T) {
	for failure, refusal := range map[syscall.Errno]bool{syscall.ENOTTY: true, syscall.EIO: false} {
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		durabletest.OnThread(t, map[string]syscall.Errno{"fsync": failure}, func() { err = Sync(f) })
		if !errors.Is(err, failure) || Unsupported(err) != refusal {
			t.Error(failure, err)
		}
		if err := Sync(f); err != nil {
			t.Error(err)
		}
	}
}
