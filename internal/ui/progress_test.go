package ui

import (
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

// TestBarFits holds the bar to every width, with all that matters on it.
func TestBarFits(t *testing.T) {
	for _, c := range []struct {
		name, phase string
		numbers     *tracker.Progress
		want        []string
	}{
		{"walk", "looking for photos: 1,234,000 so far …", nil, []string{"looking for photos", "1 min 5 s"}},
		{"loading", "loading the model", &tracker.Progress{Total: 31_841}, []string{"0.0%", "0 / 31,841", "loading the model", "1 min 5 s"}},
		{"first", "", &tracker.Progress{Total: 31_841, InFlight: 8, RunSeconds: 12}, []string{"first photos under way, 12 s"}},
		{"rate", "", &tracker.Progress{Completed: 5430, Total: 31_841, Failed: 12, InFlight: 8, RateLastHour: 380, LeftSeconds: 51_120},
			[]string{"5,430 / 31,841", "12 failed", "~380/hour", "14 h"}},
		{"stopping", StoppingPhase, &tracker.Progress{Completed: 5430, Total: 31_841, InFlight: 8, RateLastHour: 380},
			[]string{"stopping", "8 photos in flight"}},
	} {
		p := Progress{phase: c.phase, since: time.Now().Add(-65 * time.Second), last: strings.Repeat("日本語 ", 90)}
		if c.numbers != nil {
			p.numbers = func() tracker.Progress { return *c.numbers }
		}
		for width := 10; width <= 200; width++ {
			lines := p.block(width)
			for _, line := range lines {
				if Cells(line) > width {
					t.Errorf("%s: %q is wider than %d", c.name, line, width)
				}
			}
			for _, want := range c.want {
				if text := strings.Join(lines, "\n"); width >= 39 && !strings.Contains(text, want) {
					t.Errorf("%s, width %d: no %q in\n%s", c.name, width, want, text)
				}
			}
		}
	}
}

// TestPhaseSince counts from the beginning of a phase, not from the last news of it.
func TestPhaseSince(t *testing.T) {
	var p Progress
	p.setPhase("looking for photos …")
	p.since = p.since.Add(-time.Minute)
	p.setPhase("looking for photos: 1,000 so far …")
	if d := time.Since(p.since); d < time.Minute {
		t.Errorf("for %v", d)
	}
	p.setPhase("loading the model")
	if d := time.Since(p.since); d > 30*time.Second {
		t.Errorf("for %v", d)
	}
}

// TestWaitedAllTheTime does not say the same time twice.
func TestWaitedAllTheTime(t *testing.T) {
	for _, c := range []struct {
		wall, paused float64
		want         string
	}{
		{2.4, 2.1, "2 seconds, nearly all of it waiting"},
		{7.4, 2.1, "7 seconds, of which 2 seconds waiting"},
		{7.4, 0.1, "7 seconds\n"},
	} {
		if text := (RunSummary{WallSeconds: c.wall, Paused: c.paused}).Text() + "\n"; !strings.Contains(text, c.want) {
			t.Errorf("no %q in %s", c.want, text)
		}
	}
}
