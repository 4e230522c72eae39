//go:build linux

package tracker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// tinyDisk mounts a disk of some 256 kB, which takes root.
func tinyDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// TestDiskFull fills a real disk, makes room, and goes on.
func TestDiskFull(t *testing.T) {
	disk := tinyDisk(t)
	ballast := filepath.Join(disk, "ballast")
	write(t, strings.Repeat("x", 100_000), ballast)
	dir := filepath.Join(disk, "work")
	tr := open(t, dir, Options{})
	tr.Live().SetPhotos(400, 0, 0)
	counted := 0
	var err error
	for ; counted < 400; counted++ {
		if err = tr.Add(okRecord(fmt.Sprintf("%d.jpg", counted))); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || counted == 0 {
		t.Fatalf("after %d photos: %v", counted, err)
	}
	t.Logf("after %d photos: %v", counted, err)
	closeTracker(t, tr)
	if got := countLines(t, dir); got < counted {
		t.Fatalf("%d photos counted, %d there", counted, got)
	}

	os.Remove(ballast)
	tr = open(t, dir, Options{})
	for i := range counted {
		if !tr.Done(fmt.Sprintf("%d.jpg", i)) {
			t.Fatalf("%d.jpg lost", i)
		}
	}
	if path := fmt.Sprintf("%d.jpg", counted); !tr.Done(path) {
		add(t, tr, okRecord(path))
	}
	closeTracker(t, tr)
	if got := checkFiles(t, dir); len(got) != counted+1 {
		t.Fatal(len(got), counted)
	}
}

func countLines(t *testing.T, dir string) int {
	return strings.Count(string(read(t, dir, ProgressName)), "\n")
}

// TestReadOnlyDisk takes write permission away from under a run and before one.
func TestReadOnlyDisk(t *testing.T) {
	disk := tinyDisk(t)
	dir := filepath.Join(disk, "work")
	tr := open(t, dir, Options{})
	add(t, tr, okRecord("a.jpg"))
	closeTracker(t, tr)
	if err := unix.Mount("none", disk, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	_, err := Open(dir, Options{})
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "read-only") {
		t.Fatal(err)
	}
	if s, err := Peek(dir); err != nil || s.Completed != 1 || s.Running {
		t.Fatal(s, err)
	}
	if s, err := Summarize(dir); err != nil || s.OK != 1 {
		t.Fatal(s, err)
	}
}
