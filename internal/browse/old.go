package browse

import (
	"sync"

	"photodesc/tracker"
)

// oldDates has the dates and cameras that search and export have read of photos which version 0.1 described.
type oldDates struct {
	dir  string
	mark string // of the file that all was, or will be, read from

	mu  sync.Mutex
	all *tracker.Facts // nil before they are needed
}

func newOldDates(dir string) *oldDates { return &oldDates{dir: dir, mark: tracker.FactsMark(dir)} }

// changed is whether more was read since.
func (o *oldDates) changed() bool { return tracker.FactsMark(o.dir) != o.mark }

// fill completes an old record.
func (o *oldDates) fill(r *tracker.Record) {
	if !r.LacksFacts() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all, _ = tracker.ReadFacts(o.dir) // without them those photos have no date, as before
	}
	o.all.Fill(r)
}
