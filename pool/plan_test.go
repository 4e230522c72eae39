package pool

import "testing"

func TestMakePlan(t *testing.T) {
	const M, G = 1 << 20, 1 << 30
	// As measured of three shapes, rounded: the built-in model, 500M and 2.2B.
	tiny := Sizes{Weights: 5 * M, Worker: 30 * M, Slot: M, Pixels: 5 * M}
	small := Sizes{Weights: 600 * M, Worker: 300 * M, Slot: 30 * M, Pixels: 20 * M}
	large := Sizes{Weights: 2300 * M, Worker: 600 * M, Slot: 220 * M, Pixels: 20 * M}
	for _, test := range []struct {
		name     string
		s        Sizes
		l        Limits
		workers  int
		threads  int
		inFlight int
		prestart bool
		fits     bool
	}{
		// Workers of one thread, one a core, where memory allows.
		{"one core", small, Limits{CPUs: 1}, 1, 1, 8, true, true},
		{"two cores, no budget", small, Limits{CPUs: 2}, 2, 1, 8, true, true},
		{"four cores, 8 GiB", small, Limits{CPUs: 4, Memory: 8 * G * 6 / 10}, 4, 1, 8, true, true},
		{"eight cores, 8 GiB", small, Limits{CPUs: 8, Memory: 8 * G * 6 / 10}, 7, 1, 6, false, true},
		{"eight cores, 16 GiB", small, Limits{CPUs: 8, Memory: 16 * G * 6 / 10}, 8, 1, 8, true, true},
		{"sixteen cores, no budget", small, Limits{CPUs: 16}, 16, 1, 8, true, true},
		{"sixteen cores, 32 GiB", small, Limits{CPUs: 16, Memory: 32 * G * 6 / 10}, 16, 1, 8, true, true},
		{"64 cores, 256 GiB: what memory can read", small, Limits{CPUs: 64, Memory: 256 * G * 6 / 10}, 54, 1, 8, true, true},
		{"two cores, large model, 16 GiB", large, Limits{CPUs: 2, Memory: 16 * G * 6 / 10}, 2, 1, 8, true, true},
		{"tiny model, 64 cores", tiny, Limits{CPUs: 64, Memory: 16 * G}, 64, 1, 8, true, true},

		// Fewer workers of more threads where memory has no room for more.
		{"sixteen cores, 3 GiB", small, Limits{CPUs: 16, Memory: 3 * G}, 4, 4, 6, false, true},
		{"sixteen cores, 2 GiB", small, Limits{CPUs: 16, Memory: 2 * G}, 2, 8, 8, false, true},
		{"eight cores, large model, 8 GiB", large, Limits{CPUs: 8, Memory: 8 * G * 6 / 10}, 1, 8, 8, false, true},
		{"four cores, large model, 6 GiB", large, Limits{CPUs: 4, Memory: 6 * G * 6 / 10}, 1, 4, 3, false, true},
		{"tiny model, room for one worker: threads would only wait", tiny, Limits{CPUs: 2, Memory: 60 * M}, 1, 1, 4, false, true},
		{"600 MiB is too little", small, Limits{CPUs: 16, Memory: 600 * M}, 1, 1, 1, false, false},
		{"one photo just fits", small, Limits{CPUs: 2, Memory: 950 * M}, 1, 2, 1, false, true},

		// A next worker's buffers and KV cache.
		{"room for a next worker", small, Limits{CPUs: 2, Memory: 1840 * M, Workers: 1}, 1, 2, 8, true, true},
		{"not for its KV cache", small, Limits{CPUs: 2, Memory: 1839 * M, Workers: 1}, 1, 2, 8, false, true},

		// Few photos are not worth many workers.
		{"three photos", small, Limits{CPUs: 2, Photos: 3}, 1, 2, 8, true, true},
		{"five photos", small, Limits{CPUs: 2, Photos: 5}, 2, 1, 8, true, true},
		{"twenty photos, sixteen cores", small, Limits{CPUs: 16, Photos: 20}, 5, 3, 8, true, true},
		{"three photos, tiny model", tiny, Limits{CPUs: 2, Photos: 3}, 1, 1, 8, true, true},

		// What is asked for is kept.
		{"workers and photos", small, Limits{CPUs: 2, Workers: 3, Slots: 2}, 3, 1, 2, true, true},
		{"workers, but too many", small, Limits{CPUs: 2, Workers: 3, Slots: 2, Memory: 1400 * M}, 2, 1, 2, false, true},
		{"workers, for few photos", small, Limits{CPUs: 4, Workers: 2, Photos: 2}, 2, 2, 8, true, true},
		{"threads", small, Limits{CPUs: 8, Threads: 2}, 4, 2, 8, true, true},
		{"more threads than cores", small, Limits{CPUs: 2, Threads: 4}, 1, 4, 8, true, true},
		{"both", small, Limits{CPUs: 2, Workers: 2, Threads: 2}, 2, 2, 8, true, true},

		// More of them in a long run, where memory has room.
		{"a long run", small, Limits{CPUs: 2, MoreSlots: 16, Photos: 128}, 2, 1, 16, true, true},
		{"not so long", small, Limits{CPUs: 2, MoreSlots: 16, Photos: 127}, 2, 1, 8, true, true},
		{"not so long for four", small, Limits{CPUs: 4, MoreSlots: 16, Photos: 255}, 4, 1, 8, true, true},
		{"a run of unknown length", small, Limits{CPUs: 2, MoreSlots: 16}, 2, 1, 8, true, true},
		{"a long run, slots asked for", small, Limits{CPUs: 2, MoreSlots: 16, Photos: 1000, Slots: 4}, 2, 1, 4, true, true},
		// 600 + 2 × (300 + 16 × 50) + 300 + 16 × 30
		{"memory for twice the slots and the next worker", small, Limits{CPUs: 2, MoreSlots: 16, Photos: 1000, Memory: 3580 * M}, 2, 1, 16, true, true},
		{"memory for the next worker alone", small, Limits{CPUs: 2, MoreSlots: 16, Photos: 1000, Memory: 3579 * M}, 2, 1, 8, true, true},
		{"memory for twice the slots alone", small, Limits{CPUs: 2, MoreSlots: 16, Photos: 1000, Memory: 2800 * M}, 2, 1, 8, true, true},

		// A GPU is filled by one worker, whose threads have all cores.
		{"GPU", small, Limits{CPUs: 16, GPU: true, MaxSlots: 32}, 1, 16, 32, true, true},
		{"GPU, workers asked for", small, Limits{CPUs: 16, GPU: true, Workers: 2}, 2, 8, 8, true, true},

		// What was measured comes before the estimate, if it fits.
		{"measured", small, Limits{CPUs: 16, Measured: Shape{8, 2}}, 8, 2, 8, true, true},
		{"measured, no memory", small, Limits{CPUs: 16, Memory: 1 * G, Measured: Shape{8, 2}}, 1, 16, 2, false, true},
		{"measured, workers asked for", small, Limits{CPUs: 16, Workers: 2, Measured: Shape{8, 2}}, 2, 8, 8, true, true},
		{"measured, few photos", small, Limits{CPUs: 16, Photos: 3, Measured: Shape{8, 2}}, 1, 13, 8, true, true},

		{"nothing known", Sizes{}, Limits{Memory: G}, 1, 1, 8, true, true},
	} {
		p := MakePlan(test.s, test.l)
		if p.Workers != test.workers || p.Threads != test.threads || p.Slots != test.inFlight || p.Prestart != test.prestart || p.Fits != test.fits {
			t.Errorf("%s: %d × %d, %d photos, prestart %v, fits %v\n  %s", test.name, p.Workers, p.Threads, p.Slots, p.Prestart, p.Fits, p.Sum)
		}
		if p.Photo < test.s.Pixels && test.l.Memory > 0 {
			t.Errorf("%s: an ordinary photo of %d bytes is too large for %d", test.name, test.s.Pixels, p.Photo)
		}
		if want := map[bool]int{true: 8}[p.Slots == 16]; p.First != want {
			t.Errorf("%s: %d photos in flight at first, want %d", test.name, p.First, want)
		}
		if p.Fits && test.l.Memory > 0 && test.s.Weights+p.total(test.s) > test.l.Memory {
			t.Errorf("%s: over the budget: %s", test.name, p.Sum)
		}
		if test.l.Workers == 0 && test.l.Threads == 0 && p.Workers*p.Threads > max(test.l.CPUs, 1) {
			t.Errorf("%s: more threads than cores", test.name)
		}
	}
	p := MakePlan(small, Limits{CPUs: 16, Memory: 2 * G, Workers: 2})
	const want = "Memory: weights 600 MiB + 2 workers × (buffers 300 MiB + 8 photos × 50 MiB) = 2.0 GiB of 2.0 GiB; no room to load the next worker ahead"
	if p.Sum != want || p.Threads != 8 || p.Own != 1448*M || p.Photo != 394*M {
		t.Errorf("%+v", p)
	}
}
