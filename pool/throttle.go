package pool

import (
	"fmt"
	"time"
)

// Thresholds of the machine's state. Work resumes below a lower threshold than
// the one at which it pauses, so that the run does not stop and start all the time.
const (
	memoryHigh = 85.0 // percent of the system's memory in use
	memoryLow  = 83.0
	heatGap    = 5.0 // °C below the limit
	// maxWaitForMemory is how long the throttle waits for the memory that another
	// worker needs. It may never become free.
	maxWaitForMemory = 5 * time.Minute
	// maxWithoutSensor is the number of samples without a temperature after which
	// heat no longer holds photos back.
	maxWithoutSensor = 60
	// warnInterval is the time between two warnings about the same pause.
	warnInterval = time.Minute
	// idlePressureTimeout is how long an idle worker is kept while memory is short.
	idlePressureTimeout = 10 * time.Second
	// idleBatteryTimeout is how long an idle worker is kept while the machine is on battery.
	idleBatteryTimeout = time.Minute
)

// Reasons of a pause.
const (
	pauseMemory   = "memory"
	pauseHeat     = "heat"
	pauseBattery  = "battery"
	pauseFolder   = "folder"
	pauseCooldown = "cooldown"
)

// holds is a set of conditions under which no photo is handed out.
type holds uint8

const (
	holdMemory holds = 1 << iota
	holdHeat
	holdBattery
	holdStorage
)

// pauseListener is told when a pause begins and ends.
type pauseListener interface {
	paused(reason string)
	resumed(reason string, took time.Duration)
}

// throttle decides whether the state of the machine and of the photos' storage
// lets another photo be handed out, and keeps account of the pauses.
type throttle struct {
	maxTemp  float64 // °C; 0 is no limit
	listener pauseListener

	holds         holds
	since         time.Time // when memory or heat began to hold photos back
	unpluggedAt   time.Time // when the battery did
	warnedAt      time.Time
	needed        uint64 // bytes that must be available before memory holds no longer
	withoutSensor int    // samples since the last one with a temperature

	pauses map[string]time.Time // announced, by reason: since when
}

func newThrottle(maxTemp float64, l pauseListener) *throttle {
	return &throttle{maxTemp: maxTemp, listener: l, pauses: map[string]time.Time{}}
}

// closed is why no photo may be handed out, "" if one may.
func (t *throttle) closed() string {
	switch {
	case t.holds&holdStorage != 0:
		return pauseFolder
	case t.holds&holdMemory != 0:
		return pauseMemory
	case t.holds&holdBattery != 0:
		return pauseBattery
	case t.holds&holdHeat != 0:
		return pauseHeat
	}
	return ""
}

// set adds h to the conditions or removes it.
func (t *throttle) set(h holds, on bool) {
	if on {
		t.holds |= h
	} else {
		t.holds &^= h
	}
}

// sampled acts on a sample of the machine. It returns a warning to log, "" if
// there is none: when photos begin to be held back, and every minute after that.
func (t *throttle) sampled(s sample, now time.Time) (warning string) {
	was := t.holds & (holdMemory | holdHeat)
	t.sampleMemory(s, now)
	t.sampleHeat(s)
	unplugged := s.onBattery && t.holds&holdBattery == 0
	t.set(holdBattery, s.onBattery)
	defer t.announce(now)
	if unplugged {
		t.unpluggedAt = now
		return "The machine runs on its battery, waiting for mains power..."
	}
	if t.holds&(holdMemory|holdHeat) == 0 {
		return ""
	}
	if was == 0 {
		t.since = now
	} else if now.Sub(t.warnedAt) < warnInterval {
		return ""
	}
	t.warnedAt = now
	if t.holds&holdMemory != 0 {
		return fmt.Sprintf("Memory usage high (%.1f%%), waiting for memory to free up...", s.system.UsedPercent)
	}
	if !s.hasHeat {
		return "The temperature cannot be read any more, waiting for it..."
	}
	return fmt.Sprintf("Temperature high (%.0f °C), waiting until it is below %.0f °C...", s.celsius, t.maxTemp-heatGap)
}

func (t *throttle) sampleMemory(s sample, now time.Time) {
	if !s.hasSys {
		return
	}
	waiting := s.system.Available < t.needed && now.Sub(t.since) < maxWaitForMemory
	held := t.holds&holdMemory != 0
	held = s.system.UsedPercent >= memoryHigh || held && (s.system.UsedPercent >= memoryLow || waiting)
	t.set(holdMemory, held)
	if !held {
		t.needed = 0
	}
}

func (t *throttle) sampleHeat(s sample) {
	if t.withoutSensor++; s.hasHeat {
		t.withoutSensor = 0
	}
	held := t.holds&holdHeat != 0
	switch {
	case held && t.withoutSensor > maxWithoutSensor:
		held = false
	case t.maxTemp > 0 && s.hasHeat:
		held = s.celsius >= t.maxTemp || held && s.celsius > t.maxTemp-heatGap
	}
	t.set(holdHeat, held)
}

// announce begins or ends the pauses for memory, battery and heat. Only the first reason
// that holds photos back is announced.
func (t *throttle) announce(now time.Time) {
	reason := t.closed()
	for _, known := range []string{pauseMemory, pauseBattery, pauseHeat} {
		if known == reason {
			t.pause(known, now)
		} else {
			t.resume(known, now)
		}
	}
}

// storageUnavailable holds photos back until storageAvailable.
func (t *throttle) storageUnavailable(now time.Time) {
	t.set(holdStorage, true)
	t.pause(pauseFolder, now)
}

func (t *throttle) storageAvailable(now time.Time) {
	t.set(holdStorage, false)
	t.resume(pauseFolder, now)
}

// pressed is whether memory has been short for so long that an idle worker
// should give up what it holds.
func (t *throttle) pressed(now time.Time) bool {
	return t.holds&holdMemory != 0 && now.Sub(t.since) > idlePressureTimeout
}

// unplugged is whether the machine has been on battery for so long that an idle worker should leave.
func (t *throttle) unplugged(now time.Time) bool {
	return t.holds&holdBattery != 0 && now.Sub(t.unpluggedAt) > idleBatteryTimeout
}

// waitFor holds photos back until so many bytes are available, if memory holds
// them back already.
func (t *throttle) waitFor(bytes uint64) { t.needed = max(t.needed, bytes) }

// pause begins a pause. It reports false if that reason's pause has begun before.
func (t *throttle) pause(reason string, now time.Time) bool {
	if _, ok := t.pauses[reason]; ok {
		return false
	}
	t.pauses[reason] = now
	t.listener.paused(reason)
	return true
}

// resume ends a pause, if there is one for that reason.
func (t *throttle) resume(reason string, now time.Time) {
	since, ok := t.pauses[reason]
	if !ok {
		return
	}
	delete(t.pauses, reason)
	t.listener.resumed(reason, now.Sub(since))
}

// resumeAll ends all pauses, at the end of the run.
func (t *throttle) resumeAll(now time.Time) {
	for reason := range t.pauses {
		t.resume(reason, now)
	}
}
