package llm

import (
	"testing"
	"time"
)

// simulated is a machine on which a computation of some work runs on the threads that
// the rule wants. Its clock moves only by computing and idling.
type simulated struct {
	rule *threadRule
	now  time.Time
}

func simulate(threads int) *simulated {
	return &simulated{rule: newThreadRule(threads), now: time.Unix(1e9, 0)}
}

// compute computes for a time in steps. share says how much processor time each of so
// many threads gets, of the time in which they compute. It returns how long each
// number of threads computed.
func (s *simulated) compute(long, step time.Duration, share func(threads int) float64) map[int]time.Duration {
	took := map[int]time.Duration{}
	for end := s.now.Add(long); s.now.Before(end); {
		n := s.rule.count
		s.now = s.now.Add(step)
		took[n] += step
		s.rule.record(s.now, step, time.Duration(float64(step)*float64(n)*share(n)))
	}
	return took
}

func always(share float64) func(int) float64 { return func(int) float64 { return share } }

// beside is the share on so many cores that other programs' busy threads compete for.
func beside(cores, others int) func(int) float64 {
	return func(threads int) float64 { return min(1, float64(cores)/float64(threads+others)) }
}

func TestThreadRuleQuiet(t *testing.T) {
	for _, threads := range []int{2, 3, 8} {
		for _, step := range []time.Duration{time.Millisecond, 300 * time.Millisecond, 7 * time.Second} {
			if took := simulate(threads).compute(10*time.Minute, step, always(0.9)); len(took) != 1 || took[threads] == 0 {
				t.Errorf("%d threads, steps of %v: computed with %v", threads, step, took)
			}
		}
	}
}

func TestThreadRuleBusy(t *testing.T) {
	for _, c := range []struct {
		cores, others int
		want          int // threads
	}{
		{2, 2, 1},
		{2, 1, 1},
		{6, 1, 6},  // 0.86 of a core each
		{6, 3, 4},  // 0.67, with 5 threads 0.75, with 4 0.86
		{7, 5, 3},  // 0.58, with 4 0.78, with 3 0.88
		{8, 40, 1}, // never none
	} {
		s := simulate(c.cores)
		s.compute(20*time.Second, 50*time.Millisecond, beside(c.cores, c.others))
		took := s.compute(10*time.Minute, 50*time.Millisecond, beside(c.cores, c.others))
		if took[c.want] < 580*time.Second {
			t.Errorf("%d cores, %d others: computed with %v, want %d threads", c.cores, c.others, took, c.want)
		}
	}
}

// Trials of all threads begin 10, 20, 40, 60, 60 seconds after a decrease. After each the count
// is at once what it was.
func TestThreadRuleTrials(t *testing.T) {
	s := simulate(6)
	began, last := s.now, 6
	var trials []time.Duration
	for s.now.Sub(began) < 5*time.Minute {
		s.compute(time.Second, time.Second, beside(6, 3))
		n := s.rule.count
		switch {
		case n == 6 && last != 6:
			trials = append(trials, s.now.Sub(began))
		case last == 6 && len(trials) > 0 && n != 4:
			t.Fatalf("%d threads after a trial at %v", n, trials)
		}
		last = n
	}
	// The second decrease is after two seconds, each trial takes another.
	want := []time.Duration{12, 33, 74, 135, 196, 257}
	if len(trials) != len(want) {
		t.Fatalf("trials at %v", trials)
	}
	for i := range want {
		if trials[i] != want[i]*time.Second {
			t.Errorf("trials at %v, want %d seconds", trials, want)
			break
		}
	}
}

// Once the others have ended, a trial is kept, and the next wait is short again.
func TestThreadRuleFreed(t *testing.T) {
	s := simulate(2)
	s.compute(5*time.Minute, 20*time.Millisecond, beside(2, 2))
	s.compute(62*time.Second, 20*time.Millisecond, always(0.95))
	if took := s.compute(5*time.Minute, 20*time.Millisecond, always(0.95)); len(took) != 1 || took[2] == 0 {
		t.Errorf("the machine is free: computed with %v", took)
	}
	s.compute(2*time.Second, 20*time.Millisecond, always(0.5))
	if s.rule.count != 1 {
		t.Fatalf("%d threads beside others", s.rule.count)
	}
	s.compute(12*time.Second, 20*time.Millisecond, always(0.95))
	if s.rule.count != 2 {
		t.Error("no trial after ten seconds")
	}
}

// Others that come and go every few seconds do not make the count change each time.
func TestThreadRuleFlapping(t *testing.T) {
	s := simulate(2)
	changes := 0
	for i := range 600 {
		before := s.rule.count
		share := always(0.95)
		if i%4 == 0 {
			share = always(0.4)
		}
		s.compute(time.Second, 100*time.Millisecond, share)
		if s.rule.count != before {
			changes++
		}
	}
	if changes > 30 {
		t.Errorf("%d changes in ten minutes", changes)
	}
}

// A process that was stopped within a computation is not slow for long.
func TestThreadRulePause(t *testing.T) {
	s := simulate(2)
	s.compute(time.Minute, 100*time.Millisecond, always(0.95))
	s.compute(time.Hour, time.Hour, always(0)) // stopped
	if s.rule.count != 1 {
		t.Errorf("%d threads after a pause: the test shows nothing", s.rule.count)
	}
	s.compute(12*time.Second, 100*time.Millisecond, always(0.95))
	if s.rule.count != 2 {
		t.Errorf("%d threads long after a pause", s.rule.count)
	}
}
