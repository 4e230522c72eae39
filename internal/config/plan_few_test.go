package config

import (
	"testing"
	"time"

	"photodesc/internal/worker"
	"photodesc/llm"
)

// TestPlanFew leaves measuring out only for few photos in plenty of memory.
func TestPlanFew(t *testing.T) {
	const GiB = 1 << 30
	for _, c := range []struct {
		memory, files   uint64
		photos, threads int
		want            bool
		slots           int
	}{
		{14 * GiB, 2 * GiB, 1, 0, true, 1},
		{14 * GiB, 2 * GiB, 4, 3, true, 4},
		{14 * GiB, 2 * GiB, 5, 0, false, 0},
		{7 * GiB, 2 * GiB, 1, 0, false, 0},
		{14 * GiB, 0, 1, 0, false, 0}, // the files are not there
	} {
		p, ok := Settings{Memory: c.memory, threads: c.threads}.PlanFew(c.files, c.photos)
		if ok != c.want {
			t.Errorf("%+v: %v", c, ok)
		}
		if ok && (p.Workers != 1 || p.Slots != c.slots || c.threads > 0 && p.Threads != c.threads || !p.Fits || p.Own != c.memory-c.files || p.Photo == 0 || p.Photo > p.Own/4) {
			t.Errorf("%+v: %+v", c, p)
		}
	}
}

// TestPlanLong gives long runs of one tile a photo more slots on a CPU.
func TestPlanLong(t *testing.T) {
	const M = 1 << 20
	for _, c := range []struct {
		name     string
		detail   llm.Detail
		measured worker.Measured
		photos   int
		slots    int
		first    int
	}{
		{"low", llm.DetailLow, worker.Measured{}, 1_000_000, 16, 8},
		{"several tiles", llm.DetailAuto, worker.Measured{}, 1_000_000, 8, 0},
		{"low, but slow", llm.DetailLow, worker.Measured{Photo: 15 * time.Second}, 1_000_000, 6, 0},
		{"few", llm.DetailLow, worker.Measured{}, 16, 8, 0},
		{"a GPU", llm.DetailLow, worker.Measured{GPU: true, Slots: 12}, 1_000_000, 12, 0},
	} {
		c.measured.Weights, c.measured.Worker, c.measured.Slot = 600*M, 300*M, 30*M
		p := Settings{Detail: c.detail, timeout: 5 * time.Minute}.Plan(c.measured, c.photos)
		if p.Slots != c.slots || p.First != c.first {
			t.Errorf("%s: %d slots, %d photos at first, want %d and %d", c.name, p.Slots, p.First, c.slots, c.first)
		}
	}
}
