package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// resizeHalted changes the size while the program with the pid is halted. A terminal breaks its lines
// anew before it tells the program, which may draw in between and would then leave a line behind.
func (term *tmuxScreen) resizeHalted(t *testing.T, pid, width, height int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	term.resize(width, height)
	tty := strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_tty}"))
	want := fmt.Sprintf("%d %d\n", height, width)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out, err := exec.Command("stty", "-F", tty, "size").CombinedOutput()
		if string(out) == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the terminal has not told its size: %s, %v", out, err)
		}
	}
}

// TestRunInTerminals looks at the bar of a run and at the dashboard in terminals of
// several sizes, which change: every line fits, nothing is left behind, and
// the figures are those of `status --json`. All photos but the first ones hang, so that the figures stay.
func TestRunInTerminals(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	photos, workdir := t.TempDir(), t.TempDir()
	source, err := filepath.Abs("../../examples/photos/album")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(source + "/*.jpg")
	if err != nil || len(sources) == 0 {
		t.Fatal(err)
	}
	for i := range 600 {
		name := fmt.Sprintf("%04d %s.jpg", i, strings.Repeat("日本語 ", 12))
		if i >= 24 {
			name = "hang-" + name
		}
		if err := os.Symlink(sources[i%len(sources)], filepath.Join(photos, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(photos, "0000.jpg"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	bar := newTmux(t, 80, 24, fmt.Sprintf("photodesc -C %s run --model builtin --threads 1 --workers 1 --duplicates describe %s", workdir, photos))
	bar.await(`(?s) 24 / 601.*/hour`)
	t.Cleanup(func() { exec.Command("photodesc", "-C", workdir, "stop", "--now").Run() })
	board := newTmux(t, 80, 24, "photodesc -C "+workdir+" status --watch")

	// What the run has written of itself may be a second old.
	var now tracker.Snapshot
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		out, err := exec.Command("photodesc", "-C", workdir, "status", "--json").Output()
		now = tracker.Snapshot{}
		if err == nil {
			err = json.Unmarshal(out, &now)
		}
		if err == nil && now.Completed == 24 && now.Total == 601 && now.Failed == 1 && now.InFlight > 0 && now.Sample.SlotsUsed > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%v, %+v, %+v", err, now.Progress, now.Sample)
		}
	}
	counts, slots := fmt.Sprintf("%d / 601", now.Completed), fmt.Sprintf("%d of %d", min(now.InFlight, now.Sample.Slots), now.Sample.Slots)
	board.await(slots)
	for _, size := range [][2]int{{40, 15}, {120, 40}, {40, 15}, {80, 24}} {
		bar.resizeHalted(t, now.PID, size[0], size[1])
		board.resize(size[0], size[1])
		name := fmt.Sprintf("%d×%d", size[0], size[1])

		// The bar: a line with figures, further ones below them, and the last photo.
		s := bar.await(fmt.Sprintf(`(?m)^ *%s [█░]+ %s[^\n]*(\n {7}.*){1,3}\n*$`, regexp.QuoteMeta(ui.PercentText(now.Percent())), counts))
		if n := strings.Count(bar.tmux("capture-pane", "-p", "-S", "-"), " / 601"); n != 1 {
			t.Errorf("%s: %d bars\n%s", name, n, s)
		}
		if !strings.Contains(s, "1 failed") || !strings.Contains(s, "/hour") {
			t.Errorf("%s: figures are missing\n%s", name, s)
		}

		// The dashboard fills the screen.
		s = board.await(fmt.Sprintf(`(?s)● running.*%d of 601.*1 failed.*%d to go.*q leaves, the run goes on[^\n]*\n$`, now.Completed, now.Remaining))
		lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
		if len(lines) != size[1] || strings.Count(s, "q leaves") != 1 || strings.Count(s, " Memory ") != 1 {
			t.Errorf("%s: %d lines\n%s", name, len(lines), s)
		}
		if !strings.Contains(s, slots) {
			t.Errorf("%s: not the slots of %+v\n%s", name, now.Sample, s)
		}
		for i, line := range lines {
			if ui.Cells(line) > size[0] {
				t.Errorf("%s: wider than the screen: %q", name, line)
			}
			if cut := strings.Contains(line, "…"); cut && i > 0 && !regexp.MustCompile(`^ \d\d:\d\d:\d\d  `).MatchString(line) {
				t.Errorf("%s: cut: %q", name, line)
			}
		}
	}

	// ^C is written behind a full line. Nothing of the bar stays.
	bar.resizeHalted(t, now.PID, 40, 15)
	bar.await(`日本語.*…`)
	bar.keys("C-c")
	bar.await(`stopping, \d+ photos\s+in flight`)
	bar.keys("C-c")
	bar.await(`(?s)Stopped on request.*ended with 130`)
	if s := bar.tmux("capture-pane", "-p", "-S", "-"); strings.Contains(s, "░") || strings.Contains(s, "in flight,") {
		t.Errorf("the bar is left behind\n%s", s)
	}
	board.await(`○ stopped`)
}
