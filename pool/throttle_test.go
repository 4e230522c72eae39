package pool

import (
	"slices"
	"testing"
	"time"

	"photodesc/internal/machine"
)

func TestThrottle(t *testing.T) {
	g := newThrottle(80, &pauses{})
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
		warning := g.sampled(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: step.used}, hasHeat: true, celsius: step.hot}, now)
		if why := g.closed(); why != step.closed || warning != step.warning {
			t.Errorf("step %d: closed %q, warning %q", i, why, warning)
		}
	}
}

// A worker that had to go because memory was short finds room before the gate
// opens, or it would only be loaded and go again; but that is not waited for for ever.
func TestThrottleWaitsForWorkerMemory(t *testing.T) {
	const G = 1 << 30
	g := newThrottle(0, &pauses{})
	g.waitFor(2 * G)
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
		g.sampled(sample{hasSys: true, system: machine.SystemMemory{Available: step.available, UsedPercent: step.used}}, now)
		if closed := g.closed() != ""; closed != step.closed {
			t.Errorf("step %d: closed %v at %.0f%%", i, closed, step.used)
		}
	}
	g = newThrottle(0, &pauses{})
	g.waitFor(1 << 60)
	g.sampled(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: 90}}, now)
	g.sampled(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: 10}}, now.Add(maxWaitForMemory-1))
	if g.closed() == "" {
		t.Error("it has not waited")
	}
	g.sampled(sample{hasSys: true, system: machine.SystemMemory{UsedPercent: 10}}, now.Add(maxWaitForMemory))
	if g.closed() != "" {
		t.Error("it waits for ever")
	}
}

// A sensor that goes away while it is hot does not hold the run for ever.
func TestThrottleWithoutSensor(t *testing.T) {
	g := newThrottle(80, &pauses{})
	now := time.Unix(1000, 0)
	g.sampled(sample{celsius: 81, hasHeat: true}, now)
	closed := 0
	for range 10 * maxWithoutSensor {
		if g.sampled(sample{}, now); g.closed() == pauseHeat {
			closed++
		}
	}
	if closed != maxWithoutSensor {
		t.Errorf("closed for %d samples without a temperature, want %d", closed, maxWithoutSensor)
	}
}

// pauses is a pauseListener that writes down what it is told.
type pauses struct{ told []string }

func (p *pauses) paused(reason string) { p.told = append(p.told, "+"+reason) }
func (p *pauses) resumed(reason string, took time.Duration) {
	p.told = append(p.told, "-"+reason+" "+took.String())
}

// Each reason's pause is announced once. Of several reasons only the first holds
// photos back in the announcements, and a pause for storage hides the others.
func TestThrottleAnnouncements(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	machineAt := func(used, celsius float64) sample {
		return sample{hasSys: true, system: machine.SystemMemory{UsedPercent: used}, hasHeat: true, celsius: celsius}
	}
	for _, test := range []struct {
		name string
		do   func(*throttle)
		want []string
	}{
		{"memory, twice", func(g *throttle) {
			g.sampled(machineAt(90, 0), at(0))
			g.sampled(machineAt(90, 0), at(1))
			g.sampled(machineAt(50, 0), at(5))
		}, []string{"+memory", "-memory 5s"}},
		{"memory, then heat", func(g *throttle) {
			g.sampled(machineAt(90, 90), at(0))
			g.sampled(machineAt(50, 90), at(2))
			g.sampled(machineAt(50, 50), at(5))
		}, []string{"+memory", "-memory 2s", "+heat", "-heat 3s"}},
		{"storage hides memory", func(g *throttle) {
			g.sampled(machineAt(90, 0), at(0))
			g.storageUnavailable(at(1))
			g.sampled(machineAt(90, 0), at(2))
			g.storageAvailable(at(3))
			g.sampled(machineAt(90, 0), at(4))
		}, []string{"+memory", "+folder", "-memory 2s", "-folder 2s", "+memory"}},
		{"cooldown of two lanes", func(g *throttle) {
			g.pause(pauseCooldown, at(0))
			g.pause(pauseCooldown, at(1))
			g.resume(pauseCooldown, at(3))
			g.resume(pauseCooldown, at(4))
		}, []string{"+cooldown", "-cooldown 3s"}},
		{"end of the run", func(g *throttle) {
			g.storageUnavailable(at(0))
			g.resumeAll(at(7))
			g.resumeAll(at(8))
		}, []string{"+folder", "-folder 7s"}},
	} {
		p := &pauses{}
		test.do(newThrottle(80, p))
		if !slices.Equal(p.told, test.want) {
			t.Errorf("%s: told %q, want %q", test.name, p.told, test.want)
		}
	}
}

// An idle worker gives up its memory only after the system was short of it for a
// while, and a hot machine is no reason.
func TestThrottlePressed(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, test := range []struct {
		name string
		s    sample
		want bool
	}{
		{"memory", sample{hasSys: true, system: machine.SystemMemory{UsedPercent: 90}}, true},
		{"heat", sample{hasHeat: true, celsius: 99}, false},
		{"nothing", sample{hasSys: true}, false},
	} {
		g := newThrottle(80, &pauses{})
		g.sampled(test.s, start)
		if g.pressed(start.Add(idlePressureTimeout)) || g.pressed(start.Add(idlePressureTimeout+1)) != test.want {
			t.Errorf("%s: pressed %v", test.name, !test.want)
		}
	}
}

// On battery nothing is handed out and idle workers leave after a while. It is said once, however long it lasts.
func TestThrottleOnBattery(t *testing.T) {
	p := &pauses{}
	g := newThrottle(0, p)
	now := time.Unix(1000, 0)
	said := 0
	for range 3 * 60 {
		if g.sampled(sample{onBattery: true}, now) != "" {
			said++
		}
		if want := now.Sub(time.Unix(1000, 0)) > idleBatteryTimeout; g.closed() != pauseBattery || g.unplugged(now) != want {
			t.Fatalf("after %v: closed %q, unplugged %v", now.Sub(time.Unix(1000, 0)), g.closed(), g.unplugged(now))
		}
		now = now.Add(time.Second)
	}
	if said != 1 {
		t.Errorf("said %d times", said)
	}
	if g.sampled(sample{}, now); g.closed() != "" || g.unplugged(now) {
		t.Errorf("plugged in: closed %q", g.closed())
	}
}
