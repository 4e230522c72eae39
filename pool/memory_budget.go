package pool

import "time"

// memoryBudget shares out the memory that all workers together may have for
// themselves.
type memoryBudget struct {
	total    uint64 // bytes; 0 is no limit
	share    uint64 // of one worker
	expected expectedGrowth
	peak     uint64 // bytes of the largest worker so far
	outgrown bool   // a worker has outgrown its share; each needs all of its own then
}

func newMemoryBudget(total uint64, workers int) *memoryBudget {
	return &memoryBudget{total: total, share: total / uint64(workers)}
}

// check notes the worker's memory and kills it if it is far above its share.
func (b *memoryBudget) check(w *worker, now time.Time) {
	b.peak = max(b.peak, w.mem.current)
	w.killOverLimit(b.share, now)
}

// workerLoad is what the budget has to know of one worker.
type workerLoad struct {
	*memoryProjection
	inFlight  int
	remaining int // photos it may still be given
}

// largestLoaded is what the largest worker had after loading its model. A worker
// that is still loading will have about as much.
func largestLoaded(loads []workerLoad) (bytes uint64) {
	for _, l := range loads {
		bytes = max(bytes, l.loaded)
	}
	return bytes
}

// projected is what all workers will have when those that load have loaded and
// the photos in flight are done.
func (b *memoryBudget) projected(loads []workerLoad) (sum uint64) {
	base := largestLoaded(loads)
	for _, l := range loads {
		sum += max(base, l.memoryProjection.projected(l.inFlight))
	}
	return sum
}

// fits is whether growth more bytes stay within the budget when the photos in
// flight are done.
func (b *memoryBudget) fits(loads []workerLoad, growth uint64) bool {
	return b.total == 0 || b.projected(loads)+growth <= b.total
}

// exceeded is whether the workers will need more than the budget.
func (b *memoryBudget) exceeded(loads []workerLoad) bool { return !b.fits(loads, 0) }

// fitsWorker is whether one more worker fits into the budget and into what the
// system has available. Each worker is taken to become as large as the largest
// so far and to grow as fast as the fastest. The new one may take inFlight photos
// before the worker that it replaces has exited.
func (b *memoryBudget) fitsWorker(loads []workerLoad, inFlight int, s sample) bool {
	base := largestLoaded(loads)
	var growth, sum uint64
	for _, l := range loads {
		growth = max(growth, l.likelyPerPhoto())
	}
	for _, l := range loads {
		now := max(l.current, base)
		sum += max(now, min(now+growth*uint64(l.inFlight+l.remaining), b.share))
	}
	needed := base + growth*uint64(inFlight)
	if b.total > 0 && sum+needed > b.total {
		return false
	}
	return !s.hasSys || s.system.Available > needed
}
