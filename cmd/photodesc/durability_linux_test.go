package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"photodesc/internal/ui"

	"golang.org/x/sys/unix"
)

// disk makes the harness's workdir a disk of its own, which takes root.
func (h *harness) disk(t *testing.T, size string) {
	t.Helper()
	if err := os.MkdirAll(h.work, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", h.work, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(h.work, unix.MNT_DETACH) })
}

// TestDiskFull has the disk fill up under a run, makes room, and goes on.
func TestDiskFull(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 600)
	h.add(names...)
	h.disk(t, "200k")
	code, said := h.run()
	if code != ui.ExitError {
		t.Errorf("exit code %d, want %d", code, ui.ExitError)
	}
	if !strings.Contains(said, "no space left on device") || !strings.Contains(said, "free about") || !strings.Contains(said, "run again") {
		t.Errorf("it does not say what to do:\n%s", said)
	}
	if alive := workersOf(h.photos); len(alive) > 0 {
		t.Errorf("workers %v are alive", alive)
	}
	status, err := exec.Command("photodesc", "-C", h.work, "status").Output()
	if !strings.Contains(string(status), "could not go on") {
		t.Errorf("status does not say why it ended (%v):\n%s", err, status)
	}
	kept := h.lines()
	if kept == 0 || kept == len(names) {
		t.Errorf("%d photos were kept", kept)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	t.Logf("full after %d photos, exit code %d:\n%s", kept, code, strings.Join(lines[max(0, len(lines)-4):], "\n"))

	if err := unix.Mount("none", h.work, "tmpfs", unix.MS_REMOUNT, "size=20m"); err != nil {
		t.Fatal(err)
	}
	h.goesOn(names)
}

// TestReadOnlyDisk finds the workdir read-only.
func TestReadOnlyDisk(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 10)
	h.add(names...)
	h.disk(t, "10m")
	if err := unix.Mount("none", h.work, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	code, said := h.run()
	if code != ui.ExitError || !strings.Contains(said, "read-only") || !strings.Contains(said, "mount it writable") {
		t.Errorf("exit code %d\n%s", code, said)
	}
	t.Log(strings.TrimSpace(said))
	if err := unix.Mount("none", h.work, "tmpfs", unix.MS_REMOUNT, "size=10m"); err != nil {
		t.Fatal(err)
	}
	h.goesOn(names)
}
