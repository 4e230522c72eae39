package pool

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"photodesc/internal/machine"
)

func TestPausesWhileMemoryIsShort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := paths("good", 200)
		looks := 0
		cfg := Config{MaxInFlight: 2, Command: fakeCommand("", delayEnv+"=100ms")}
		cfg.samplers.System = func() (machine.SystemMemory, error) {
			looks++
			used := 40.0
			if looks >= 3 && looks < 8 {
				used = 87.3
			}
			return machine.SystemMemory{Total: 1 << 30, Available: 1 << 29, UsedPercent: used}, nil
		}
		r := newBubbleRig(t, cfg)
		paused := false
		r.onEvent = func(e seen) {
			switch e.Kind {
			case EventPause:
				paused = true
			case EventResume:
				paused = false
			case EventPhotoOut:
				if paused {
					t.Errorf("%q was handed out in a pause", e.Path)
				}
			}
		}
		r.run(jobs).noError(jobs)
		if n := strings.Count(r.log(), "warn Memory usage high (87.3%), waiting for memory to free up..."); n != 1 {
			t.Errorf("warned %d times:\n%s", n, r.log())
		}
		if r.stats.Paused < 4*time.Second || r.stats.Paused > 6*time.Second {
			t.Errorf("paused only %v", r.stats.Paused)
		}
	})
}

// A worker that begins with 100 MiB and leaks 10 MiB a photo never exceeds its
// budget of 600 MiB by more than one photo, and all photos are done.
func TestLeak(t *testing.T) {
	t.Parallel()
	for _, inFlight := range []int{1, 8} {
		t.Run(fmt.Sprint(inFlight), func(t *testing.T) {
			t.Parallel()
			const budget, photo = 600 << 20, 10 << 20
			jobs := paths("good", 300)
			r := newRig(t, Config{MaxInFlight: inFlight, Memory: budget, Command: fakeCommand("leak"),
				samplers: samplers{Worker: func(int) (uint64, error) { return 0, nil }}}).run(jobs).noError(jobs)
			if r.stats.PeakWorkers > budget+photo {
				t.Errorf("peak %s", bytesText(r.stats.PeakWorkers))
			}
			// 50 photos fit between 100 and 600 MiB.
			if r.stats.Workers < 6 || r.stats.Workers > 7 || len(r.stats.Deaths) != 0 || r.stats.Batches != 1 {
				t.Errorf("%+v; log:\n%s", r.stats, r.log())
			}
			t.Logf("peak %s, %d workers", bytesText(r.stats.PeakWorkers), r.stats.Workers)
		})
	}
}

// If the model alone exceeds the budget, the photos are done all the same.
func TestBudgetBelowTheModel(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 5)
	r := newRig(t, Config{MaxInFlight: 4, Memory: 50 << 20, Command: fakeCommand("leak"),
		samplers: samplers{Worker: func(int) (uint64, error) { return 0, nil }}}).run(jobs).noError(jobs)
	if r.stats.Workers != 5 || len(r.stats.Deaths) != 0 {
		t.Errorf("%+v", r.stats)
	}
}

// A worker that is far above its share between two answers is killed. The photo that
// caused it is found, and the others are described.
func TestFarOverTheBudget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := mixed(30, "hang")
		cfg := Config{MaxInFlight: 4, Memory: 1 << 40, Command: fakeCommand("", delayEnv+"=1ms")}
		hanging := make(chan struct{}, 100)
		eating := false
		cfg.samplers.Worker = func(int) (uint64, error) {
			select {
			case <-hanging:
				eating = !eating
			default:
			}
			if eating {
				return 2 << 40, nil
			}
			return 1 << 20, nil
		}
		r := newBubbleRig(t, cfg)
		r.onEvent = func(e seen) {
			out := e.Kind == EventPhotoOut || e.Kind == EventPhotoBack
			if out && e.Path == "hang" {
				hanging <- struct{}{}
			}
		}
		// Answers and heartbeats report the small figure, only the samples the large one.
		r.run(jobs).noError(jobs)
		if got := r.failed(); len(got) != 1 || got[0] != "hang memory" {
			t.Errorf("failed: %v; log:\n%s", got, r.log())
		}
		if r.stats.Deaths[DeathMemory] < 3 {
			t.Errorf("deaths: %v", r.stats.Deaths)
		}
	})
}

func TestHeat(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := paths("good", 100)
		looks := 0
		cfg := Config{MaxTemp: 90, Command: fakeCommand("", delayEnv+"=100ms")}
		cfg.samplers.Heat = func() (float64, bool) {
			looks++
			return map[bool]float64{true: 95, false: 70}[looks == 2 || looks == 3], true
		}
		r := newBubbleRig(t, cfg).run(jobs).noError(jobs)
		if r.count(EventPause) != 1 || !strings.Contains(r.log(), "Temperature high (95 °C), waiting until it is below 85 °C...") {
			t.Errorf("log:\n%s", r.log())
		}
	})
}
