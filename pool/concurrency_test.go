package pool

import (
	"testing"
	"time"
)

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

// TestFirstInFlight checks when a start with few photos in flight ends.
func TestFirstInFlight(t *testing.T) {
	for _, test := range []struct {
		name    string
		first   int
		timeout time.Duration
		took    []time.Duration // of the photos described
		want    int             // in flight afterwards
	}{
		{"none described", 8, 5 * time.Minute, nil, 8},
		{"a fast one", 8, 5 * time.Minute, []time.Duration{30 * time.Second}, 18},
		{"a slow one", 8, 5 * time.Minute, []time.Duration{31 * time.Second}, 8},
		{"a slow one, then fast ones", 8, 5 * time.Minute, []time.Duration{31 * time.Second, time.Second}, 8},
		{"a fast one, then slow ones", 8, 5 * time.Minute, []time.Duration{time.Second, time.Minute}, 18},
		{"no time-out", 8, 0, []time.Duration{time.Hour}, 18},
		{"no start with fewer", 0, 5 * time.Minute, nil, 18},
		{"more than ever", 19, 5 * time.Minute, nil, 18},
	} {
		c := newConcurrency(&Config{MaxInFlight: 18, FirstInFlight: test.first, Timeout: test.timeout})
		for _, took := range test.took {
			c.succeededIn(took)
		}
		if c.limit != test.want {
			t.Errorf("%s: %d in flight, want %d", test.name, c.limit, test.want)
		}
		for range 2 * successesToGrow * len(test.took) { // only memory that ran out is recovered from
			c.succeeded()
		}
		if c.limit != test.want {
			t.Errorf("%s: %d in flight later, want %d", test.name, c.limit, test.want)
		}
	}
	// Memory that runs out at the start is no reason for more.
	c := newConcurrency(&Config{MaxInFlight: 18, FirstInFlight: 8})
	c.halve()
	if c.succeededIn(time.Second); c.limit != 4 {
		t.Errorf("%d in flight after memory ran out at the start, want 4", c.limit)
	}
}

// TestTimedOut checks which time-outs are taken for too many photos in flight.
func TestTimedOut(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	fast, slow := 20*time.Second, 80*time.Second
	for _, test := range []struct {
		name string
		took []time.Duration // of the photos described
		out  [][2]int        // when photos began and took too long, in seconds
		want int
	}{
		{"none described", nil, [][2]int{{0, 300}}, 5},
		{"all of a wave in two workers", nil, [][2]int{{0, 300}, {1, 301}}, 5},
		{"the next wave, too", nil, [][2]int{{0, 300}, {1, 301}, {310, 610}}, 2},
		{"slow and fast ones", []time.Duration{slow, fast, fast}, [][2]int{{0, 300}}, 10},
		{"most of them slow", []time.Duration{slow, slow, slow, 3 * fast}, [][2]int{{0, 300}}, 5},
		{"one that hangs among fast ones", []time.Duration{fast, slow, fast}, [][2]int{{0, 300}}, 10},
	} {
		c := newConcurrency(&Config{MaxInFlight: 10, Timeout: 5 * time.Minute})
		for _, took := range test.took {
			c.succeededIn(took)
		}
		for _, o := range test.out {
			c.timedOut(at(o[0]), at(o[1]))
		}
		for range 2 * successesToGrow { // for good
			c.succeeded()
		}
		if c.limit != test.want {
			t.Errorf("%s: %d in flight, want %d", test.name, c.limit, test.want)
		}
	}
}
