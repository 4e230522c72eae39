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
		s.add(death{kind: DeathSegfault}, step.excused, now)
		if got := s.backoffUntil.Sub(now); got != step.backoff || s.tooLong() != step.tooLong {
			t.Errorf("step %d: back-off %v, too long %v", i, got, s.tooLong())
		}
	}
	if s.reset(); s.deaths != 0 || s.backoffUntil.After(now) || s.tooLong() {
		t.Errorf("after a success: %+v", s)
	}
}
