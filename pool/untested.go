package pool

// settleHeld delivers the failures that were held back. If nobody knows that the
// model works (Config.Untested) and it has described no photo, they are left out and
// end the run: the model is the likely cause.
func settleHeld(r *run) {
	held := r.delivery.release()
	if !r.streak.unproven || len(held) == 0 {
		r.delivery.add(held...)
		return
	}
	if !r.end.stopping {
		r.fail(r.streak.err())
	}
}
