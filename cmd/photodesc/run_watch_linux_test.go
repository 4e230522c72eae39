package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"photodesc/tracker"
)

// A disk mounted among the photos that goes away while a run watches: nothing of it is gone or failed, the others go on, and it is
// seen when it is back.
func TestWatchDisk(t *testing.T) {
	h := newHarness(t)
	h.add("here.jpg")
	disk := filepath.Join(h.photos, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	mount := func() {
		t.Helper()
		if err := unix.Mount("none", disk, "tmpfs", 0, "size=4m"); err != nil {
			t.Skipf("cannot mount a tmpfs: %v", err)
		}
	}
	picture, err := os.ReadFile("../../examples/photos/red-star-cmyk.jpg")
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, comment string) { // each with another picture
		t.Helper()
		if err := os.WriteFile(filepath.Join(h.photos, name), append(picture, comment...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mount()
	defer unix.Unmount(disk, unix.MNT_DETACH)
	put("disk/a.jpg", "")
	put("disk/b.jpg", "b")
	u := h.start(h.command("--watch", "--rescan", "200ms", "--settle", "200ms", "--duplicates", "describe"))
	until := func(what string, completed int) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			s, err := tracker.Peek(h.work)
			if err == nil && s.Watching && s.Completed == completed && s.Failed == 0 && s.Gone == 0 {
				return
			}
			if time.Now().After(end) {
				u.cmd.Process.Kill()
				t.Fatalf("%s: %+v, %v\n%s", what, s.Progress, err, u.said())
			}
		}
	}
	until("all described", 3)
	if err := unix.Unmount(disk, 0); err != nil {
		t.Fatalf("something holds the disk: %v", err)
	}
	u.says("is another folder than before, and empty; what is described there stays as it is until it is back", 1)
	put("while-away.jpg", "c")
	until("another photo while it is away", 4)
	mount()
	put("disk/a.jpg", "")
	put("disk/b.jpg", "b")
	put("disk/new.jpg", "d")
	u.says("is back", 1)
	until("back with a new photo", 5)
	u.cmd.Process.Signal(os.Interrupt)
	if err := <-u.ended; err == nil || u.cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("%v\n%s", err, u.said())
	}
	if n := strings.Count(u.said(), "with another picture"); n != 0 {
		t.Errorf("photos are described again\n%s", u.said())
	}
}
