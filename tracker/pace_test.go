package tracker

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func isFinite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// machine is a steady machine as the tracker sees it, with a clock of its own.
type machine struct {
	slots int
	took  func(n int) time.Duration // of the photo that begins as number n
	live  *Live
	now   time.Time
	queue []photoAtWork // in flight, the first of them in slots
	begun int
}

type photoAtWork struct{ handedOut, ends time.Time }

// handOut gives a photo to the workers. It waits there until a slot is free.
func (m *machine) handOut() {
	m.queue = append(m.queue, photoAtWork{handedOut: m.now})
	m.begin()
}

func (m *machine) begin() {
	for i := range m.queue[:min(len(m.queue), m.slots)] {
		if p := &m.queue[i]; p.ends.IsZero() {
			p.ends = m.now.Add(m.took(m.begun))
			m.begun++
		}
	}
	ages := 0.0
	for _, p := range m.queue {
		ages += m.now.Sub(p.handedOut).Seconds()
	}
	m.live.SetInFlight(len(m.queue), ages)
}

// next is the photo that will be answered next.
func (m *machine) next() (index int) {
	for i, p := range m.queue[:min(len(m.queue), m.slots)] {
		if p.ends.Before(m.queue[index].ends) {
			index = i
		}
	}
	return index
}

// finish moves the clock to the next answer.
func (m *machine) finish() {
	i := m.next()
	p := m.queue[i]
	m.now = p.ends
	m.queue = slices.Delete(m.queue, i, i+1)
	m.begin()
	m.live.Answered(m.now.Sub(p.handedOut).Seconds())
}

// TestEstimates compares the time left with the truth, from the twentieth photo on,
// after each photo and between photos. Where more than 20 are in flight the estimate
// begins when as many are done.
func TestEstimates(t *testing.T) {
	const photos = 1000
	even := func(d time.Duration) func(int, *rand.Rand) time.Duration {
		return func(int, *rand.Rand) time.Duration { return d }
	}
	uneven := func(from, to time.Duration) func(int, *rand.Rand) time.Duration {
		return func(_ int, r *rand.Rand) time.Duration { return from + time.Duration(r.Int64N(int64(to-from))) }
	}
	coldFor := func(slots int, d time.Duration) func(int, *rand.Rand) time.Duration {
		return func(n int, _ *rand.Rand) time.Duration {
			if n < slots {
				return 3 * d
			}
			return d
		}
	}
	for _, c := range []struct {
		name  string
		slots int
		ahead int           // photos that workers have beside those in slots
		load  time.Duration // until the first photo is handed out
		took  func(n int, r *rand.Rand) time.Duration
	}{
		{"one at a time", 1, 0, time.Minute, even(10 * time.Second)},
		{"one at a time, uneven", 1, 0, time.Minute, uneven(time.Second, 20*time.Second)},
		{"fast", 4, 0, 5 * time.Second, uneven(50*time.Millisecond, 300*time.Millisecond)},
		{"bursts of 4", 4, 0, time.Minute, even(10 * time.Second)},
		{"bursts of 8", 8, 0, time.Minute, even(10 * time.Second)},
		{"bursts of 16", 16, 0, 5 * time.Minute, even(10 * time.Second)},
		{"bursts of 20", 20, 0, time.Minute, even(10 * time.Second)},
		{"bursts of 32", 32, 0, 10 * time.Minute, even(10 * time.Second)},
		{"8, uneven", 8, 0, time.Minute, uneven(5*time.Second, 15*time.Second)},
		{"16, uneven", 16, 0, time.Minute, uneven(5*time.Second, 15*time.Second)},
		{"32, uneven", 32, 0, time.Minute, uneven(5*time.Second, 15*time.Second)},
		{"one at a time, the first slow", 1, 0, time.Minute, coldFor(1, 10*time.Second)},
		{"4, the first slow", 4, 0, time.Minute, coldFor(4, 10*time.Second)},
		{"8 and 2 ahead", 8, 2, time.Minute, even(10 * time.Second)},
		{"8 and 2 ahead, uneven", 8, 2, time.Minute, uneven(5*time.Second, 15*time.Second)},
		{"1 and 2 ahead", 1, 2, time.Minute, even(10 * time.Second)},
		{"8, the first slow", 8, 0, time.Minute, coldFor(8, 10*time.Second)},
	} {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("%s %d", c.name, seed), func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				m := &machine{slots: c.slots, now: testTime, took: func(n int) time.Duration { return c.took(n, random) }}
				m.live = &Live{now: func() time.Time { return m.now }, clock: m.now}
				m.live.SetPhotos(photos, 0, 0)
				m.now = m.now.Add(c.load)
				type estimate struct {
					at   time.Time
					left float64
					n    int
				}
				var estimates []estimate
				look := func(n int) {
					p := m.live.Progress()
					if n < fewPhotos && p.LeftSeconds != 0 {
						t.Fatalf("an estimate after %d photos", n)
					}
					if n >= 20 {
						estimates = append(estimates, estimate{m.now, p.LeftSeconds, n})
					}
				}
				for range c.slots + c.ahead {
					m.handOut()
				}
				for n := 1; n <= photos; n++ {
					// Somebody looks in the middle between two photos.
					m.now = m.now.Add(m.queue[m.next()].ends.Sub(m.now) / 2)
					look(n - 1)
					m.finish()
					if n+len(m.queue) < photos {
						m.handOut()
					}
					m.live.photos([]Record{okRecord("a")}, Counts{Done: n, NewDone: n}, 0)
					look(n)
				}
				worst := 1.0
				for _, e := range estimates {
					truth := m.now.Sub(e.at).Seconds()
					if photos-e.n < max(20, 5*c.slots) || truth < 10 {
						continue // few photos have no average, and slots become empty
					}
					if e.left == 0 && e.n < c.slots+c.ahead {
						continue // not shown
					}
					off := math.Max(e.left/truth, truth/e.left)
					if worst = max(worst, off); off > 1.5 {
						t.Fatalf("after %d photos: %.0f seconds left, in truth %.0f", e.n, e.left, truth)
					}
				}
				t.Logf("at worst off by a factor of %.2f", worst)
			})
		}
	}
}
