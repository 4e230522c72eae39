package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"photodesc/internal/ui"
)

// tightGroup makes a control group with so many bytes of memory, which takes
// root, and returns its folder.
func tightGroup(t *testing.T, bytes int) string {
	t.Helper()
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	var dir, limit string
	for s := bufio.NewScanner(f); s.Scan(); {
		_, rest, _ := strings.Cut(s.Text(), ":")
		controllers, own, _ := strings.Cut(rest, ":")
		switch controllers {
		case "memory":
			dir, limit = filepath.Join("/sys/fs/cgroup/memory", own), "memory.limit_in_bytes"
		case "":
			if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil && dir == "" {
				dir, limit = filepath.Join("/sys/fs/cgroup", own), "memory.max"
			}
		}
	}
	if dir == "" {
		t.Skip("no control group for memory")
	}
	group := filepath.Join(dir, "photodesc-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(group, 0o700); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Rmdir(group) })
	if err := os.WriteFile(filepath.Join(group, limit), []byte(strconv.Itoa(bytes)), 0o600); err != nil {
		t.Skip(err)
	}
	return group
}

// TestOOM has the kernel kill a worker that takes all memory of a container at
// once. That is nobody's fault by itself, and the second time goes well.
func TestOOM(t *testing.T) {
	group := tightGroup(t, 400*mib)
	h := newHarness(t)
	names := numbered("gobble", 6) // all that are in flight, so that none answers before
	h.add(names...)
	run := h.command("--memory", "90%", "--workers", "1")
	said := &strings.Builder{}
	cmd := exec.Command("sh", append([]string{"-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(group, "cgroup.procs")}, run.Args...)...)
	cmd.Stderr = said
	err := cmd.Run()
	var exitErr *exec.ExitError
	if err != nil && !errors.As(err, &exitErr) {
		t.Fatal(err)
	}
	if strings.Contains(said.String(), "cannot create") {
		t.Skip(said)
	}
	if code := cmd.ProcessState.ExitCode(); code != ui.ExitOK {
		t.Errorf("exit code %d\n%s", code, said)
	}
	if !strings.Contains(said.String(), "of 360 MiB") {
		t.Errorf("the budget is not the group's:\n%s", said)
	}
	deaths := strings.Count(said.String(), "died (oom)")
	if deaths == 0 {
		t.Errorf("the log tells of no OOM kill\n%s", said)
	}
	h.tally().check(t, names, nil)
	t.Logf("%d OOM kills, all %d photos described", deaths, len(names))
}
