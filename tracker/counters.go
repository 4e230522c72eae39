package tracker

import "maps"

// Counters are what has happened in all runs of a workdir.
type Counters struct {
	Runs     int            `json:"runs"`
	Batches  int            `json:"batches"`
	Workers  int            `json:"workers"` // started
	Restarts map[string]int `json:"restarts,omitempty"`
	Memory   Gauge          `json:"memory_bytes"` // supervisor and workers together
	CPU      Gauge          `json:"cpu_percent"`
	Machine  Gauge          `json:"machine_memory_percent"` // in use, by all programs
}

// maxReasons bounds the number of reasons for restarts.
const maxReasons = 32

func (c *Counters) restart(reason string) {
	if c.Restarts == nil {
		c.Restarts = map[string]int{}
	}
	if _, known := c.Restarts[reason]; !known && len(c.Restarts) >= maxReasons {
		reason = "other"
	}
	c.Restarts[reason]++
}

func (c Counters) clone() Counters {
	c.Restarts = maps.Clone(c.Restarts)
	return c
}

// rounded rounds bytes to whole ones and percent to a decimal.
func (c Counters) rounded() Counters {
	c.Memory, c.CPU, c.Machine = c.Memory.rounded(0), c.CPU.rounded(1), c.Machine.rounded(1)
	return c
}

// since returns what has happened after an earlier moment. Gauges remain those of all runs.
func (c Counters) since(before Counters) Counters {
	c = c.clone()
	c.Runs -= before.Runs
	c.Batches -= before.Batches
	c.Workers -= before.Workers
	for reason, n := range before.Restarts {
		if c.Restarts[reason] -= n; c.Restarts[reason] <= 0 {
			delete(c.Restarts, reason)
		}
	}
	return c
}

// Gauge summarises the samples of a value that rises and falls.
type Gauge struct {
	Min     float64 `json:"min"`
	Mean    float64 `json:"mean"`
	Max     float64 `json:"max"`
	Last    float64 `json:"last"`
	Samples int     `json:"samples"`
}

func (g *Gauge) sample(v float64) {
	if g.Samples <= 0 {
		*g = Gauge{Min: v, Max: v}
	}
	g.Samples++
	g.Mean += (v - g.Mean) / float64(g.Samples)
	g.Min, g.Max, g.Last = min(g.Min, v), max(g.Max, v), v
}

// rounded rounds to a number of decimals.
func (g Gauge) rounded(decimals int) Gauge {
	for _, v := range []*float64{&g.Min, &g.Mean, &g.Max, &g.Last} {
		*v = round(*v, decimals)
	}
	return g
}

// Sample is what was measured at one moment.
type Sample struct {
	SupervisorBytes uint64  `json:"supervisor_bytes"`
	WorkerBytes     uint64  `json:"worker_bytes"` // of all workers together
	BudgetBytes     uint64  `json:"budget_bytes"`
	CPUPercent      float64 `json:"cpu_percent"`    // of the whole machine
	MemoryPercent   float64 `json:"memory_percent"` // of the machine's, in use by all programs
	Workers         int     `json:"workers"`
	SlotsUsed       int     `json:"slots_used"`
	Slots           int     `json:"slots"`
}

func (s Sample) rounded() Sample {
	s.CPUPercent, s.MemoryPercent = round(s.CPUPercent, 1), round(s.MemoryPercent, 1)
	return s
}
