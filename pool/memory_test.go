package pool

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"photodesc/internal/machine"
)

func TestMakePlan(t *testing.T) {
	const M, G = 1 << 20, 1 << 30
	small := Sizes{Weights: 600 * M, Worker: 300 * M, Slot: 30 * M, Pixels: 20 * M}
	for _, test := range []struct {
		name     string
		s        Sizes
		l        Limits
		workers  int
		inFlight int
		prestart bool
		fits     bool
	}{
		{"two cores, no budget", small, Limits{CPUs: 2}, 1, 8, true, true},
		{"sixteen cores, no budget", small, Limits{CPUs: 16}, 4, 8, true, true},
		{"sixteen cores, roomy", small, Limits{CPUs: 16, Memory: 16 * G}, 4, 8, true, true},
		{"sixteen cores, 3 GiB", small, Limits{CPUs: 16, Memory: 3 * G}, 4, 6, false, true},
		{"sixteen cores, 2 GiB", small, Limits{CPUs: 16, Memory: 2 * G}, 2, 8, false, true},
		{"600 MiB is too little", small, Limits{CPUs: 16, Memory: 600 * M}, 1, 1, false, false},
		{"one photo just fits", small, Limits{CPUs: 2, Memory: 950 * M}, 1, 1, false, true},
		{"room for a next worker", small, Limits{CPUs: 2, Memory: 1840 * M}, 1, 8, true, true},
		{"not for its KV cache", small, Limits{CPUs: 2, Memory: 1839 * M}, 1, 8, false, true},
		{"as asked for", small, Limits{CPUs: 2, Workers: 3, InFlight: 2}, 3, 2, true, true},
		{"asked for, but too much", small, Limits{CPUs: 2, Workers: 3, InFlight: 2, Memory: 1400 * M}, 2, 2, false, true},
		{"nothing known", Sizes{}, Limits{Memory: G}, 1, 8, true, true},
	} {
		p := MakePlan(test.s, test.l)
		if p.Workers != test.workers || p.InFlight != test.inFlight || p.Prestart != test.prestart || p.Fits != test.fits {
			t.Errorf("%s: %+v", test.name, p)
		}
		if p.Photo < test.s.Pixels && test.l.Memory > 0 {
			t.Errorf("%s: an ordinary photo of %d bytes is too large for %d", test.name, test.s.Pixels, p.Photo)
		}
		if p.Fits && test.l.Memory > 0 && test.s.Weights+p.total(test.s) > test.l.Memory {
			t.Errorf("%s: over the budget: %s", test.name, p.Sum)
		}
	}
	p := MakePlan(small, Limits{CPUs: 16, Memory: 2 * G})
	const want = "Memory: weights 600 MiB + 2 workers × (buffers 300 MiB + 8 photos × 50 MiB) = 2.0 GiB of 2.0 GiB; no room to load the next worker ahead"
	if p.Sum != want || p.Cores != 8 || p.Own != 1448*M || p.Photo != 394*M {
		t.Errorf("%+v", p)
	}
}

func TestThrottle(t *testing.T) {
	g := throttle{maxTemp: 80}
	now := time.Unix(1000, 0)
	for i, step := range []struct {
		after     time.Duration
		used, hot float64
		closed    string
		warning   string
	}{
		{0, 50, 60, "", ""},
		{time.Second, 87.3, 60, "memory", "Memory usage high (87.3%), waiting for memory to free up..."},
		{time.Second, 90, 60, "memory", ""},
		{time.Minute, 91, 60, "memory", "Memory usage high (91.0%), waiting for memory to free up..."},
		{time.Second, 84, 60, "memory", ""},
		{time.Second, 82, 60, "", ""},
		{time.Second, 84, 80, "heat", "Temperature high (80 °C), waiting until it is below 75 °C..."},
		{time.Second, 84, 76, "heat", ""},
		{time.Second, 84, 75, "", ""},
	} {
		now = now.Add(step.after)
		warning := g.sample(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: step.used}, hasHeat: true, celsius: step.hot}, now)
		if why, _ := g.closed(); why != step.closed || warning != step.warning {
			t.Errorf("step %d: closed %q, warning %q", i, why, warning)
		}
	}
}

// A worker that had to go because memory was short finds room before the gate
// opens, or it would only be loaded and go again; but that is not waited for for ever.
func TestThrottleWaitsForWorkerMemory(t *testing.T) {
	const G = 1 << 30
	g := throttle{needed: 2 * G}
	now := time.Unix(1000, 0)
	for i, step := range []struct {
		after     time.Duration
		used      float64
		available uint64
		closed    bool
	}{
		{0, 90, G, true}, {time.Second, 80, G, true}, {time.Second, 78, 3 * G, false}, {time.Second, 80, G, false},
		{time.Second, 90, G, true}, {time.Second, 82, G, false},
	} {
		now = now.Add(step.after)
		g.sample(sample{hasSys: true, system: machine.SystemMemory{Available: step.available, UsedPercent: step.used}}, now)
		if _, closed := g.closed(); closed != step.closed {
			t.Errorf("step %d: closed %v at %.0f%%", i, closed, step.used)
		}
	}
	g = throttle{needed: 1 << 60}
	g.sample(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: 90}}, now)
	g.sample(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: 10}}, now.Add(maxWaitForMemory-1))
	if !g.memory {
		t.Error("it has not waited")
	}
	g.sample(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: 10}}, now.Add(maxWaitForMemory))
	if g.memory {
		t.Error("it waits for ever")
	}
}

// A sensor that goes away while it is hot does not hold the run for ever.
func TestThrottleWithoutSensor(t *testing.T) {
	g := throttle{maxTemp: 80}
	now := time.Unix(1000, 0)
	g.sample(sample{celsius: 81, hasHeat: true}, now)
	closed := 0
	for range 10 * maxWithoutSensor {
		if g.sample(sample{}, now); g.heat {
			closed++
		}
	}
	if closed != maxWithoutSensor {
		t.Errorf("closed for %d samples without a temperature, want %d", closed, maxWithoutSensor)
	}
}

func TestWithoutMapped(t *testing.T) {
	for _, test := range []struct{ says, want uint64 }{{1000, 400}, {600, 0}, {100, 0}} {
		n, err := withoutMapped(600, func(int) (uint64, error) { return test.says, nil })(1)
		if n != test.want || err != nil {
			t.Errorf("%d of which 600 mapped: %d, %v", test.says, n, err)
		}
	}
}

func TestPausesWhileMemoryIsShort(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 200)
	looks := 0
	cfg := Config{InFlight: 2, Command: fakeCommand("", delayEnv+"=2ms")}
	cfg.Samplers.System = func() (machine.SystemMemory, error) {
		looks++
		used := 40.0
		if looks >= 3 && looks < 8 {
			used = 87.3
		}
		return machine.SystemMemory{Total: 1 << 30, Available: 1 << 29, UsedPercent: used}, nil
	}
	r := newRig(t, cfg)
	paused := false
	r.onEvent = func(e Event) {
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
	if r.stats.Paused < 50*time.Millisecond {
		t.Errorf("paused only %v", r.stats.Paused)
	}
}

// A worker that leaks 10 MiB a photo, with 100 MiB to begin with, under a budget
// of 600 MiB: never more than one photo above it, and all is done.
func TestLeak(t *testing.T) {
	t.Parallel()
	for _, inFlight := range []int{1, 8} {
		t.Run(fmt.Sprint(inFlight), func(t *testing.T) {
			t.Parallel()
			const budget, photo = 600 << 20, 10 << 20
			jobs := paths("good", 300)
			r := newRig(t, Config{InFlight: inFlight, Memory: budget, Command: fakeCommand("leak"),
				Samplers: Samplers{Worker: func(int) (uint64, error) { return 0, nil }}}).run(jobs).noError(jobs)
			if r.stats.PeakWorker > budget+photo {
				t.Errorf("peak %s", bytesText(r.stats.PeakWorker))
			}
			// 50 photos fit between 100 and 600 MiB.
			if r.stats.Workers < 6 || r.stats.Workers > 7 || len(r.stats.Deaths) != 0 || r.stats.Batches != 1 {
				t.Errorf("%+v; log:\n%s", r.stats, r.log())
			}
			t.Logf("peak %s, %d workers", bytesText(r.stats.PeakWorker), r.stats.Workers)
		})
	}
}

// A worker that alone is over the budget still gets its photos done.
func TestBudgetBelowTheModel(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 5)
	r := newRig(t, Config{InFlight: 4, Memory: 50 << 20, Command: fakeCommand("leak"),
		Samplers: Samplers{Worker: func(int) (uint64, error) { return 0, nil }}}).run(jobs).noError(jobs)
	if r.stats.Workers != 5 || len(r.stats.Deaths) != 0 {
		t.Errorf("%+v", r.stats)
	}
}

// A worker that is far over its share between two answers is killed; the photo
// that did it is found, its neighbours go on.
func TestFarOverTheBudget(t *testing.T) {
	t.Parallel()
	jobs := mixed(30, "hang")
	cfg := Config{InFlight: 4, Memory: 1 << 40, Command: fakeCommand("", delayEnv+"=1ms")}
	hanging := make(chan struct{}, 100)
	eating := false
	cfg.Samplers.Worker = func(int) (uint64, error) {
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
	r := newRig(t, cfg)
	r.onEvent = func(e Event) {
		out := e.Kind == EventPhotoOut || e.Kind == EventPhotoBack
		if out && e.Path == "hang" {
			hanging <- struct{}{}
		}
	}
	// Answers and heartbeats carry the real memory; only the samples lie.
	r.run(jobs).noError(jobs)
	if got := r.failed(); len(got) != 1 || got[0] != "hang memory" {
		t.Errorf("failed: %v; log:\n%s", got, r.log())
	}
	if r.stats.Deaths[DeathMemory] < 3 {
		t.Errorf("deaths: %v", r.stats.Deaths)
	}
}

func TestHeat(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 100)
	looks := 0
	cfg := Config{MaxTemp: 90, Command: fakeCommand("", delayEnv+"=2ms")}
	cfg.Samplers.Heat = func() (float64, bool) {
		looks++
		return map[bool]float64{true: 95, false: 70}[looks == 2 || looks == 3], true
	}
	r := newRig(t, cfg).run(jobs).noError(jobs)
	if r.count(EventPause) != 1 || !strings.Contains(r.log(), "Temperature high (95 °C), waiting until it is below 85 °C...") {
		t.Errorf("log:\n%s", r.log())
	}
}
