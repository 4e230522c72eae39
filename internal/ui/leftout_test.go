package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"photodesc/tracker"
)

// TestLeftOutInNarrowTerminals has all that is left out said at any width.
func TestLeftOutInNarrowTerminals(t *testing.T) {
	out := tracker.LeftOut{
		Names:    []tracker.LeftOutKind{{Of: ".psd", Count: 1234}, {Of: ".jpg.part", Count: 2}},
		Folders:  []tracker.LeftOutKind{{Of: "Apple Photos", Count: 3}, {Of: "Synology thumbnails", Count: 1}},
		Excluded: []tracker.LeftOutKind{{Of: "files", Count: 7}},
	}
	s := tracker.Snapshot{HasRun: true, State: tracker.StateFinished, LeftOut: out}
	for _, width := range []int{0, 40, 80, 120} {
		for name, write := range map[string]func(*bytes.Buffer){
			"status":  func(b *bytes.Buffer) { WriteStatus(b, s, time.Now(), width) },
			"summary": func(b *bytes.Buffer) { WriteSummary(b, tracker.Summary{OK: 1, Run: s}, time.Now(), width) },
		} {
			var b bytes.Buffer
			write(&b)
			text := b.String()
			for line := range strings.Lines(text) {
				if strings.Contains(line, "Seconds of a photo") { // the table has its own width
					break
				}
				if n := ansi.StringWidth(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
					t.Errorf("%s at %d: %d cells: %q", name, width, n, line)
				}
			}
			flat := strings.Join(strings.Fields(text), " ")
			for _, want := range []string{".psd 1,234, .jpg.part 2", "Apple Photos 3, Synology thumbnails 1", "7 files were left out by --exclude or .photodescignore"} {
				if !strings.Contains(flat, want) {
					t.Errorf("%s at %d lacks %q: %s", name, width, want, text)
				}
			}
		}
	}
}
