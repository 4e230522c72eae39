package ui

import (
	"io"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// Colours of text for people. Colors decides what of them is shown.
var (
	StyleBold  = lipgloss.NewStyle().Bold(true)
	StyleFaint = lipgloss.NewStyle().Faint(true)
	styleGood  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	styleWarn  = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	styleBad   = lipgloss.NewStyle().Foreground(lipgloss.Red)
	styleFound = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Green)
	styleBar   = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
)

// TerminalWidth is how many cells a line of w may have; 0 where w is no terminal.
func TerminalWidth(w io.Writer) int {
	width, _ := terminalSize(w)
	return width
}

func terminalSize(w io.Writer) (width, height int) {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// OneLine makes foreign text safe to show: a line without control characters,
// and without those that terminals do not agree on the width of. Joined emoji
// fall apart into their parts, flags into their letters.
func OneLine(s string) string {
	var b strings.Builder
	for i, word := range strings.Fields(s) {
		if i > 0 {
			b.WriteByte(' ')
		}
		for _, c := range word {
			switch {
			case c >= 0x1F1E6 && c <= 0x1F1FF: // a letter of a flag
				b.WriteRune('A' + c - 0x1F1E6)
			case c >= 0x1F3FB && c <= 0x1F3FF: // a tone of skin
			case unicode.Is(unicode.Variation_Selector, c), unicode.Is(unicode.Cf, c):
			case unicode.IsControl(c), c == unicode.ReplacementChar:
				b.WriteByte('?')
			default:
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}

// folded is text of several lines on one.
func folded(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		if line = OneLine(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// Cells is how wide text is on a terminal, colours left out.
func Cells(s string) int { return ansi.StringWidth(s) }

// Fit cuts text to a number of cells, with an ellipsis; 0 is no limit.
func Fit(s string, width int) string {
	if width <= 0 {
		return s
	}
	return ansi.Truncate(s, width, "…")
}

// fitPath cuts a path in front, where it says least.
func fitPath(s string, width int) string {
	if n := Cells(s); width > 0 && n > width {
		return ansi.TruncateLeft(s, n-width+1, "…")
	}
	return s
}

// Pad fills text up to a number of cells.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-Cells(s)))
}

// padLeft puts text at the right end of a number of cells.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-Cells(s))) + s
}
