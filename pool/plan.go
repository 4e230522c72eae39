package pool

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
)

// Sizes says what describing photos costs, in bytes.
type Sizes struct {
	Weights uint64 // mapped from the model's files: counted once, whoever maps them
	Worker  uint64 // what each worker has for itself: compute buffers, vision encoder, run time
	Slot    uint64 // a photo in flight: its part of the KV cache
	Pixels  uint64 // a photo in flight: decoded pixels and tiles
}

// Limits bounds a Plan. Zero fields are chosen by the planner.
type Limits struct {
	Memory         uint64 // budget for everything, weights included; 0 is no budget
	CPUs           int    // cores to share out
	CoresPerWorker int    // beyond which a worker gets no faster; default 4
	Workers        int    // as asked for; 0 is auto
	InFlight       int    // photos in one worker as asked for; 0 is auto
	MaxInFlight    int    // where batching photos together stops paying; default 8
}

// Plan says how many workers run side by side and how much each takes on.
type Plan struct {
	Workers  int
	InFlight int    // photos in flight in each worker
	Cores    int    // for each worker
	Weights  uint64 // mapped by all workers
	Own      uint64 // what all workers may have for themselves: the budget less the weights; 0 is no budget
	Photo    uint64 // what a single photo's pixels may take at the very most; 0 is any size
	Prestart bool   // there is room to load the next batch's worker while the last drains
	Fits     bool   // false: even one worker with one photo breaks the budget
	Sum      string // how the decision adds up, for the log
}

// minPhotosPerWorker is how many photos a worker should hold before another worker is
// worth its buffers: text generation lives from decoding several together.
const minPhotosPerWorker = 4

// MakePlan shares out memory and cores. It prefers workers side by side, as far
// as there are cores for them and each can still hold a few photos; what
// remains goes into photos in flight. What was asked for in l is kept to unless
// the memory forbids it. It always returns a plan that can be run: one worker
// and one photo at the least.
func MakePlan(s Sizes, l Limits) Plan {
	if l.CoresPerWorker <= 0 {
		l.CoresPerWorker = 4
	}
	if l.MaxInFlight <= 0 {
		l.MaxInFlight = 8
	}
	most := l.InFlight
	if most <= 0 {
		most = l.MaxInFlight
	}
	most = min(most, maxInFlight)
	workers := l.Workers
	if workers <= 0 {
		workers = max(1, l.CPUs/l.CoresPerWorker)
	}
	p := Plan{Workers: workers, InFlight: most, Weights: s.Weights, Prestart: true, Fits: true}
	if l.Memory > 0 {
		p.fit(s, l.Memory, l.Workers > 0)
	}
	p.Cores = max(1, l.CPUs/p.Workers)
	p.Sum = p.explain(s, l.Memory)
	return p
}

// fit reduces the plan until it keeps to the budget.
func (p *Plan) fit(s Sizes, budget uint64, workersAsked bool) {
	p.Own = budget - min(budget, s.Weights)
	photo := s.Slot + s.Pixels
	few := min(minPhotosPerWorker, p.InFlight)
	if workersAsked {
		few = 1
	}
	for p.Workers > 1 && uint64(p.Workers)*(s.Worker+uint64(few)*photo) > p.Own {
		p.Workers--
	}
	share := p.Own / uint64(p.Workers)
	room := share - min(share, s.Worker)
	if photo > 0 {
		p.InFlight = int(min(uint64(p.InFlight), room/photo))
	}
	if p.InFlight < 1 || share < s.Worker {
		p.InFlight, p.Fits = 1, false
	}
	p.Photo = max(room-min(room, s.Slot), s.Pixels) // 0 would be any size
	// The next worker's buffers and KV cache exist beside the last one's; the
	// pixels are shared between the two.
	p.Prestart = p.total(s)+s.Worker+uint64(p.InFlight)*s.Slot <= p.Own
	if p.Own == 0 {
		p.Own = 1 // 0 would mean no budget at all
	}
}

// total is what the workers of the plan have for themselves when all is full.
func (p *Plan) total(s Sizes) uint64 {
	return uint64(p.Workers) * (s.Worker + uint64(p.InFlight)*(s.Slot+s.Pixels))
}

func (p *Plan) explain(s Sizes, budget uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Memory: weights %s + %s × (buffers %s + %s × %s) = %s",
		humanize.IBytes(s.Weights), count(p.Workers, "worker"), humanize.IBytes(s.Worker),
		count(p.InFlight, "photo"), humanize.IBytes(s.Slot+s.Pixels), humanize.IBytes(s.Weights+p.total(s)))
	switch {
	case budget == 0:
		b.WriteString(", no budget set")
	case !p.Fits:
		fmt.Fprintf(&b, ", more than the budget of %s", humanize.IBytes(budget))
	default:
		fmt.Fprintf(&b, " of %s", humanize.IBytes(budget))
		if !p.Prestart {
			b.WriteString("; no room to load the next worker ahead")
		}
	}
	return b.String()
}
