package pool

import "testing"

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
