package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text   string
		width  int
		indent string
		want   string
	}{
		{"one two three", 0, "", "one two three"},
		{"one two three", 7, "", "one two\nthree"},
		{"one two three", 13, "", "one two three"},
		{"run with --retry-failed again", 14, "  ", "run with\n  --retry-failed\n  again"},
		{"a/path/that-is-wide x", 6, "", "a/path/that-is-wide\nx"},
		{"first\n    second line of it", 12, "  ", "first\n    second\n      line\n      of it"},
		{"日本語 日本語", 7, "", "日本語\n日本語"},
		{"kept  as   it is", 16, "", "kept  as   it is"},
		{"", 10, "", ""},
	} {
		if got := Wrap(c.text, c.width, c.indent); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestReflow(t *testing.T) {
	text := "A paragraph that was\nfilled by hand.\n\nA table:\n    left        what is right of it\n    long-left-word  more\n"
	for width, want := range map[int]string{
		80: "A paragraph that was filled by hand.\n\nA table:\n    left        what is right of it\n    long-left-word  more\n",
		40: "A paragraph that was filled by hand.\n\nA table:\n    left        what is right of it\n    long-left-word  more\n",
		30: "A paragraph that was filled by\nhand.\n\nA table:\n    left\n        what is right of it\n    long-left-word  more\n",
	} {
		if got := Reflow(text, width); got != want {
			t.Errorf("at %d:\n%s", width, got)
		}
	}
}

// TestBreakCommand joins the lines as a shell does that is given them.
func TestBreakCommand(t *testing.T) {
	command := CommandLine("/home/somebody/my photos", "run", "--prompt", "Who is it, and why?", "--model", "smolvlm", "--retry-failed", "/mnt/it's here")
	for width := 10; width < 200; width += 7 {
		got := BreakCommand(command, width, "    ")
		lines := strings.Split(got, "\n")
		for i, line := range lines {
			if i < len(lines)-1 && !strings.HasSuffix(line, ` \`) {
				t.Fatalf("at %d a line does not go on:\n%s", width, got)
			}
			if len(shellWords(line)) > 2 && Cells(line) > width {
				t.Fatalf("at %d: %q", width, line)
			}
		}
		if joined := strings.Join(shellWords(strings.ReplaceAll(got, "\\\n", "")), " "); joined != command {
			t.Fatalf("at %d the shell would run %s", width, joined)
		}
	}
}

// TestDashboardHints can be copied from a terminal of any usual width.
func TestDashboardHints(t *testing.T) {
	s := tracker.Snapshot{
		Dir: "/home/somebody/descriptions", Root: "/mnt/photos", HasRun: true, Progress: tracker.Progress{Completed: 90, Failed: 10, Total: 100, TotalKnown: true},
		State: tracker.StateFinished, Args: []string{"run", "--model=smolvlm-500m", "--detail=low", "--prompt=describe", "/mnt/photos"},
	}
	want := CommandLine(s.Dir, append(s.Args, "--retry-failed")...)
	for _, size := range [][2]int{{40, 24}, {80, 24}, {120, 40}} {
		screen := drawDashboard(Machine{Snapshot: s}, nil, time.Now(), size[0], size[1])
		_, after, found := strings.Cut(screen, "try them again:")
		if !found {
			t.Fatalf("%v: no hint\n%s", size, screen)
		}
		var words []string
		for line := range strings.Lines(after) {
			line = strings.TrimSpace(line)
			words = append(words, shellWords(strings.TrimSuffix(line, ` \`))...)
			if line != "" && !strings.HasSuffix(line, ` \`) {
				break
			}
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%v: %s\n%s", size, got, screen)
		}
	}
}

// TestColorEnvironment has the variables count as their conventions say.
func TestColorEnvironment(t *testing.T) {
	for in, want := range map[string]string{
		"TERM=xterm":                            "[TERM=xterm]",
		"NO_COLOR=":                             "[]",
		"NO_COLOR=yes":                          "[NO_COLOR=1]",
		"NO_COLOR=0":                            "[NO_COLOR=1]",
		"CLICOLOR_FORCE=0":                      "[]",
		"CLICOLOR_FORCE=":                       "[]",
		"CLICOLOR_FORCE=yes":                    "[CLICOLOR_FORCE=1]",
		"CLICOLOR_FORCE=1 NO_COLOR=1":           "[NO_COLOR=1]",
		"CLICOLOR_FORCE=1 NO_COLOR= TERM=xterm": "[TERM=xterm CLICOLOR_FORCE=1]",
		"NO_COLOR_ELSEWHERE=1 CLICOLOR=1 TERM=screen": "[NO_COLOR_ELSEWHERE=1 CLICOLOR=1 TERM=screen]",
	} {
		if got := fmt.Sprint(colorEnvironment(strings.Fields(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestWithoutStyles leaves the cursor to be moved.
func TestWithoutStyles(t *testing.T) {
	in := "\r\x1b[1A\x1b[J\x1b[?2026h\x1b[1;31mred\x1b[m 日本語 \x1b[38:2:1:2:3mx\x1b[0m"
	if got, want := string(withoutStyles([]byte(in))), "\r\x1b[1A\x1b[J\x1b[?2026hred 日本語 x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
