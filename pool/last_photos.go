package pool

import (
	"slices"
	"time"
)

// laneProgress is how far a lane is with the photos in flight, by the clock. A worker
// works on one photo after another and answers several at once, so their number
// does not say how long it will take.
type laneProgress struct {
	answered int
	busy     time.Duration // until the last answer, without the time in which nothing was in flight
	since    time.Time     // of the last answer, or of the first photo for a lane with none in flight
	before   float64       // photos that were still to be done when the last answers began to come
}

// handedOut notes that a photo is handed out beside so many others.
func (p *laneProgress) handedOut(others int, now time.Time) {
	if others == 0 {
		p.since = now
	}
}

// answer notes that one of n photos in flight was answered.
func (p *laneProgress) answer(n int, each time.Duration, now time.Time) {
	if !now.Before(p.answersEnd(each)) {
		p.before = p.unfinished(n, each, now)
	}
	p.answered++
	p.busy += now.Sub(p.since)
	p.since = now
}

// unfinished estimates how many of n photos in flight are still to be done if each
// takes the given time, 0 if that is unknown. A lane that is long overdue may be
// stuck: then all are.
func (p *laneProgress) unfinished(n int, each time.Duration, now time.Time) float64 {
	if each <= 0 || n == 0 {
		return float64(n)
	}
	done := float64(now.Sub(p.since)) / float64(each)
	if done > 2*float64(n) {
		return float64(n)
	}
	return max(0, float64(n)-done)
}

// answersEnd is when the answers that come together have come, if a photo takes the
// given time.
func (p *laneProgress) answersEnd(each time.Duration) time.Time { return p.since.Add(each / 32) }

// photoTime is how long a lane is busy with a photo, on average over all lanes; 0
// before the first answer.
func photoTime(lanes []*lane) time.Duration {
	var answered int
	var busy time.Duration
	for _, l := range lanes {
		answered, busy = answered+l.progress.answered, busy+l.progress.busy
	}
	return busy / time.Duration(max(answered, 1))
}

// lastPhotos is how the last photos are shared out among the lanes, so that all
// are done at the same time and no core is idle.
type lastPhotos struct {
	unfinished map[*lane]float64 // photos still to be done on each, by estimate
	level      float64           // of unfinished, when all that wait are shared out
	lowest     float64           // of unfinished
	answering  map[*lane]bool    // its answers come just now; what it is given waits for the last of them
	answersEnd []time.Time       // when they have come
}

func newLastPhotos(lanes []*lane, waiting int, now time.Time) *lastPhotos {
	last := &lastPhotos{unfinished: map[*lane]float64{}, answering: map[*lane]bool{}}
	each := photoTime(lanes)
	var sorted []float64
	for _, l := range lanes {
		n := l.progress.unfinished(l.inFlight(), each, now)
		if end := l.progress.answersEnd(each); n > 0 && now.Before(end) {
			n, last.answering[l] = min(n, l.progress.before), true
			last.answersEnd = append(last.answersEnd, end)
		}
		sorted = append(sorted, n)
		last.unfinished[l] = n
	}
	slices.Sort(sorted)
	last.lowest = sorted[0]
	sum := float64(waiting)
	for i, n := range sorted {
		if sum += n; i+1 == len(sorted) || sum <= float64(i+1)*sorted[i+1] {
			last.level = sum / float64(i+1)
			break
		}
	}
	return last
}

// mayTake is whether l may be given one more.
func (p *lastPhotos) mayTake(l *lane) bool {
	n := p.unfinished[l]
	return !p.answering[l] && (n == p.lowest || n+0.5 <= p.level)
}
