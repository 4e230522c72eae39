package storage

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A disk mounted below the photo folder is found, and its photos are unavailable when
// it is unmounted.
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
	m := NewMountPoints(root)
	none := func(string) bool { return false }
	photo := filepath.Join(sub, "b", "photo.jpg")
	if err := m.unavailable(photo, none); err != nil {
		t.Errorf("mounted: %v", err)
	}
	before := Mounts(root)
	if len(before) != 1 || before[0] != "a/card" {
		t.Errorf("mounted are %q", before)
	}
	if !NewAbsence(root, m, before, nil).Missing("a/card/gone.jpg") {
		t.Error("nothing is missing on a disk that is mounted")
	}
	unix.Unmount(sub, 0)
	for when, a := range map[string]*Absence{"during a walk": NewAbsence(root, m, nil, nil), "since the walk before": NewAbsence(root, NewMountPoints(root), before, nil)} {
		if a.Missing("a/card/photo.jpg") || !a.Missing("a/other.jpg") {
			t.Errorf("a disk unmounted %s makes photos gone, or others not", when)
		}
	}
	if err := m.unavailable(photo, none); err == nil {
		t.Error("the unmounted disk counts as available")
	}
	if err := m.unavailable(filepath.Join(root, "photo.jpg"), none); err != nil {
		t.Errorf("a photo beside it: %v", err)
	}
}
