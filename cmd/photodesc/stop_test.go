package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"photodesc/internal/runs"
	"photodesc/tracker"
)

// TestStopElsewhere names the runs that are up in other folders, and no others.
func TestStopElsewhere(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	up, over := filepath.Join(home, "up here"), filepath.Join(home, "over")
	for _, dir := range []string{up, over} {
		tr, err := tracker.Open(dir, tracker.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if dir == up {
			defer tr.Close()
		} else {
			tr.Close()
		}
		if err := runs.Add(dir, filepath.Join(home, "photos"), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	sayUpElsewhere(&b, t.TempDir(), "stop")
	want := "Runs that are up elsewhere:\n    photodesc -C '" + up + "' stop    # photos of ~/photos\n"
	if got := b.String(); !strings.HasSuffix(got, want) || strings.Contains(got, over) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestStopInTerminal sees the countdown, and nothing of it afterwards.
func TestStopInTerminal(t *testing.T) {
	photos, workdir := t.TempDir(), t.TempDir()
	source, err := filepath.Abs("../../examples/photos/pink-circle-16-bit.png")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 { // they hang, so the run cannot end before it was looked at
		if err := os.Symlink(source, filepath.Join(photos, fmt.Sprintf("hang-%04d.png", i))); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("photodesc", "-C", workdir, "run", "--background", "--model", "builtin", "--threads", "1", "--workers", "1",
		photos).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { exec.Command("photodesc", "-C", workdir, "stop", "--now").Run() })
	term := newTmux(t, 70, 15, "cd "+workdir+"; photodesc stop")
	term.await(`(?m)^stopping for \d+ s, finishing \d+ photos in flight …$`)
	flat := func(args ...string) string {
		out, err := exec.Command("photodesc", append([]string{"-C", workdir}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if s := flat("status"); !regexp.MustCompile(`(?m)^Running: .*, stopping( for .*)?, \d+ photos in flight$`).MatchString(s) || strings.Contains(s, "Time left") {
		t.Error(s)
	}
	if s := flat("status", "--json"); !strings.Contains(s, `"phase":"stopping"`) || !strings.Contains(s, `"left_seconds":0`) {
		t.Error(s)
	}
	watch := newTmux(t, 40, 15, "photodesc -C "+workdir+" status --watch")
	watch.await(`(?s)● stopping.*stopping for .*photos\s+in\s+flight`)
	flat("stop", "--now")
	s := term.await(`(?m)^Stopped after .*: \d+ / 40 .*Run again to go on\.$`)
	if strings.Contains(s, "stopping for") {
		t.Errorf("the countdown is left behind\n%s", s)
	}
	watch.await(`○ stopped`)
}
