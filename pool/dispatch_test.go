package pool

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// table is a dispatcher and a prestarter with workers on paper.
type table struct {
	dispatcher
	prestart prestarter
}

func newTable(lanes, inFlight int) *table {
	t := &table{dispatcher: dispatcher{workers: newWorkerSet(lanes), photos: &quarantine{}, budget: newMemoryBudget(0, lanes),
		concurrency: &concurrency{limit: inFlight, max: inFlight}}}
	t.prestart = prestarter{enabled: true, workers: t.workers, photos: t.photos, budget: t.budget, loads: &loadTimes{}}
	return t
}

// worker puts a worker on a lane. It is described by its state, the photos in
// flight ("+", or "!" for one that is alone) and the photos left in its batch.
func (t *table) worker(lane int, state workerState, flight string, remaining int) *worker {
	l := t.workers.lanes[lane]
	w := t.workers.add(l, &batch{n: 1, remaining: remaining}, &t.budget.expected, time.Time{})
	w.state = state
	for i, c := range flight {
		a := &attempt{id: uint64(i), photo: &photo{}}
		if c == '!' {
			a.isolation = isolatedInWorker
		}
		w.attempts[a.id] = a
	}
	return w
}

// Who is given what next: "worker photo", with "alone" or "alone in the pool".
func TestDispatch(t *testing.T) {
	for _, test := range []struct {
		name  string
		setUp func(*table)
		want  string
	}{
		{"the least busy worker", func(tb *table) {
			tb.worker(0, ready, "++", 9)
			tb.worker(1, ready, "+", 9)
			tb.photos.add(&photo{path: "a"})
		}, "2 a"},
		{"none that is full, loads, leaves or has done its batch", func(tb *table) {
			tb.worker(0, ready, "+++", 9)
			tb.worker(1, starting, "", 9)
			tb.worker(2, leaving, "", 9)
			tb.worker(3, ready, "", 0)
			tb.photos.add(&photo{path: "a"})
		}, "none"},
		{"none whose photo must be alone", func(tb *table) {
			tb.worker(0, ready, "!", 9)
			tb.photos.add(&photo{path: "a"})
		}, "none"},
		{"a quarantined photo first", func(tb *table) {
			tb.worker(0, ready, "", 9)
			tb.photos.add(&photo{path: "a"})
			tb.photos.isolate(&photo{path: "q"})
		}, "1 q alone"},
		{"a busy worker is kept for it", func(tb *table) {
			tb.worker(0, ready, "+", 9)
			tb.photos.add(&photo{path: "a"})
			tb.photos.isolate(&photo{path: "q"})
		}, "none"},
		{"but only the least busy one", func(tb *table) {
			tb.worker(0, ready, "++", 9)
			tb.worker(1, ready, "+", 9)
			tb.photos.add(&photo{path: "a"})
			tb.photos.isolate(&photo{path: "q"})
		}, "1 a"},
		{"and none while another loads", func(tb *table) {
			tb.worker(0, ready, "+", 9)
			tb.worker(1, starting, "", 9)
			tb.photos.add(&photo{path: "a"})
			tb.photos.isolate(&photo{path: "q"})
		}, "1 a"},
		{"a photo that needs the pool waits for all", func(tb *table) {
			tb.worker(0, ready, "", 9)
			tb.worker(1, ready, "+", 9)
			tb.photos.add(&photo{path: "a"})
			tb.photos.isolate(&photo{path: "q", isolateInPool: true})
		}, "none"},
		{"and has it", func(tb *table) {
			tb.worker(0, ready, "", 9)
			tb.worker(1, ready, "", 9)
			tb.photos.isolate(&photo{path: "q", isolateInPool: true})
		}, "1 q alone in the pool"},
		{"nothing beside it", func(tb *table) {
			tb.worker(0, ready, "!", 9).attempts[0].isolation = isolatedInPool
			tb.worker(1, ready, "", 9)
			tb.photos.add(&photo{path: "a"})
		}, "none"},
		{"a prestarted worker waits for the batch before its own", func(tb *table) {
			tb.worker(0, ready, "+", 1)
			tb.worker(0, ready, "", 9)
			tb.photos.add(&photo{path: "a"})
		}, "1 a"},
		{"and begins when that has been handed out", func(tb *table) {
			tb.worker(0, ready, "+", 0)
			tb.worker(0, ready, "", 9)
			tb.photos.add(&photo{path: "a"})
		}, "2 a"},
		{"a worker that has outgrown its share", func(tb *table) {
			tb.budget.share = 100
			w := tb.worker(0, ready, "", 9)
			w.answered, w.mem.current = 1, 101
			tb.photos.add(&photo{path: "a"})
		}, "none"},
		{"but its first photo is always done", func(tb *table) {
			tb.budget.share = 100
			tb.worker(0, ready, "", 9).mem.current = 101
			tb.photos.add(&photo{path: "a"})
		}, "1 a"},
		{"the last one goes to the idle worker, not to one that is overdue", func(tb *table) {
			w := tb.worker(0, ready, "+", 9)
			tb.worker(1, ready, "", 9)
			w.lane.progress = laneProgress{answered: 10, busy: 10 * time.Second, since: time.Time{}.Add(-1500 * time.Millisecond)}
			tb.photos.add(&photo{path: "a"})
			tb.allRead = true
		}, "2 a"},
	} {
		tb := newTable(4, 3)
		test.setUp(tb)
		got := "none"
		if w, p, isolation := tb.next(0, time.Time{}); w != nil {
			got = strings.TrimSpace(fmt.Sprintf("%d %s %s", w.n, p.path, []string{"", "alone", "alone in the pool"}[isolation]))
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// A worker is wanted for photos that those at work or on their way cannot take.
func TestNeedsWorker(t *testing.T) {
	for _, test := range []struct {
		photos int
		flight string
		state  workerState
		left   int
		want   bool
	}{
		{0, "", ready, 9, false}, {3, "", ready, 9, false}, {4, "", ready, 9, true}, {3, "+", ready, 9, true},
		{3, "", ready, 2, true}, {3, "", starting, 9, false}, {1, "", leaving, 9, true}, {1, "", dying, 9, true},
	} {
		tb := newTable(2, 3)
		tb.worker(0, test.state, test.flight, test.left)
		for range test.photos {
			tb.photos.add(&photo{path: "a"})
		}
		if got := tb.needsWorker(); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// The next worker is loaded when the current batch will be handed out in about the
// time that loading takes.
func TestPrestartNeeded(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, test := range []struct {
		name  string
		setUp func(*table, *worker)
		want  time.Duration // after start; negative is never
	}{
		// Ten photos in 10 s, 20 to come: at 30 s; less three times the 4 s of a load.
		{"in time", func(*table, *worker) {}, 18 * time.Second},
		{"at once when the batch is done", func(_ *table, w *worker) {
			w.state, w.end.reason, w.times.leave = leaving, ReasonBatch, start.Add(time.Second)
		}, time.Second},
		{"not for a worker that leaves for another reason", func(_ *table, w *worker) { w.state, w.end.reason = leaving, ReasonMemory }, -1},
		{"not while nothing is answered", func(_ *table, w *worker) { w.answered = 0 }, -1},
		{"not if the batch has room for all", func(tb *table, _ *worker) { tb.photos.fresh = tb.photos.fresh[:20] }, -1},
		{"not when workers have outgrown their share", func(tb *table, _ *worker) { tb.budget.outgrown = true }, -1},
		{"not without memory for two", func(tb *table, w *worker) { tb.budget.total, w.mem.loaded = 100, 60 }, -1},
		{"not twice", func(tb *table, _ *worker) { tb.worker(0, starting, "", 9) }, -1},
		{"not if it is turned off", func(tb *table, _ *worker) { tb.prestart.enabled = false }, -1},
	} {
		tb := newTable(1, 3)
		w := tb.worker(0, ready, "++", 20)
		w.answered, w.times.firstAttempt, w.times.answer = 10, start, start.Add(10*time.Second)
		tb.prestart.loads.add(4 * time.Second)
		for range 30 {
			tb.photos.add(&photo{path: "a"})
		}
		test.setUp(tb, w)
		needed := func(deaths int, after time.Duration) bool {
			return tb.prestart.needed(tb.workers.lanes[0], deaths, 3, sample{}, start.Add(after))
		}
		if test.want < 0 {
			if needed(0, time.Hour) {
				t.Errorf("%s: needed", test.name)
			}
			continue
		}
		if needed(0, test.want-1) || !needed(0, test.want) || needed(1, test.want) {
			t.Errorf("%s: %v a moment before %v, %v then, %v after a death", test.name, needed(0, test.want-1), test.want, needed(0, test.want), needed(1, test.want))
		}
	}
}

// Deaths of workers that hang in storage that is unavailable say nothing about the
// model.
func TestDeathsWithoutStorage(t *testing.T) {
	now := time.Unix(1000, 0)
	r := newRun(Config{ProbeStorage: func(string) error { return nil }}.withDefaults())
	die := func() {
		l := r.workers.lanes[0]
		w := r.workers.add(l, newBatch(1, 9, now), &r.budget.expected, now)
		r.workers.remove(w)
		r.handleDeath(w, death{kind: DeathTimeout}, nil, now)
	}
	die()
	die()
	if r.streak.deaths != 2 {
		t.Errorf("%d deaths before", r.streak.deaths)
	}
	r.onProbe(r.storage.markUnavailable("a", "no disk", now), now)
	if r.streak.deaths != 0 {
		t.Errorf("%d deaths when the storage is found to be away", r.streak.deaths)
	}
	die()
	if r.streak.deaths != 0 {
		t.Errorf("%d deaths while it is away", r.streak.deaths)
	}
}
