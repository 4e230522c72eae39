package pool

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The first worker loads alone, and the others while it describes.
func TestFirstWorkerLoadsAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := paths("good", 60)
		r := newBubbleRig(t, Config{Workers: 3, MaxInFlight: 4, Command: fakeCommand("slowload", delayEnv+"=100ms")})
		r.run(jobs).noError(jobs)
		ready := r.at(EventWorkerReady, func(e seen) bool { return e.Worker == 1 })
		for n := 2; n <= 3; n++ {
			if start := r.at(EventWorkerStart, func(e seen) bool { return e.Worker == n }); start.Before(ready) {
				t.Errorf("worker %d was started %v before the first was ready", n, ready.Sub(start))
			}
		}
		if r.stats.Workers != 3 {
			t.Errorf("%d workers; log:\n%s", r.stats.Workers, r.log())
		}
	})
}

// The photos of a small run are shared out evenly among the workers, and no worker
// is started for none.
func TestSmallRuns(t *testing.T) {
	for _, test := range []struct{ photos, workers, most int }{{1, 1, 1}, {2, 2, 1}, {4, 2, 2}, {7, 2, 4}, {16, 2, 8}} {
		t.Run(fmt.Sprint(test.photos), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				jobs := paths("good", test.photos)
				r := newBubbleRig(t, Config{Workers: 2, MaxInFlight: 8, Command: fakeCommand("", delayEnv+"=1m")})
				r.run(jobs).noError(jobs)
				most := 0
				for _, e := range r.events {
					if e.Kind == EventPhotoOut {
						most = max(most, e.InFlight)
					}
				}
				if r.stats.Workers != test.workers || most != test.most {
					t.Errorf("%d photos: %d workers with up to %d each, want %d with %d", test.photos, r.stats.Workers, most, test.workers, test.most)
				}
			})
		})
	}
}

// Few photos are in flight until the first has been described, and then more, but
// not where it took long.
func TestFirstInFlightOfRun(t *testing.T) {
	for _, test := range []struct {
		delay string
		later int
	}{{"1m", 5}, {"7m", 2}} {
		t.Run(test.delay, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				jobs := paths("good", 20)
				r := newBubbleRig(t, Config{Workers: 2, MaxInFlight: 5, FirstInFlight: 2, Timeout: time.Hour, Command: fakeCommand("", delayEnv+"="+test.delay)})
				r.run(jobs).noError(jobs)
				first, later, described := 0, 0, false
				for _, e := range r.events {
					described = described || e.Kind == EventAnswer
					switch {
					case e.Kind == EventPhotoOut && described:
						later = max(later, e.InFlight)
					case e.Kind == EventPhotoOut:
						first = max(first, e.InFlight)
					}
				}
				if first != 2 || later != test.later {
					t.Errorf("%d photos in flight at first and %d later, want 2 and %d", first, later, test.later)
				}
			})
		})
	}
}

// Fewer photos are in flight after a time-out while none has been described.
func TestFewerAfterTimeOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newBubbleRig(t, Config{MaxInFlight: 4, Timeout: time.Minute})
		r.run(paths("hang", 4))
		if want := "at most 2 photos at once from now on"; strings.Count(r.log(), want) != 1 || strings.Contains(r.log(), "at most 1 photo at once") {
			t.Errorf("the log does not say %q once:\n%s", want, r.log())
		}
	})
}

// Workers that encode one photo after another and answer eight at once are done with
// the last photos at the same time, within a photo's time.
func TestLastPhotos(t *testing.T) {
	for photos := 17; photos <= 80; photos++ {
		t.Run(fmt.Sprint(photos), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const each = 4 * time.Second
				jobs := paths("good", photos)
				r := newBubbleRig(t, Config{Workers: 2, MaxInFlight: 10, Command: fakeCommand("slots slowload", delayEnv+"="+each.String())})
				last := map[int]time.Time{} // answer of each worker, by its batch
				r.onDone = func(res Result) error { last[res.Batch] = time.Now(); return nil }
				r.run(jobs).noError(jobs)
				if waited := last[1].Sub(last[2]).Abs(); len(last) != 2 || waited > each+each/4 {
					t.Errorf("one of %d workers waits for the other for %v, a photo takes %v", len(last), waited, each)
				}
			})
		})
	}
}
