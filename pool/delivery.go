package pool

import "time"

// maxUndelivered is how many results may wait for done before no photo is handed
// out. If the disk of the results is slow, the run becomes slow and the memory
// does not fill up.
const maxUndelivered = 256

// delivery hands results to the caller of Run, one at a time and in order.
type delivery struct {
	waiting []Result
	held    []Result // failures that wait for a success, see hold
	state   deliveryState
	stats   *Stats // of results
}

type deliveryState int

const (
	deliveryIdle   deliveryState = iota
	deliveryBusy                 // done has a result and has not returned
	deliveryFailed               // done has returned an error and is not called again
)

// add queues results, unless done is not called any more.
func (d *delivery) add(results ...Result) {
	if d.state == deliveryFailed {
		return
	}
	d.stats.Photos += len(results)
	d.waiting = append(d.waiting, results...)
}

// hold keeps a failure back until a photo succeeds or the run ends in good order.
// If the run ends because every worker dies, the model is broken and not the
// photo, and the photo is left to the next run.
func (d *delivery) hold(res Result) { d.held = append(d.held, res) }

// release returns the failures held back.
func (d *delivery) release() []Result {
	held := d.held
	d.held = nil
	return held
}

// idleTime is since when nothing is to be done; zero while there is something.
type idleTime struct{ since time.Time }

// over is whether nothing was to be done for so long; never if that is 0.
func (t *idleTime) over(idle bool, least time.Duration, now time.Time) bool {
	switch {
	case !idle || least <= 0:
		t.since = time.Time{}
	case t.since.IsZero():
		t.since = now
	default:
		return now.Sub(t.since) >= least
	}
	return false
}

// next is the result that done should be called with now, if there is one.
func (d *delivery) next() (Result, bool) {
	if d.state != deliveryIdle || len(d.waiting) == 0 {
		return Result{}, false
	}
	return d.waiting[0], true
}

// sent notes that done has the result of next.
func (d *delivery) sent() {
	d.waiting[0] = Result{}
	d.waiting = d.waiting[1:]
	d.state = deliveryBusy
}

// returned notes that done has returned.
func (d *delivery) returned(err error) {
	d.state = deliveryIdle
	if err != nil {
		d.waiting, d.state = nil, deliveryFailed
	}
}

func (d *delivery) full() bool { return len(d.waiting) >= maxUndelivered }

// done is whether nothing waits and done has returned.
func (d *delivery) done() bool { return d.state != deliveryBusy && len(d.waiting) == 0 }
