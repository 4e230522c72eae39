package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"photodesc/internal/ui"
)

// terminals are sizes that people have: a telephone's, the usual, a large one.
var terminals = [][2]int{{40, 15}, {80, 24}, {120, 40}}

// TestHelpInTerminals shows the longest help in real terminals: each line is as
// it was drawn, so none was broken by the terminal.
func TestHelpInTerminals(t *testing.T) {
	run, _, err := newRoot().Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range terminals {
		var want bytes.Buffer
		drawHelp(ui.Colors(&want), run, min(size[0], helpWidthMost))
		term := newTmux(t, size[0], size[1], "photodesc run --help --color never")
		term.await(`ended with 0`)
		got := term.tmux("capture-pane", "-p", "-S", "-")
		for line := range strings.Lines(want.String()) {
			if line = strings.TrimRight(line, " \n"); !strings.Contains(got, line+"\n") {
				t.Errorf("at %d×%d: %q is not on the screen", size[0], size[1], line)
			}
		}
	}
}

// TestColorInTerminals asks for the help and the dashboard with and without
// colours.
func TestColorInTerminals(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		before, flags string
		styled        bool
	}{
		{"", "", true},
		{"", "--color never", false},
		{"", "--color always", true},
		{"NO_COLOR=1 ", "--color always", true},
	} {
		for command, shows := range map[string]string{"--help": `Flags of every command`, "-C " + dir + " status --watch": `No run has worked`} {
			term := newTmux(t, 80, 40, fmt.Sprintf("%sphotodesc %s %s", c.before, c.flags, command))
			term.await(shows)
			if got := term.tmux("capture-pane", "-e", "-p"); strings.Contains(got, "\x1b[") != c.styled {
				t.Errorf("%sphotodesc %s %s: styled is %v\n%q", c.before, c.flags, command, !c.styled, got)
			}
		}
	}
}
