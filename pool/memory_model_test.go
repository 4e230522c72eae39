package pool

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// workerModel simulates a worker's memory and when the pool learns of it.
type workerModel struct {
	loaded, warmUp  uint64 // before the first photo; and allocated with the first ones
	leak, transient uint64 // of each photo: what it leaves behind, and at most has while in flight
	inFlight        int
}

// run hands photos out as the pool does and returns the most that the worker ever
// had, how many photos it did, and how many it had in flight on average.
func (l workerModel) run(rnd *rand.Rand, u *expectedGrowth, share uint64, photos int) (peak uint64, done int, busy float64) {
	m := memoryProjection{expected: u}
	m.hello(l.loaded)
	now := l.loaded
	type photo struct {
		leaked bool
		has    uint64
	}
	var flying []photo
	var said []uint64
	looks, firsts := 0, 0
	for out := 0; done < photos; {
		// The pool hands out all that it may before it hears of anything.
		for out < photos && len(flying)+len(said) < l.inFlight && (done == 0 && len(flying) == 0 || m.fits(share, len(flying)+len(said))) {
			p := photo{has: rnd.Uint64N(l.transient + 1)}
			flying = append(flying, p)
			now += p.has
			out++
		}
		looks++
		busy += float64(len(flying) + len(said))
		if len(flying) == 0 && len(said) == 0 {
			break // full
		}
		// Then several things may happen before it hears of the first.
		for range 1 + rnd.IntN(2*l.inFlight) {
			if len(flying) == 0 {
				break
			}
			i := rnd.IntN(len(flying))
			if p := &flying[i]; !p.leaked {
				p.leaked = true
				now += l.leak
				if firsts++; firsts <= l.inFlight {
					now += l.warmUp / uint64(l.inFlight)
				}
			} else {
				said = append(said, now)
				now -= p.has
				flying = append(flying[:i], flying[i+1:]...)
			}
			peak = max(peak, now)
		}
		for len(said) > 0 {
			mem := said[0]
			said = said[1:]
			done++
			m.reported(mem, time.Time{})
			m.answered(len(flying)+len(said), l.inFlight+1)
			if m.full(share) {
				for _, p := range flying { // it finishes what it has
					if !p.leaked {
						now += l.leak
					}
				}
				done += len(flying) + len(said)
				return max(peak, now), done, busy / float64(looks)
			}
		}
	}
	return peak, done, busy / float64(looks)
}

// A leaking worker exceeds its share by one photo at most, however many are in
// flight and whenever they leak, and does as many photos as its share has room for.
func TestLeakyWorkerStaysWithinShare(t *testing.T) {
	t.Parallel()
	const M = 1 << 20
	for _, inFlight := range []int{1, 3, 10, 34} {
		for _, leak := range []uint64{1 * M, 10 * M, 16 * M} {
			for _, share := range []uint64{100 * M, 300 * M, 2000 * M} {
				name := fmt.Sprintf("%d in flight, %d MiB of %d", inFlight, leak/M, share/M)
				rnd := rand.New(rand.NewPCG(uint64(inFlight), leak+share))
				for range 50 {
					var u expectedGrowth
					for n := range 4 { // workers, one after the other
						l := workerModel{loaded: 15 * M, warmUp: 10 * M, leak: leak, inFlight: inFlight}
						peak, done, _ := l.run(rnd, &u, share, 1e6)
						if peak > share+leak+l.warmUp/uint64(inFlight) {
							t.Errorf("%s, worker %d: had %d MiB after %d photos", name, n, peak/M, done)
						}
						if room := int((share - l.loaded - l.warmUp) / leak); done < room*3/4-1 {
							t.Errorf("%s, worker %d: did %d photos, there was room for %d", name, n, done, room)
						}
						u = expectedGrowth{leak, true}
					}
				}
			}
		}
	}
}

// A worker that does not leak is kept, even if its share is hardly more than it
// needs.
func TestWorkerWithoutLeakIsKept(t *testing.T) {
	t.Parallel()
	const M = 1 << 20
	for _, inFlight := range []int{1, 3, 10} {
		for _, once := range []uint64{0, 50 * M, 300 * M} {
			for _, known := range []bool{false, true} {
				const loaded, transient, photos = 300 * M, 20 * M, 1000
				rnd := rand.New(rand.NewPCG(uint64(inFlight), once))
				l := workerModel{loaded: loaded, warmUp: once, transient: transient, inFlight: inFlight}
				share := loaded + once + uint64(inFlight+1)*transient
				peak, done, busy := l.run(rnd, &expectedGrowth{known: known}, share, photos)
				if done < photos || peak > share || busy < 0.9*float64(inFlight) {
					t.Errorf("%d in flight, %d MiB allocated once, known %v: %d photos, at most %d MiB of %d, %.1f in flight on average",
						inFlight, once/M, known, done, peak/M, share/M, busy)
				}
			}
		}
	}
}

// If a large photo in the warm-up has its worker replaced, the workers after it are
// kept: what is allocated once is no leak.
func TestOneLargePhoto(t *testing.T) {
	const M, share, photos = 1 << 20, 1000 << 20, 1000
	var expected expectedGrowth
	workers := 0
	for n := 0; n < photos; workers++ {
		w := &worker{mem: memoryProjection{expected: &expected}}
		w.mem.hello(400 * M)
		for in := 0; in < 100 && n < photos && !(in > 0 && w.mem.full(share)); in++ {
			mem := uint64(750 * M)
			if n == 0 {
				mem = 1010 * M
			}
			w.mem.reported(mem, time.Time{})
			w.mem.answered(0, 11)
			n++
		}
		w.mem.learn()
	}
	if workers > 12 {
		t.Errorf("%d photos took %d workers, want one for 100 and one for the large photo", photos, workers)
	}
}
