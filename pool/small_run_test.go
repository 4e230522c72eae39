package pool

import (
	"fmt"
	"testing"
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
