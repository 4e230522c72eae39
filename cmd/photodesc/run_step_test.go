package main

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestStep says a line at once, then less and less often, with the news, and nothing
// after the end.
func TestStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		s := startStep(func(line string) { lines = append(lines, line) }, "Looking for photos")
		time.Sleep(5 * time.Second)
		s.at("12,000 so far")
		time.Sleep(16 * time.Second)
		s.at("31,000 so far")
		time.Sleep(30 * time.Second)
		s.end()
		time.Sleep(time.Hour)
		want := []string{
			"Looking for photos",
			"Looking for photos: 12,000 so far, for 10 seconds now",
			"Looking for photos: 12,000 so far, for 20 seconds now",
			"Looking for photos: 31,000 so far, for 30 seconds now",
			"Looking for photos: 31,000 so far, for 45 seconds now",
		}
		if !slices.Equal(lines, want) {
			t.Errorf("%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}

		lines = nil
		s = startStep(func(line string) { lines = append(lines, line) }, "Loading the model")
		time.Sleep(24 * time.Hour)
		s.end()
		if n := len(lines); n < 24*60/5 || n > 24*60/5+12 || lines[1] != "Loading the model: for 10 seconds now" {
			t.Errorf("%d lines a day\n%s", n, strings.Join(lines[:3], "\n"))
		}
	})
}
