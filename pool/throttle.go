package pool

import (
	"fmt"
	"time"
)

// Thresholds of the system's memory, in percent used. The gap keeps the run
// from stopping and starting at every breath.
const (
	memoryHigh = 85.0
	memoryLow  = 83.0
	heatGap    = 5.0 // °C below the limit at which work resumes
	// maxWaitForMemory is how long room is waited for that another worker needs.
	maxWaitForMemory = 5 * time.Minute
	maxWithoutSensor = 60 // samples without a temperature before heat is no reason any more
)

// throttle decides whether the machine can bear another photo. It is told each
// sample and keeps nothing but the last decision.
type throttle struct {
	maxTemp float64 // 0 is no limit

	memory        bool   // closed for memory
	needed        uint64 // a worker that had to go for it, and must have room before it opens
	heat          bool   // closed for heat
	withoutSensor int    // samples without a temperature since
	unavailable   bool   // closed until the photos can be reached, see reach.go
	since         time.Time
	warnedAt      time.Time
}

// closed says whether no photo may be handed out, and why.
func (g *throttle) closed() (string, bool) {
	switch {
	case g.unavailable:
		return pauseFolder, true
	case g.memory:
		return pauseMemory, true
	case g.heat:
		return pauseHeat, true
	}
	return "", false
}

// sample takes a sample and returns the warning to print now, if any. It warns
// when it closes and once a minute while it stays closed.
func (g *throttle) sample(s sample, now time.Time) (warning string) {
	was := g.memory || g.heat
	if s.hasSys {
		// Room for a worker is waited for, but not for ever: it may never come.
		noRoom := s.system.Available < g.needed && now.Sub(g.since) < maxWaitForMemory
		g.memory = s.system.UsedPercent >= memoryHigh || g.memory && (s.system.UsedPercent >= memoryLow || noRoom)
		if !g.memory {
			g.needed = 0
		}
	}
	if g.withoutSensor++; s.hasHeat {
		g.withoutSensor = 0
	}
	switch {
	case g.heat && g.withoutSensor > maxWithoutSensor:
		g.heat = false // the sensor is gone; waiting for it would be for ever
	case g.maxTemp > 0 && s.hasHeat:
		g.heat = s.celsius >= g.maxTemp || g.heat && s.celsius > g.maxTemp-heatGap
	}
	if !g.memory && !g.heat {
		return ""
	}
	if !was {
		g.since = now
	} else if now.Sub(g.warnedAt) < time.Minute {
		return ""
	}
	g.warnedAt = now
	if g.memory {
		return fmt.Sprintf("Memory usage high (%.1f%%), waiting for memory to free up...", s.system.UsedPercent)
	}
	if !s.hasHeat {
		return "The temperature cannot be read any more, waiting for it..."
	}
	return fmt.Sprintf("Temperature high (%.0f °C), waiting until it is below %.0f °C...", s.celsius, g.maxTemp-heatGap)
}
