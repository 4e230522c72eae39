package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// tmuxScreen is a real terminal in which a program runs.
type tmuxScreen struct {
	t      *testing.T
	socket string
}

// newTmux starts a program in a tmux of its own.
func newTmux(t *testing.T, width, height int, command string) *tmuxScreen {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux here; make setup installs it")
	}
	term := &tmuxScreen{t, filepath.Join(t.TempDir(), "tmux")}
	term.tmux("-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), command+"; echo ended with $?; sleep 60")
	t.Cleanup(func() { exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	return term
}

func (term *tmuxScreen) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-u", "-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (term *tmuxScreen) screen() string { return term.tmux("capture-pane", "-p") }

func (term *tmuxScreen) keys(keys ...string) { term.tmux(append([]string{"send-keys"}, keys...)...) }

func (term *tmuxScreen) resize(width, height int) {
	term.tmux("resize-window", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height))
}

// await waits until the screen matches, and returns it.
func (term *tmuxScreen) await(pattern string) string {
	term.t.Helper()
	return term.until(strconv.Quote(pattern), regexp.MustCompile(pattern).MatchString)
}

// until waits until the screen is as it should be, and returns it.
func (term *tmuxScreen) until(what string, ok func(string) bool) string {
	term.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		s := term.screen()
		if ok(s) {
			return s
		}
		if time.Now().After(end) {
			term.t.Fatalf("%s does not appear:\n%s", what, s)
		}
	}
}

// longRun starts a run of many photos in the background and returns its workdir.
func longRun(t *testing.T, extra ...string) (workdir string, again func()) {
	model := tinyModel(t)
	photos, workdir := t.TempDir(), filepath.Join(t.TempDir(), "work")
	sources, err := filepath.Glob("../../examples/photos/*.jpg")
	if err != nil || len(sources) == 0 {
		t.Fatal(err)
	}
	for i := range 4000 {
		name := fmt.Sprintf("photo-%04d.jpg", i)
		if i%5 == 0 { // widths that terminals like to get wrong
			name = fmt.Sprintf("photo-%04d 👨‍👩‍👧‍👦 🇩🇪 ❤️ 日本語.jpg", i)
		}
		src, err := filepath.Abs(sources[i%len(sources)])
		if err == nil {
			err = os.Symlink(src, filepath.Join(photos, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	again = func() {
		args := []string{"-C", workdir, "run", "--background", "--threads", "1", "--max-tokens", "500", "--exact-tokens",
			"--model", filepath.Join(model, "tiny.gguf"), "--mmproj", filepath.Join(model, "mmproj-tiny.gguf")}
		out, err := exec.Command("photodesc", append(append(args, extra...), photos)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	again()
	t.Cleanup(func() { exec.Command("photodesc", "-C", workdir, "stop", "--now").Run() })
	return workdir, again
}

var ofAll = regexp.MustCompile(`([\d,]+) of 4,000`)

// countOnScreen reads how many photos the dashboard says are described.
func countOnScreen(t *testing.T, screen string) int {
	t.Helper()
	m := ofAll.FindStringSubmatch(screen)
	if m == nil {
		t.Fatalf("no count in\n%s", screen)
	}
	n, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	return n
}

// TestDashboard drives it in a real terminal: it appears, counts on, survives
// being resized, follows a run that stops and starts, and leaves on q while the
// run goes on.
func TestDashboard(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	workdir, again := longRun(t)
	term := newTmux(t, 80, 24, "photodesc -C "+workdir+" status --watch")
	first := countOnScreen(t, term.await(`(?s)photodesc .*● running.* of 4,000.*Memory.*CPU.*Slots.*Photos in ten seconds.*Last photos\n \d\d:.*q leaves, the run goes on`))
	var later string
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if later = term.screen(); countOnScreen(t, later) > first {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it does not count on:\n%s", later)
		}
	}
	term.await(`日本語`)

	for _, size := range [][2]int{{120, 40}, {40, 10}, {20, 4}, {1, 1}, {200, 60}, {80, 24}} {
		term.resize(size[0], size[1])
		if size[0] < 40 {
			time.Sleep(300 * time.Millisecond) // for it to draw, or to fail
			continue
		}
		term.until(fmt.Sprintf("a page of %d×%d", size[0], size[1]), func(s string) bool {
			lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
			tooWide := slices.ContainsFunc(lines, func(line string) bool { return ui.Cells(line) > size[0] })
			return len(lines) == size[1] && strings.Contains(lines[len(lines)-1], "q leaves") && strings.HasPrefix(lines[0], " photodesc") && !tooWide
		})
	}

	// Stopped, and begun again.
	if out, err := exec.Command("photodesc", "-C", workdir, "stop").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	term.await(`(?s)○ stopped.*stopped on request.*go on:\s+photodesc`)
	again()
	term.await(`● running`)

	term.keys("q")
	term.await(`ended with 0`)
	if running, _, _ := tracker.Running(workdir); !running {
		t.Error("the run has ended with the dashboard")
	}
}

// TestDashboardBeforeRun waits for a run that has not begun, and leaves on ^C.
func TestDashboardBeforeRun(t *testing.T) {
	term := newTmux(t, 80, 24, "photodesc -C "+t.TempDir()+" status --watch")
	term.await(`No run has worked in this folder yet`)
	term.keys("C-c")
	term.await(`ended with 0`)
}

// TestBackgroundSurvives closes the terminal from which a run was sent to the
// background.
func TestBackgroundSurvives(t *testing.T) {
	workdir, _ := longRun(t)
	if out, err := exec.Command("photodesc", "-C", workdir, "stop").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, err := tracker.Peek(workdir)
	if err != nil {
		t.Fatal(err)
	}
	term := newTmux(t, 80, 24, "photodesc -C "+workdir+" "+strings.Join(s.Args, " ")+" --background")
	term.await(`(?s)The run describes photos in the background.*ended with 0`)
	term.tmux("kill-server")
	before, err := tracker.Peek(workdir)
	if err != nil || !before.Running {
		t.Fatal("it is not running", err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if now, _ := tracker.Peek(workdir); now.Running && now.Completed > before.Completed {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it does not go on")
		}
	}
}

// TestBar looks at run's own bar on a terminal.
func TestBar(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	model := tinyModel(t)
	photos, workdir := t.TempDir(), t.TempDir()
	sources, _ := filepath.Glob("../../examples/photos/*.jpg")
	for i := range 600 {
		src, _ := filepath.Abs(sources[i%len(sources)])
		if err := os.Symlink(src, filepath.Join(photos, fmt.Sprintf("👩‍🚀 %03d.jpg", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(photos, "broken.jpg"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	term := newTmux(t, 80, 24, fmt.Sprintf("photodesc -C %s run --threads 1 --max-tokens 300 --exact-tokens --model %s/tiny.gguf --mmproj %s/mmproj-tiny.gguf %s",
		workdir, model, model, photos))
	s := term.await(`(?m)^ +\d+\.\d% █+░* [\d,]+ / 601, 1 failed, ~[\d,]+/hour, .* left\n +👩🚀 \d+\.jpg: .*…$`)
	if n := strings.Count(s, "░ "); n > 1 {
		t.Errorf("%d bars\n%s", n, s)
	}
	if !strings.Contains(s, "Failed: broken.jpg: unsupported") {
		t.Errorf("no failure above the bar\n%s", s)
	}
	term.resize(50, 20)
	time.Sleep(500 * time.Millisecond)
	s = term.await(`(?m)^ +\d+\.\d% .* / 601`)
	if n := strings.Count(s, " / 601"); n > 1 {
		t.Errorf("%d bars after a change of size\n%s", n, s)
	}
	term.resize(80, 30)
	term.await(`(?m)^ +\d+\.\d% █+░* [\d,]+ / 601, 1 failed, `) // drawn for 80 cells again
	term.keys("C-c")
	s = term.await(`(?s)Summary of this run.*Success rate: .*Stopped on request.*ended with 130`)
	if strings.Contains(s, "░") {
		t.Errorf("the bar is left behind\n%s", s)
	}
}
