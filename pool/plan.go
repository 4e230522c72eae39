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
	Memory   uint64 // budget for everything, weights included; 0 is no budget
	CPUs     int    // cores to share out
	Workers  int    // as requested; 0 is automatic
	Threads  int    // of one worker as requested; 0 is automatic
	Slots    int    // photos generated together in one worker as requested; 0 is automatic
	MaxSlots int    // photos generated together in one worker unless requested otherwise; default 8
	// MoreSlots is MaxSlots of a long run, whose photos are known; 0 is as few.
	MoreSlots int
	Photos    int  // to be described; 0 is unknown, and many
	GPU       bool // does the work: one worker fills it

	// Measured is workers × threads that were found fastest here. They take the
	// place of the estimate where memory allows.
	Measured Shape
}

// Shape is a number of workers and of threads in each.
type Shape struct{ Workers, Threads int }

// Plan says how many workers run side by side and what each of them may use.
type Plan struct {
	Workers  int
	Slots    int    // photos generated together in each worker, at most
	First    int    // in flight in each worker until a photo has been described; 0 is no limit
	Threads  int    // of each worker
	Weights  uint64 // mapped by all workers
	Own      uint64 // memory that all workers together may have beside the weights; 0 is no limit
	Photo    uint64 // the most that one photo's pixels may take; 0 is no limit
	Prestart bool   // there is memory to load the next batch's worker while the last one finishes
	Fits     bool   // false if even one worker with one photo exceeds the budget
	Measured bool   // workers and threads are those of Limits.Measured
	Sum      string // the calculation, for the log
}

// minPhotosPerWorker is how many photos of a run a worker should have: loading
// another one for fewer does not pay.
const minPhotosPerWorker = 4

// MakePlan shares out memory and cores. Of the numbers of workers and threads for
// which there are cores and memory it takes those that are estimated to describe
// most photos. On a CPU these are workers of one thread, which wait for nobody,
// unless memory has room for far fewer workers than there are cores.
// The remaining memory is for more photos in flight. What l requests is kept
// unless it exceeds the memory. The plan always has at least one worker and one
// photo.
func MakePlan(s Sizes, l Limits) Plan {
	l.CPUs = max(l.CPUs, 1)
	if l.MaxSlots <= 0 {
		l.MaxSlots = 8
	}
	if m := l.Measured; m.Workers > 0 && m.Threads > 0 && l.Workers == 0 && l.Threads == 0 && !l.few(m.Workers) {
		asked := l
		asked.Workers, asked.Threads = m.Workers, m.Threads
		// Fewer workers of so many threads would leave cores idle.
		if p := s.plan(m.Workers, m.Threads, asked); p.Fits && p.Workers == m.Workers {
			p.Measured = true
			return p
		}
	}
	if l.GPU {
		workers := max(l.Workers, 1)
		return s.plan(workers, l.threadsOf(workers), l)
	}
	var best Plan
	bestRate := -1.0
	for _, shape := range s.shapes(l) {
		p := s.plan(shape.Workers, shape.Threads, l)
		if rate := preference(s.Weights, l.CPUs, p); rate > bestRate {
			best, bestRate = p, rate
		}
	}
	return best
}

// few is whether a run has too few photos for so many workers.
func (l Limits) few(workers int) bool {
	return l.Photos > 0 && workers > 1 && l.Photos <= (workers-1)*minPhotosPerWorker
}

// threadsOf is the threads of each of so many workers when all cores are shared out.
func (l Limits) threadsOf(workers int) int {
	if l.Threads > 0 {
		return l.Threads
	}
	return max(1, l.CPUs/workers)
}

// shapes are the workers and threads to choose from, fewer workers first.
func (s Sizes) shapes(l Limits) (all []Shape) {
	first, last := 1, l.CPUs/max(l.Threads, 1)
	if l.Workers > 0 {
		first = s.plan(l.Workers, 1, l).Workers
		last = first
	}
	for workers := first; workers <= max(last, first); workers++ {
		if l.Workers == 0 && l.few(workers) {
			break
		}
		most := l.threadsOf(workers)
		least := 1
		if l.Threads > 0 {
			least = most
		}
		for threads := least; threads <= most; threads++ {
			all = append(all, Shape{workers, threads})
		}
	}
	return all
}

// plan is the plan for so many workers, or fewer if memory does not allow them.
func (s Sizes) plan(workers, threads int, l Limits) Plan {
	if l.Slots > 0 {
		return s.planSlots(workers, threads, l.Slots, l)
	}
	p := s.planSlots(workers, threads, l.MaxSlots, l)
	if l.MoreSlots > l.MaxSlots && l.Photos >= longRun*p.Workers*l.MoreSlots {
		// Neither a worker nor the one loaded ahead is given up for them.
		more := s.planSlots(workers, threads, l.MoreSlots, l)
		if more.Workers == p.Workers && more.Slots == l.MoreSlots && more.Prestart == p.Prestart {
			more.First = p.Slots
			return more
		}
	}
	return p
}

// longRun is how many times a long run fills all slots. At its end slots are
// empty, the more the more there are.
const longRun = 4

// planSlots is the plan for at most so many slots in each worker.
func (s Sizes) planSlots(workers, threads, slots int, l Limits) Plan {
	p := Plan{Workers: workers, Threads: threads, Slots: min(slots, maxInFlightLimit), Weights: s.Weights, Prestart: true, Fits: true}
	if l.Memory > 0 {
		p.fit(s, l.Memory)
	}
	p.Sum = p.explain(s, l.Memory)
	return p
}

// fit reduces the plan until it is within the budget.
func (p *Plan) fit(s Sizes, budget uint64) {
	p.Own = budget - min(budget, s.Weights)
	photo := s.Slot + s.Pixels
	for p.Workers > 1 && uint64(p.Workers)*(s.Worker+photo) > p.Own {
		p.Workers--
	}
	share := p.Own / uint64(p.Workers)
	remaining := share - min(share, s.Worker)
	if photo > 0 {
		p.Slots = int(min(uint64(p.Slots), remaining/photo))
	}
	if p.Slots < 1 || share < s.Worker {
		p.Slots, p.Fits = 1, false
	}
	p.Photo = max(remaining-min(remaining, s.Slot), s.Pixels) // 0 would be no limit
	// The next worker's buffers and KV cache exist beside the last one's. Pixels
	// belong to the photos in flight, which the two workers share.
	p.Prestart = p.total(s)+s.Worker+uint64(p.Slots)*s.Slot <= p.Own
	if p.Own == 0 {
		p.Own = 1 // 0 would be no limit
	}
}

// total is the memory of all workers, beside the weights, with all photos in flight.
func (p *Plan) total(s Sizes) uint64 {
	return uint64(p.Workers) * (s.Worker + uint64(p.Slots)*(s.Slot+s.Pixels))
}

func (p *Plan) explain(s Sizes, budget uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Memory: weights %s + %s × (buffers %s + %s × %s) = %s",
		humanize.IBytes(s.Weights), wording.Count(p.Workers, "worker"), humanize.IBytes(s.Worker),
		wording.Count(p.Slots, "photo"), humanize.IBytes(s.Slot+s.Pixels), humanize.IBytes(s.Weights+p.total(s)))
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
