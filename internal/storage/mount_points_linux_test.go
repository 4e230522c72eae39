package storage

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMountPoints knows what is mounted below the photo folder, and misses it.
func TestMountPoints(t *testing.T) {
	root := t.TempDir()
	sub := filepath.Join(root, "a", "card")
	if err := os.MkdirAll(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", sub, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	defer unix.Unmount(sub, unix.MNT_DETACH)
	a := NewMountPoints(root)
	nobody := func(string) bool { return false }
	photo := filepath.Join(sub, "b", "photo.jpg")
	if err := a.unavailable(photo, nobody); err != nil {
		t.Errorf("mounted: %v", err)
	}
	unix.Unmount(sub, 0)
	if err := a.unavailable(photo, nobody); err == nil {
		t.Error("not missed")
	}
	if err := a.unavailable(filepath.Join(root, "photo.jpg"), nobody); err != nil {
		t.Errorf("a photo beside it: %v", err)
	}
}
