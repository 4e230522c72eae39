package pool

import "testing"

const mib = 1 << 20

// loadOf is a worker that had loaded MiB at hello and has current now. After its
// warm-up each of its photos has added perPhoto.
func loadOf(loaded, current, perPhoto uint64, inFlight, remaining int) workerLoad {
	m := &memoryProjection{expected: &expectedGrowth{}}
	m.hello(loaded * mib)
	m.reported(loaded*mib, m.reportedAt)
	m.answered(0, 1)
	for range 4 {
		m.current += perPhoto * mib
		m.answered(0, 1)
	}
	m.current = current * mib
	if perPhoto == 0 {
		m.warmBytes = m.current
	} else {
		m.loaded, m.warmBytes = m.current-5*perPhoto*mib, m.current-4*perPhoto*mib
	}
	return workerLoad{memoryProjection: m, inFlight: inFlight, remaining: remaining}
}

func TestMemoryBudgetProjected(t *testing.T) {
	for _, test := range []struct {
		name  string
		loads []workerLoad
		want  uint64 // MiB
	}{
		{"none", nil, 0},
		{"idle", []workerLoad{loadOf(100, 100, 0, 0, 9)}, 100},
		{"leaks with three in flight", []workerLoad{loadOf(100, 150, 10, 3, 0)}, 180},
		{"one that loads becomes as large as the other", []workerLoad{loadOf(100, 100, 0, 0, 9),
			{memoryProjection: &memoryProjection{current: 5 * mib, expected: &expectedGrowth{}}}}, 200},
	} {
		b := newMemoryBudget(1000*mib, 2)
		if got := b.projected(test.loads); got != test.want*mib {
			t.Errorf("%s: %d MiB, want %d", test.name, got/mib, test.want)
		}
	}
}

func TestMemoryBudgetFits(t *testing.T) {
	loads := []workerLoad{loadOf(100, 150, 10, 3, 0)} // 180 MiB to come
	for _, test := range []struct {
		total, growth uint64
		want          bool
	}{{0, 1 << 40, true}, {200, 20, true}, {200, 21, false}, {179, 0, false}} {
		b := newMemoryBudget(test.total*mib, 1)
		if got := b.fits(loads, test.growth*mib); got != test.want {
			t.Errorf("%d MiB more of %d: %v", test.growth, test.total, got)
		}
		if test.growth == 0 && b.exceeded(loads) == test.want {
			t.Errorf("budget of %d MiB: exceeded is %v", test.total, !test.want)
		}
	}
}

// One more worker needs what the largest had after loading, and room for its
// first photos to grow by what photos added so far.
func TestMemoryBudgetFitsWorker(t *testing.T) {
	available := func(n uint64) sample {
		s := sample{hasSys: true}
		s.system.Available = n * mib
		return s
	}
	for _, test := range []struct {
		name  string
		total uint64
		load  workerLoad
		s     sample
		want  bool
	}{
		{"no budget, nothing known of the system", 0, loadOf(100, 100, 0, 0, 9), sample{}, true},
		{"no budget, nothing available", 0, loadOf(100, 100, 0, 0, 9), available(100), false},
		{"no budget, enough available", 0, loadOf(100, 100, 0, 0, 9), available(101), true},
		{"two just fit", 200, loadOf(100, 100, 0, 0, 9), sample{}, true},
		{"two do not fit", 199, loadOf(100, 100, 0, 0, 9), sample{}, false},
		// 150 now, 5 more photos of 10 are 200; the new one needs 100 and 2 of 10.
		{"a leak, fits", 320, loadOf(100, 150, 10, 2, 3), sample{}, true},
		{"a leak, does not fit", 319, loadOf(100, 150, 10, 2, 3), sample{}, false},
	} {
		b := newMemoryBudget(test.total*mib, 1)
		if got := b.fitsWorker([]workerLoad{test.load}, 2, test.s); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestMemoryOverLimit(t *testing.T) {
	for _, test := range []struct {
		share, loaded, current uint64
		want                   bool
	}{{0, 10, 1 << 30, false}, {100, 10, 125, false}, {100, 10, 126, true}, {100, 200, 250, false}, {100, 200, 251, true}} {
		m := memoryProjection{loaded: test.loaded, current: test.current}
		if got := m.overLimit(test.share); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
