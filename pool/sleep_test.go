package pool

import (
	"testing"
	"time"
)

// TestSleepText tells sleep from a run that was halted.
func TestSleepText(t *testing.T) {
	for _, c := range []struct {
		wall, monotonic time.Duration
		want            string
	}{
		{8*time.Hour + time.Second, time.Second, "The machine was asleep for 8h0m0s, or its clock was set; the run goes on"},
		{8 * time.Hour, 8 * time.Hour, ""}, // halted
		{time.Second, time.Second, ""},
		{-time.Hour, time.Second, ""}, // the clock was set back
		{9 * time.Second, time.Second, ""},
	} {
		if got := sleepText(c.wall, c.monotonic); got != c.want {
			t.Errorf("%v and %v: %q", c.wall, c.monotonic, got)
		}
	}
}
