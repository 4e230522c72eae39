package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"photodesc/tracker"
)

// TestOneLine holds text to widths on which all terminals agree.
func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\n c":           "a b c",
		"\x1b[31mred\x07":    "?[31mred?",
		"👨‍👩‍👧‍👦":            "👨👩👧👦",
		"🇩🇪 flag":            "DE flag",
		"❤️":                 "❤",
		"👍🏽":                 "👍",
		"right\u202eto left": "rightto left",
		"日本語":                "日本語",
	} {
		if got := OneLine(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}

// TestDashboardFits draws every state in every size.
func TestDashboardFits(t *testing.T) {
	now := time.Now()
	long := strings.Repeat("日本語 👨‍👩‍👧‍👦 words ", 20)
	photo := tracker.Recent{Path: long, Text: long, Status: tracker.OK, Time: now}
	failure := tracker.Recent{Path: "x", Text: long, Status: tracker.Failed, Kind: tracker.Crash, Time: now}
	full := tracker.Snapshot{
		Dir: long, Root: long, HasRun: true, Model: long, PerMinute: []int{1, 5, 0, 9, 3},
		Progress: tracker.Progress{Completed: 123_456, Failed: 7, Total: 1_000_000, TotalKnown: true, Remaining: 876_537,
			RateLastHour: 380, RateRun: 370, RateOverall: 372, RunSeconds: 1e5, UpSeconds: 1e6, LeftSeconds: 1e7},
		LastUpdate: now, Args: []string{"run", long}, Log: long, Damage: long, PID: 4711,
		Stop:     &tracker.Stop{Reason: tracker.Broke, Text: long + "\n  " + long, Time: now},
		Sample:   tracker.Sample{SupervisorBytes: 1 << 24, WorkerBytes: 1 << 31, BudgetBytes: 1 << 30, CPUPercent: 250, Workers: 3, SlotsUsed: 40, Slots: 24},
		Counters: tracker.Counters{Runs: 3, Workers: 99, Restarts: map[string]int{"crash": 3, "memory-budget": 1}},
	}
	for range 20 {
		full.Recent, full.Failures = append(full.Recent, photo), append(full.Failures, failure)
	}
	for _, s := range []tracker.Snapshot{{Dir: "."}, {Dir: ".", HasRun: true}, full} {
		for _, state := range []tracker.State{tracker.StateNone, tracker.StateRunning, tracker.StateWaiting, tracker.StateStalled,
			tracker.StateFinished, tracker.StateStopped, tracker.StateBroke, tracker.StateDied} {
			s.State = state
			s.Running = state == tracker.StateRunning || state == tracker.StateWaiting || state == tracker.StateStalled
			if state == tracker.StateBroke && s.Stop == nil {
				continue
			}
			for width := 1; width < 150; width += 13 {
				for height := 1; height < 60; height += 7 {
					screen := drawDashboard(Machine{Snapshot: s}, nil, now, width, height)
					lines := strings.Split(screen, "\n")
					if len(lines) > height {
						t.Fatalf("%s at %d×%d: %d lines", state, width, height, len(lines))
					}
					for _, line := range lines {
						if Cells(line) > max(width, 2) {
							t.Fatalf("%s at %d×%d: %q", state, width, height, line)
						}
					}
				}
			}
		}
	}
}

// TestDashboardUncut has all figures whole in the terminals that people have.
func TestDashboardUncut(t *testing.T) {
	now := time.Now()
	s := tracker.Snapshot{
		Dir: "/home/ada/w", Root: "/home/ada/p", HasRun: true, Running: true, State: tracker.StateRunning, PID: 4_194_303, Model: "smolvlm-500m",
		PerTen: []int{1, 5, 0, 9, 3}, PerMinute: []int{1},
		Progress: tracker.Progress{Completed: 123_456, Failed: 1_007, Total: 1_000_000, TotalKnown: true, Remaining: 875_537, Batch: 12_345, InFlight: 10,
			RateLastHour: 93_415, RateRun: 93_415, RateOverall: 93_415, RunSeconds: 1e5, UpSeconds: 1e6, LeftSeconds: 1e5},
		Sample:   tracker.Sample{SupervisorBytes: 123 << 20, WorkerBytes: 1023 << 20, BudgetBytes: 1023 << 30, CPUPercent: 100, Workers: 16, SlotsUsed: 132, Slots: 128},
		Counters: tracker.Counters{Runs: 31, Batches: 12_345, Restarts: map[string]int{"crash": 3, "memory-budget": 1}},
	}
	stopping := s
	stopping.Phase, stopping.PhaseSince, stopping.LeftSeconds = StoppingPhase, now.Add(-75*time.Second), 0
	waiting := s
	waiting.Phase, waiting.PhaseSince, waiting.Waiting, waiting.State = "the photos to come back", now.Add(-75*time.Minute), true, tracker.StateWaiting
	for _, c := range []struct {
		s    tracker.Snapshot
		want []string
	}{
		{s, []string{"123,456 of 1,000,000", "1,007 failed", "875,537 to go", "~93,415 photos/hour", "in 31 runs", "1023 MiB of 1023 GiB", "100%", "128 of 128", "4 restarts", "memory budget 1"}},
		{stopping, []string{"● stopping", "stopping for 1 minute 15 seconds, 10 photos in flight"}},
		{waiting, []string{"● waiting", "waiting for the photos to come back for 1 hour 15 minutes"}},
	} {
		for _, size := range [][2]int{{40, 15}, {80, 24}, {120, 40}} {
			screen := ansi.Strip(drawDashboard(Machine{Snapshot: c.s}, nil, now, size[0], size[1]))
			text := strings.Join(strings.Fields(screen), " ")
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%v: no %q in\n%s", size, want, screen)
				}
			}
			if strings.Contains(screen, "…") {
				t.Errorf("%v: something is cut in\n%s", size, screen)
			}
		}
	}
}
