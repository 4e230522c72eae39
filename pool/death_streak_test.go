package pool

import (
	"testing"
	"time"
)

func TestDeathStreak(t *testing.T) {
	now := time.Unix(1000, 0)
	s := deathStreak{max: 4, minBackoff: 100 * time.Millisecond, maxBackoff: 350 * time.Millisecond}
	for i, step := range []struct {
		excused bool
		backoff time.Duration
		tooLong bool
	}{
		{true, 100 * time.Millisecond, false}, // not counted
		{false, 100 * time.Millisecond, false},
		{false, 200 * time.Millisecond, false},
		{true, 200 * time.Millisecond, false},
		{false, 350 * time.Millisecond, false},
		{false, 350 * time.Millisecond, true},
	} {
		s.add(step.excused, now)
		if got := s.backoffUntil.Sub(now); got != step.backoff || s.tooLong() != step.tooLong {
			t.Errorf("step %d: back-off %v, too long %v", i, got, s.tooLong())
		}
	}
	if s.reset(); s.deaths != 0 || s.backoffUntil.After(now) || s.tooLong() {
		t.Errorf("after a success: %+v", s)
	}
}

func TestConcurrency(t *testing.T) {
	c := concurrency{limit: 11, max: 11}
	for _, want := range []int{5, 2, 1} {
		if !c.halve() || c.limit != want {
			t.Errorf("limit %d, want %d", c.limit, want)
		}
	}
	if c.halve() || c.limit != 1 {
		t.Errorf("halved to %d", c.limit)
	}
	var limits []int
	for n := 1; n <= 5*successesToGrow; n++ {
		if c.succeeded() {
			limits = append(limits, c.limit)
			if n%successesToGrow != 0 {
				t.Errorf("grew after %d successes", n)
			}
		}
	}
	if len(limits) != 4 || limits[0] != 2 || limits[3] != 11 {
		t.Errorf("limits %v", limits)
	}
	c = concurrency{limit: 4, max: 8}
	for range successesToGrow - 1 {
		c.succeeded()
	}
	if c.halve(); c.succeeded() {
		t.Error("successes before the last kill were counted")
	}
}
