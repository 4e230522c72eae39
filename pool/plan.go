package pool

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"photodesc/internal/wording"
)

// Sizes is the memory that describing photos takes, in bytes.
type Sizes struct {
	Weights uint64 // the model's files; all workers map the same memory
	Worker  uint64 // each worker's own: compute buffers, vision encoder, Go runtime
	Slot    uint64 // each photo in flight: its part of the KV cache
	Pixels  uint64 // each photo in flight: decoded pixels and tiles
}

// Limits bounds a Plan. Zero fields are chosen by the planner.
type Limits struct {
	Memory         uint64 // budget for everything, weights included; 0 is no budget
	CPUs           int    // cores to share out
	CoresPerWorker int    // more make a worker no faster; default 4
	Workers        int    // as requested; 0 is automatic
	InFlight       int    // photos in one worker as requested; 0 is automatic
	MaxInFlight    int    // more photos in one worker gain nothing; default 8
}

// Plan says how many workers run side by side and what each of them may use.
type Plan struct {
	Workers  int
	InFlight int    // photos in flight in each worker
	Cores    int    // for each worker
	Weights  uint64 // mapped by all workers
	Own      uint64 // memory that all workers together may have beside the weights; 0 is no limit
	Photo    uint64 // the most that one photo's pixels may take; 0 is no limit
	Prestart bool   // there is memory to load the next batch's worker while the last one finishes
	Fits     bool   // false if even one worker with one photo exceeds the budget
	Sum      string // the calculation, for the log
}

// minPhotosPerWorker is how many photos a worker should have in flight before
// another worker is worth its buffers. Generating the text of several photos
// together is much faster than one after the other.
const minPhotosPerWorker = 4

// MakePlan shares out memory and cores. It first adds workers, as long as there
// are cores for them and each has memory for a few photos. The remaining memory
// is for more photos in flight. What l requests is kept unless it exceeds the
// memory. The plan always has at least one worker and one photo.
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

// fit reduces the plan until it is within the budget.
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
	p.Photo = max(room-min(room, s.Slot), s.Pixels) // 0 would be no limit
	// The next worker's buffers and KV cache exist beside the last one's. Pixels
	// belong to the photos in flight, which the two workers share.
	p.Prestart = p.total(s)+s.Worker+uint64(p.InFlight)*s.Slot <= p.Own
	if p.Own == 0 {
		p.Own = 1 // 0 would be no limit
	}
}

// total is the memory of all workers, beside the weights, with all photos in flight.
func (p *Plan) total(s Sizes) uint64 {
	return uint64(p.Workers) * (s.Worker + uint64(p.InFlight)*(s.Slot+s.Pixels))
}

func (p *Plan) explain(s Sizes, budget uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Memory: weights %s + %s × (buffers %s + %s × %s) = %s",
		humanize.IBytes(s.Weights), wording.Count(p.Workers, "worker"), humanize.IBytes(s.Worker),
		wording.Count(p.InFlight, "photo"), humanize.IBytes(s.Slot+s.Pixels), humanize.IBytes(s.Weights+p.total(s)))
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
