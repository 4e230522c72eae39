package config

import "testing"

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
