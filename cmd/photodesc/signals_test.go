package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/ui"
)

// slow are flags that give a signal time to arrive.
var slow = []string{"--exact-tokens", "--max-tokens", "200", "--batch-size", "40"}

// TestStopNow kills the workers; what was in flight is described again.
func TestStopNow(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 200)
	h.add(names...)
	cmd := h.command(slow...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.mustHave(20)
	began := time.Now()
	out, err := exec.Command("photodesc", "-C", h.work, "stop", "--now").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(began)
	if code := waitCode(t, cmd, 10*time.Second); code != ui.ExitStopped {
		t.Errorf("exit code %d, want %d", code, ui.ExitStopped)
	}
	if took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if alive := workersOf(h.photos); len(alive) > 0 {
		t.Errorf("workers %v are alive", alive)
	}
	kept := h.lines()
	h.goesOn(names, slow...)
	t.Logf("stopped within %d ms after %d of %d photos", took.Milliseconds(), kept, len(names))
}

// TestStop waits for what is in flight, and keeps it.
func TestStop(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 200)
	h.add(names...)
	cmd := h.command(slow...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.mustHave(20)
	out, err := exec.Command("photodesc", "-C", h.work, "stop").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if code := waitCode(t, cmd, 10*time.Second); code != ui.ExitStopped {
		t.Errorf("exit code %d, want %d", code, ui.ExitStopped)
	}
	kept := h.lines()
	h.goesOn(names, slow...)
	t.Logf("stopped with %d of %d kept; the next run did the others", kept, len(names))
}

// TestStoppedWhileLoading has a signal arrive at any moment of the start.
func TestStoppedWhileLoading(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 40)
	h.add(names...)
	for after := time.Duration(0); after < 300*time.Millisecond; after += 30 * time.Millisecond {
		cmd := h.command(slow...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Before it listens a signal ends it as it ends any program.
		for end := time.Now().Add(5 * time.Second); !strings.Contains(h.log(), "photodesc ") && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(after)
		cmd.Process.Signal(syscall.SIGTERM)
		if code := waitCode(t, cmd, 20*time.Second); code != ui.ExitStopped && code != ui.ExitOK {
			t.Errorf("after %v: exit code %d\n%s", after, code, cmd.Stderr)
		}
		os.RemoveAll(filepath.Join(h.work, "logs"))
	}
	h.goesOn(names, slow...)
}

// mustHave waits until n photos are described.
func (h *harness) mustHave(n int) {
	h.t.Helper()
	for end := time.Now().Add(30 * time.Second); h.lines() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("only %d photos after 30 s\n%s", h.lines(), h.log())
		}
	}
}

// goesOn completes what was stopped, with the same flags, and checks that nothing is missing or twice.
func (h *harness) goesOn(names []string, flags ...string) {
	h.t.Helper()
	if code, said := h.run(flags...); code != ui.ExitOK {
		h.t.Errorf("the next run: exit code %d\n%s", code, said)
	}
	h.tally().check(h.t, names, nil)
}

// log is all that the runs have logged.
func (h *harness) log() string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(h.work, "logs", "*.log"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		all.Write(b)
	}
	return all.String()
}

// waitCode is the exit code of a program that must end in time.
func waitCode(t *testing.T, cmd *exec.Cmd, limit time.Duration) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(limit):
		cmd.Process.Kill()
		<-ended
		t.Errorf("still there after %v", limit)
	}
	return cmd.ProcessState.ExitCode()
}
