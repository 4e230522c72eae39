package pool

import "slices"

// How many worker deaths a photo may be charged with before it fails.
const (
	maxCrashes      = 2
	maxMemoryDeaths = 3
	maxTimeouts     = 2
)

// probeAfterDeaths is the number of deaths in a row after which every other
// photo tried alone is a probe.
const probeAfterDeaths = 3

// quarantine holds the photos that wait for a worker. It decides which of them
// is charged with a worker's death and which is tried alone next.
//
// A crash is charged to a photo only if no other was in flight in its worker. If
// several were, each of them is quarantined: it is tried again isolated, so that the
// next death has one possible cause. The same holds for memory, where photos in other
// workers may be the cause as well. A time-out is charged to the photo that took too
// long, whatever else was in flight. An error that a worker reports is charged to its
// photo at once and does not go through the quarantine.
type quarantine struct {
	fresh       []*photo // to be handed out beside others
	quarantined []*photo // to be tried alone, before any fresh one

	// knownReadable is the path of a photo that was described, "" if none was.
	knownReadable string
	probing       bool // the last photo tried alone was a probe
	noProbes      bool // photos that were described are not kept, see Config.Fetched
}

func (q *quarantine) add(p *photo)         { q.fresh = append(q.fresh, p) }
func (q *quarantine) isolate(p *photo)     { q.quarantined = append(q.quarantined, p) }
func (q *quarantine) waiting() int         { return len(q.fresh) + len(q.quarantined) }
func (q *quarantine) empty() bool          { return q.waiting() == 0 }
func (q *quarantine) putBack(ps ...*photo) { q.fresh = slices.Concat(ps, q.fresh) }

// takeFresh removes and returns the first photo that may share a worker.
func (q *quarantine) takeFresh() *photo {
	p := q.fresh[0]
	q.fresh[0] = nil
	q.fresh = q.fresh[1:]
	return p
}

// takeLast removes and returns the last photo read so far. Faulty photos are
// often neighbours, as on one damaged card, so the photo furthest away is the
// best probe.
func (q *quarantine) takeLast() *photo {
	last := len(q.fresh) - 1
	p := q.fresh[last]
	q.fresh[last] = nil
	q.fresh = q.fresh[:last]
	return p
}

// nextIsolation is what the next quarantined photo asks for, shared if there is
// none.
func (q *quarantine) nextIsolation() isolation {
	switch {
	case len(q.quarantined) == 0:
		return shared
	case q.quarantined[0].isolateInPool:
		return isolatedInPool
	}
	return isolatedInWorker
}

// takeIsolated returns the photo to be tried alone next. There must be a
// quarantined one.
//
// After a few deaths in a row, every other one is a probe: a photo that was
// described before, or else the last fresh one. If the probe succeeds, the
// photos are faulty and not the model, and the count of deaths begins again.
func (q *quarantine) takeIsolated(deaths int) *photo {
	if deaths < probeAfterDeaths {
		q.probing = false
	} else if q.probing = !q.probing; q.probing {
		// It alternates by photos handed out and not by deaths, because workers
		// side by side may die in step.
		switch needsPool := q.quarantined[0].isolateInPool; {
		case q.knownReadable != "":
			return &photo{path: q.knownReadable, probe: true, isolateInPool: needsPool}
		case len(q.fresh) > 0:
			p := q.takeLast()
			p.isolateInPool = p.isolateInPool || needsPool
			return p
		}
	}
	p := q.quarantined[0]
	q.quarantined = q.quarantined[1:]
	return p
}

// described notes that a photo was described.
func (q *quarantine) described(path string) {
	if !q.noProbes {
		q.knownReadable = path
	}
}

// probeFailed notes that the known readable photo failed: it was deleted or
// changed, and proves nothing any more.
func (q *quarantine) probeFailed() { q.knownReadable = "" }

// outcome is what becomes of a photo that was in flight when its worker ended.
type outcome int

const (
	outcomeRetry   outcome = iota // it waits to be handed out again
	outcomeFail                   // it failed for good
	outcomeCheck                  // a time-out: it is charged only if the storage answers
	outcomeDiscard                // it was a probe
)

// resolution is the outcome of one attempt.
type resolution struct {
	*attempt
	outcome outcome
	failure *Failure // of outcomeFail
}

// circumstances are what resolve has to know about a death beside its kind.
type circumstances struct {
	timedOut     *attempt // the attempt that took too long, if one did
	answering    bool     // the worker answered other photos while that one took too long
	poolIdle     bool     // no other worker had a photo in flight
	checkStorage bool     // time-outs may be the storage's fault and are checked first
}

// resolve decides what becomes of each photo that was in flight when a worker
// died, in the order in which they were handed out. Those that wait again are
// back in the quarantine when it returns.
//
// A time-out is charged to the photo that took too long. The other photos are
// not suspected if the worker went on answering meanwhile. If it did not, the
// whole engine hung, and any of them may be the cause.
func (q *quarantine) resolve(d death, attempts []*attempt, c circumstances) []resolution {
	var all []resolution
	var unsuspected []*photo
	for _, a := range attempts {
		p := a.photo
		r := resolution{attempt: a}
		switch {
		case p.probe:
			r.outcome = outcomeDiscard
		case d.kind == DeathTimeout && a != c.timedOut && c.answering:
			unsuspected = append(unsuspected, p)
		case d.kind == DeathTimeout && a != c.timedOut:
			q.isolate(p)
		case d.kind == DeathTimeout && c.checkStorage:
			r.outcome = outcomeCheck
		case d.kind == DeathTimeout:
			r = q.charge(a, d)
		case len(attempts) > 1:
			p.isolateInPool = p.isolateInPool || d.isMemory()
			q.isolate(p)
		case d.isMemory() && d.kind != DeathMemory && !c.poolIdle:
			// A photo in another worker may have used up the memory.
			p.isolateInPool = true
			q.isolate(p)
		default:
			r = q.charge(a, d)
		}
		all = append(all, r)
	}
	q.putBack(unsuspected...)
	return all
}

// charge counts a death against the attempt's photo. The photo is tried alone
// again until it has been charged too often.
func (q *quarantine) charge(a *attempt, d death) resolution {
	if f := a.photo.charge(d); f != nil {
		return resolution{attempt: a, outcome: outcomeFail, failure: f}
	}
	q.isolate(a.photo)
	return resolution{attempt: a}
}

// charge counts a death against the photo and returns its Failure, or nil if the
// photo is to be tried again.
func (p *photo) charge(d death) *Failure {
	switch {
	case d.kind == DeathTimeout:
		if p.timeouts++; p.timeouts >= maxTimeouts {
			return &Failure{Kind: KindTimeout, Message: d.detail}
		}
	case d.isMemory():
		p.isolateInPool = true
		if p.memoryDeaths++; p.memoryDeaths >= maxMemoryDeaths {
			if d.kind == DeathKilled {
				return &Failure{Kind: KindCrash, Message: d.detail}
			}
			return &Failure{Kind: KindMemory, Message: d.detail}
		}
	default:
		if p.crashes++; p.crashes >= maxCrashes {
			return &Failure{Kind: KindCrash, Message: d.detail}
		}
	}
	return nil
}
