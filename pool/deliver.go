package pool

// This file hands results to whoever called Run.

// deliver queues a result for done.
func (r *run) deliver(res Result) {
	if r.deliveryFailed {
		return
	}
	if res.Failure != nil {
		r.stats.Failed[res.Failure.Kind]++
	} else {
		r.stats.OK++
	}
	r.undelivered = append(r.undelivered, res)
}

// holdFailure keeps a verdict back until a photo succeeds or the run ends in good
// order. If it ends because every worker dies, the model was broken and not the
// photo, which is then simply not done.
func (r *run) holdFailure(res Result) { r.held = append(r.held, res) }

func (r *run) releaseHeld() {
	for _, res := range r.held {
		r.deliver(res)
	}
	r.held = nil
}
