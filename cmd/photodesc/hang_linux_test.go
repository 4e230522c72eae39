package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/ui"
)

// slowDisk mounts dir at mount through a process that can be stopped, as a
// server's folder whose server answers no more.
func slowDisk(t *testing.T, dir, mount string) *os.Process {
	t.Helper()
	if err := os.Mkdir(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bindfs", "-f", dir, mount)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGCONT)
		syscall.Unmount(mount, syscall.MNT_DETACH)
		cmd.Process.Kill()
	})
	for {
		select {
		case <-ended:
			t.Skip("nothing can be mounted through FUSE here")
		case <-time.After(10 * time.Millisecond):
		}
		if names, err := os.ReadDir(mount); err == nil && len(names) > 0 {
			return cmd.Process
		}
	}
}

// TestFolderHangs has a server stop answering in the middle of a run, for twice a
// photo's time-out. Whoever reads waits; no photo fails by it.
func TestFolderHangs(t *testing.T) {
	t.Parallel() // it waits for most of its time
	h := newHarness(t)
	names := numbered("photo", 400)
	h.add(names...)
	mount := filepath.Join(filepath.Dir(h.photos), "mount")
	disk := slowDisk(t, h.photos, mount)
	h.photos = mount
	u := h.start(h.command("--timeout", "2s"))
	h.wait(100, u.ended)
	if err := disk.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	u.says("WARNING - The photos cannot be reached, waiting until they can: they do not answer", 1)
	time.Sleep(3 * time.Second) // longer than a photo may take
	lines := h.lines()
	if err := disk.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	u.says("INFO - The photos can be reached again", 1)
	u.end()
	h.tally().check(t, names, nil)
	t.Log(strconv.Itoa(lines) + " of 400 photos were described when the folder hung; all in the end")
}

// TestWorkdirHangs opens a workdir that never answers. Two signals end the run.
func TestWorkdirHangs(t *testing.T) {
	h := newHarness(t)
	h.add("photo-0000.jpg")
	mount := filepath.Join(t.TempDir(), "mount")
	notes := filepath.Join(h.work, "notes.txt") // slowDisk sees by it that the folder is mounted
	if err := errors.Join(os.MkdirAll(h.work, 0o700), os.WriteFile(notes, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	disk := slowDisk(t, h.work, mount)
	if err := disk.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	h.work = mount
	u := h.start(h.command("--no-config")) // photodesc.toml would hang before there is a run
	time.Sleep(300 * time.Millisecond)
	for range 100 {
		u.cmd.Process.Signal(syscall.SIGINT)
		if time.Sleep(50 * time.Millisecond); len(u.ended) > 0 {
			break
		}
	}
	select {
	case <-u.ended:
		if code := u.cmd.ProcessState.ExitCode(); code != ui.ExitStopped {
			t.Errorf("exit code %d, want %d\n%s", code, ui.ExitStopped, u.said())
		}
	case <-time.After(time.Second):
		u.cmd.Process.Kill()
		t.Error("it cannot be stopped")
	}
}

// TestStopNowSuspended stops a run that somebody has suspended.
func TestStopNowSuspended(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 300)
	h.add(names...)
	u := h.start(h.command())
	h.wait(20, u.ended)
	if err := u.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("photodesc", "-C", h.work, "stop", "--now").CombinedOutput()
	if err != nil || !strings.Contains(string(out), ". Run again to go on.") {
		u.cmd.Process.Kill()
		t.Errorf("%v\n%s", err, out)
	}
	<-u.ended
	h.goesOn(names)
}
