package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/ui"

	"golang.org/x/sys/unix"
)

// terminal opens a terminal of its own: what a person looks at, and the
// device that a program is given.
func terminal(t *testing.T) (person, device *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	device, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, device
}

// TestTerminalCloses closes the window in which a run works.
func TestTerminalCloses(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 300)
	h.add(names...)
	person, device := terminal(t)
	cmd := h.command(slow...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = device, device, device
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	device.Close()
	seen := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(person)
		seen <- string(b)
	}()
	h.mustHave(20)
	// A closed file is closed for good only when nobody reads from it.
	person.SetDeadline(time.Now())
	person.Close()
	if code := waitCode(t, cmd, 20*time.Second); code != ui.ExitStopped {
		t.Errorf("exit code %d, want %d", code, ui.ExitStopped)
	}
	if log := h.log(); !strings.Contains(log, "The terminal was closed") {
		t.Errorf("the log does not say that the terminal was closed:\n%s", log)
	}
	kept := h.lines()
	if kept >= len(names) {
		t.Error("all were done before it was stopped")
	}
	h.goesOn(names, slow...)
	t.Logf("stopped after %d of %d photos, 130; the next run did the others", kept, len(names))
}

// TestNobodyReads gives a run a console that has gone, and one that nobody reads.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{true, false} {
		h := newHarness(t)
		names := numbered("photo", 60)
		h.add(names...)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if !gone {
			// What follows does not fit.
			unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4096)
		}
		cmd := h.command("--batch-size", "2")
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if gone {
			r.Close()
		}
		if code := waitCode(t, cmd, 30*time.Second); code != ui.ExitOK {
			t.Errorf("console gone %v: exit code %d\n%s", gone, code, h.log())
		}
		h.tally().check(t, names, nil)
	}
}
