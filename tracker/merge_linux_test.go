package tracker

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A workdir on a file system that can only be read, as one that another machine exports, is merged.
func TestMergeReadOnly(t *testing.T) {
	root := t.TempDir()
	source := workdirOf(t, root, okRecord("a"))
	if err := unix.Mount(source, source, "", unix.MS_BIND, ""); err != nil {
		t.Skip("mounting needs root: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(source, unix.MNT_DETACH) })
	if err := unix.Mount("", source, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if m := merged(t, filepath.Join(t.TempDir(), "all"), source); m.Counts.Done != 1 {
		t.Errorf("%+v", m)
	}
}
