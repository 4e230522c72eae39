package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/ui"
)

// TestFolderGoes has the disk go away in the middle of a run, twice, once with
// an empty mount point in its place. No photo fails by it.
func TestFolderGoes(t *testing.T) {
	t.Parallel() // it waits for most of its time
	h := newHarness(t)
	names := numbered("photo", 1000)
	h.add(names...)
	u := h.start(h.command("--batch-size", "100"))
	for n := 1; n <= 2; n++ {
		h.wait(n*150, u.ended)
		if err := os.Rename(h.photos, h.photos+" away"); err != nil {
			t.Fatal(err)
		}
		if n == 2 {
			os.Mkdir(h.photos, 0o700)
		}
		u.says("WARNING - The photos cannot be reached, waiting until they can", n)
		if n == 2 {
			os.Remove(h.photos)
		}
		if err := os.Rename(h.photos+" away", h.photos); err != nil {
			t.Fatal(err)
		}
		u.says("INFO - The photos can be reached again", n)
	}
	u.end()
	h.tally().check(t, names, nil)
}

// TestLinkedFolderGoes has the photos of a link's folder go away, with others
// beside it that can be read all the time.
func TestLinkedFolderGoes(t *testing.T) {
	t.Parallel() // it waits for most of its time
	h := newHarness(t)
	names := numbered("photo", 400)
	h.add(names...)
	nas := h.photos + " server"
	if err := errors.Join(os.Rename(h.photos, nas), os.Mkdir(h.photos, 0o700), os.Symlink(nas, filepath.Join(h.photos, "server"))); err != nil {
		t.Fatal(err)
	}
	for i, n := range names {
		names[i] = "server/" + n
	}
	local := numbered("local", 5)
	h.add(local...)
	u := h.start(h.command())
	h.wait(100, u.ended)
	if err := errors.Join(os.Rename(nas, nas+" away"), os.Mkdir(nas, 0o700)); err != nil {
		t.Fatal(err)
	}
	u.says("WARNING - The photos cannot be reached, waiting until they can", 1)
	if err := errors.Join(os.Remove(nas), os.Rename(nas+" away", nas)); err != nil {
		t.Fatal(err)
	}
	u.end()
	h.tally().check(t, append(names, local...), nil)
}

// TestEmptyMountPoint runs again before the disk is mounted.
func TestEmptyMountPoint(t *testing.T) {
	t.Parallel() // it waits for most of its time
	h := newHarness(t)
	names := numbered("photo", 5)
	h.add(names...)
	if code, said := h.run(); code != ui.ExitOK {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	if err := errors.Join(os.Rename(h.photos, h.photos+" away"), os.Mkdir(h.photos, 0o700)); err != nil {
		t.Fatal(err)
	}
	code, said := h.run()
	if want := "(known: 5 photos); is its disk mounted?"; code != ui.ExitError || !strings.Contains(said, want) {
		t.Errorf("exit code %d, want %d and %q\n%s", code, ui.ExitError, want, said)
	}
	h.tally().check(t, names, nil)
}
