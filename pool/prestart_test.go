package pool

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"photodesc/internal/machine"
)

// moodsByWorker gives some workers a mood of their own.
func moodsByWorker(others string, of map[int]string, env ...string) func(int) *exec.Cmd {
	return func(n int) *exec.Cmd {
		mood, ok := of[n]
		if !ok {
			mood = others
		}
		return fakeCommand(mood, env...)(n)
	}
}

// wholeBatches checks that each batch begins and ends exactly once.
func (r *rig) wholeBatches(want int) {
	r.t.Helper()
	begun, ended := map[int]int{}, map[int]int{}
	for _, e := range r.events {
		switch e.Kind {
		case EventBatchStart:
			begun[e.Batch]++
		case EventBatchEnd:
			ended[e.Batch]++
		}
	}
	for n := 1; n <= want; n++ {
		if begun[n] != 1 || ended[n] != 1 {
			r.t.Errorf("batch %d began %d times and ended %d times; log:\n%s", n, begun[n], ended[n], r.log())
		}
	}
	if len(begun) != want || len(ended) != want || r.stats.Batches != want {
		r.t.Errorf("%d batches began, %d ended, %d counted, want %d; log:\n%s", len(begun), len(ended), r.stats.Batches, want, r.log())
	}
}

// at is when the first such event came.
func (r *rig) at(kind EventKind, is func(seen) bool) time.Time {
	for _, e := range r.events {
		if e.Kind == kind && is(e) {
			return e.Time
		}
	}
	r.t.Fatalf("no such %s; log:\n%s", kind, r.log())
	return time.Time{}
}

// The first photo of a batch is handed out while the last ones of the batch before
// are in flight, so that loading takes no time of its own.
func TestNoGapBetweenBatches(t *testing.T) {
	t.Parallel()
	for _, inFlight := range []int{1, 3} {
		t.Run(fmt.Sprint(inFlight), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				jobs := paths("good", 36)
				r := newBubbleRig(t, Config{MaxInFlight: inFlight, BatchSize: 12, Prestart: true, Command: fakeCommand("slowload", delayEnv+"=100ms")})
				last := map[int]time.Time{}
				r.onDone = func(res Result) error { last[res.Batch] = time.Now(); return nil }
				r.run(jobs).noError(jobs).wholeBatches(3)
				for n := 2; n <= 3; n++ {
					out := r.at(EventPhotoOut, func(e seen) bool { return e.Batch == n })
					ready := r.at(EventWorkerReady, func(e seen) bool { return e.Batch == n })
					exit := r.at(EventWorkerExit, func(e seen) bool { return e.Batch == n-1 })
					// A load takes 150 ms and more, a photo 100.
					if gap := out.Sub(last[n-1]); gap > 75*time.Millisecond {
						t.Errorf("%v between batch %d and %d", gap, n-1, n)
					}
					if ready.After(exit) {
						t.Errorf("worker of batch %d was ready %v after the one before had left", n, ready.Sub(exit))
					}
				}
				if r.stats.Workers != 3 {
					t.Errorf("%d workers", r.stats.Workers)
				}
			})
		})
	}
}

// If a prestarted worker dies while it loads, no photo is affected and another worker
// takes over its batch.
func TestDeathWhilePrestarting(t *testing.T) {
	t.Parallel()
	for _, mood := range []string{"dead", "babble", "old"} {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			jobs := paths("good", 40)
			r := newRig(t, Config{MaxInFlight: 2, BatchSize: 10, Prestart: true, Version: "1",
				Command: moodsByWorker("", map[int]string{2: mood, 3: mood}, delayEnv+"=20ms")}).run(jobs).noError(jobs)
			r.wholeBatches(4)
			died := 0
			for _, n := range r.stats.Deaths {
				died += n
			}
			if died != 2 || r.stats.Workers != 6 || r.retried != 0 || len(r.failed()) != 0 {
				t.Errorf("%+v; log:\n%s", r.stats, r.log())
			}
		})
	}
}

// If a worker dies or hangs with the last photos of its batch while the next one
// works already, no other photo fails and every batch ends.
func TestDeathWhileDraining(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind   string
		failed string
	}{
		{"once-segv", ""},
		{"once-exit3", ""},
		{"once-garbage", ""},
		{"segv", "segv crash"},
		{"hang", "hang timeout"},
	} {
		t.Run(test.kind, func(t *testing.T) {
			bubbleIf(t, test.kind == "hang", func(t *testing.T, newRig func(Config) *rig) {
				all := slices.Collect(paths("good", 60))
				all[19] = test.kind // the last of the first batch
				jobs := slices.Values(all)
				r := newRig(Config{MaxInFlight: 3, BatchSize: 20, Prestart: true, Timeout: time.Minute,
					Command: fakeCommand("", delayEnv+"=30ms")}).run(jobs).noError(jobs)
				r.wholeBatches(max(3, r.stats.Batches))
				want := []string{}
				if test.failed != "" {
					want = append(want, test.failed)
				}
				if got := r.failed(); !slices.Equal(got, want) {
					t.Errorf("failed %v, want %v; log:\n%s", got, want, r.log())
				}
			})
		})
	}
}

// A stop while the next worker loads or waits finishes the photos in flight, and no
// death is counted.
func TestStopWhilePrestarting(t *testing.T) {
	t.Parallel()
	for _, when := range []EventKind{EventWorkerStart, EventWorkerReady} {
		t.Run(string(when), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newBubbleRig(t, Config{MaxInFlight: 2, BatchSize: 10, Prestart: true, Command: fakeCommand("slowload", delayEnv+"=50ms")})
				out := 0
				r.onEvent = func(e seen) {
					switch {
					case e.Kind == EventPhotoOut:
						out++
					case e.Kind == when && e.Worker == 2:
						r.p.Stop()
					}
				}
				if r.run(paths("good", 100)); r.err != ErrStopped || len(r.stats.Deaths) != 0 || len(r.results) != out {
					t.Errorf("run: %v, %d results of %d handed out, %+v", r.err, len(r.results), out, r.stats)
				}
				if r.stats.Workers != 2 {
					t.Errorf("%d workers", r.stats.Workers)
				}
				r.wholeBatches(2)
			})
		})
	}
}

// No worker is prestarted with a cooldown, or while the machine is short of memory,
// or if the batches under way have room for all photos.
func TestNoPrestart(t *testing.T) {
	t.Parallel()
	short := func() (machine.SystemMemory, error) {
		return machine.SystemMemory{Total: 8 << 30, Available: 1 << 10, UsedPercent: 80}, nil
	}
	for _, test := range []struct {
		name   string
		cfg    Config
		photos int
	}{
		{"cooldown", Config{Cooldown: 10 * time.Millisecond}, 30},
		{"nothing available", Config{samplers: samplers{System: short}}, 30},
		{"few photos", Config{}, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg := test.cfg
				cfg.MaxInFlight, cfg.BatchSize, cfg.Prestart, cfg.Command = 2, 10, true, fakeCommand("", delayEnv+"=5ms")
				r := newBubbleRig(t, cfg)
				alive, most := 0, 0
				r.onEvent = func(e seen) {
					switch e.Kind {
					case EventWorkerStart:
						alive++
					case EventWorkerExit:
						alive--
					}
					most = max(most, alive)
				}
				jobs := paths("good", test.photos)
				r.run(jobs).noError(jobs).wholeBatches(test.photos / 10)
				if most != 1 || r.stats.Workers != test.photos/10 {
					t.Errorf("%d workers, up to %d at once; log:\n%s", r.stats.Workers, most, r.log())
				}
			})
		})
	}
}

// If two workers together exceed the budget, the prestarted one is cancelled and
// another worker takes over its batch.
func TestPrestartedWorkerIsCancelledForMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const budget = 400 << 20
		var mu sync.Mutex
		pids := map[int]int{}
		cfg := Config{MaxInFlight: 2, BatchSize: 20, Prestart: true, Memory: budget,
			Command: moodsByWorker("nobeat slowload", nil, delayEnv+"=40ms")}
		// The first worker grows when the second is there. Each alone is within the
		// budget. Answers report a small size, samples these.
		cfg.samplers.Worker = func(pid int) (uint64, error) {
			mu.Lock()
			defer mu.Unlock()
			switch n := pids[pid]; {
			case n == 1 && len(pids) > 1:
				return 310 << 20, nil
			case n == 2:
				return 100 << 20, nil
			}
			return 1 << 20, nil
		}
		cfg.sampleEvery = 5 * time.Millisecond
		r := newBubbleRig(t, cfg)
		r.onEvent = func(e seen) {
			if e.Kind == EventWorkerStart {
				mu.Lock()
				pids[e.PID] = e.Worker
				mu.Unlock()
			}
		}
		jobs := paths("good", 60)
		r.run(jobs).noError(jobs)
		// The first one's growth may have it replaced, too, which ends its batch.
		r.wholeBatches(max(3, r.stats.Batches))
		reason := ""
		for _, e := range r.events {
			if e.Kind == EventWorkerExit && e.Worker == 2 {
				reason = e.Reason
			}
		}
		if reason != ReasonMemory || r.stats.Replaced < 1 || len(r.stats.Deaths) != 0 || !strings.Contains(r.log(), "Worker 2, started before its batch, is ended to free memory: the workers need up to 4") {
			t.Errorf("worker 2 left for %q; %+v; log:\n%s", reason, r.stats, r.log())
		}
	})
}
