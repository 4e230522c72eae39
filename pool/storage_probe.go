package pool

import (
	"errors"
	"slices"
	"time"
)

const (
	// maxPendingReads bounds the attempts that wait for the storage probe. No
	// photo is handed out while there are so many.
	maxPendingReads = 64
	// maxReadRetries is how often a photo is handed out again because the
	// supervisor could read it. Before the last time all workers are replaced.
	maxReadRetries = 2

	probeInterval = 5 * time.Second  // between probes while the storage is unavailable
	probeTimeout  = 30 * time.Second // after which a probe that has not returned means unavailable
)

// pendingRead is an attempt whose result waits for the storage probe. It was
// answered with a read error, or it took too long.
type pendingRead struct {
	*attempt
	failure *Failure // nil for a time-out
	death   death    // of a time-out
}

// storageProbe decides when to ask whether the photos' storage is available, and
// what becomes of the attempts that wait for the answer.
//
// A read error may mean that the storage is unavailable rather than that the
// photo is bad: a disk was pulled out, or a server is down. A worker that is
// confined to a folder does not see what was mounted in its place since. A
// time-out may have the same cause. So such an attempt waits until
// Config.ProbeStorage has looked at the photo. While the storage is unavailable
// no photo is handed out and none fails.
type storageProbe struct {
	enabled bool          // there is a Config.ProbeStorage
	timeout time.Duration // probeTimeout, or less

	pending     []pendingRead
	asking      string    // the photo being probed, "" if none is
	askedAt     time.Time // when its probe began
	nextAt      time.Time // no probe before that
	unavailable string    // the photo probed while the storage is unavailable, "" if it is available
	warnedAt    time.Time
	// trustWorkers takes a worker's read error as it is, though the supervisor
	// can read the photo: replacing the workers has not helped.
	trustWorkers bool
}

func newStorageProbe(cfg *Config) *storageProbe {
	p := &storageProbe{enabled: cfg.ProbeStorage != nil, timeout: probeTimeout}
	if cfg.Timeout > 0 {
		p.timeout = min(p.timeout, cfg.Timeout)
	}
	return p
}

// probeDecision is what the run has to do after a probe, or after an attempt was
// added.
type probeDecision struct {
	change         storageChange
	warning        string        // to log
	retry          []pendingRead // to be handed out again
	fail           *pendingRead  // its failure stands
	charge         *pendingRead  // its time-out is the photo's own fault
	replaceWorkers bool
}

// storageChange says whether the storage's state has changed.
type storageChange int

const (
	storageSame storageChange = iota
	becameUnavailable
	becameAvailable
)

// add has an attempt wait for the probe. While the storage is unavailable
// already, it is handed out again later instead.
func (p *storageProbe) add(r pendingRead) probeDecision {
	p.pending = append(p.pending, r)
	if p.unavailable == "" {
		return probeDecision{}
	}
	return probeDecision{retry: p.takePending()}
}

func (p *storageProbe) takePending() []pendingRead {
	all := p.pending
	p.pending = nil
	return all
}

// full is whether no further attempt should be begun before the next answer.
func (p *storageProbe) full() bool { return len(p.pending) >= maxPendingReads }

// next is the photo whose probe should begin now, if one should.
func (p *storageProbe) next(now time.Time) (path string, ok bool) {
	if p.asking != "" || now.Before(p.nextAt) {
		return "", false
	}
	switch {
	case p.unavailable != "":
		p.asking = p.unavailable
	case len(p.pending) > 0:
		p.asking = p.pending[0].photo.path
	default:
		return "", false
	}
	p.askedAt = now
	return p.asking, true
}

// overdue is whether the probe has taken so long that the storage counts as
// unavailable. The answer is still waited for.
func (p *storageProbe) overdue(now time.Time) bool {
	return p.asking != "" && p.unavailable == "" && now.Sub(p.askedAt) >= p.timeout
}

// expire marks the storage as unavailable because the probe is overdue.
func (p *storageProbe) expire(now time.Time) probeDecision {
	return p.markUnavailable(p.asking, "they do not answer", now)
}

// answered acts on what Config.ProbeStorage returned for path.
func (p *storageProbe) answered(path string, err error, now time.Time) probeDecision {
	p.asking = ""
	var away *UnavailableError
	if errors.As(err, &away) {
		p.nextAt = now.Add(probeInterval)
		return p.markUnavailable(path, away.Why, now)
	}
	var d probeDecision
	if p.unavailable != "" {
		p.unavailable, p.trustWorkers = "", false
		d.change = becameAvailable
	}
	if len(p.pending) == 0 || p.pending[0].photo.path != path {
		return d
	}
	r := p.pending[0]
	p.pending = slices.Delete(p.pending, 0, 1)
	switch {
	case r.failure == nil:
		d.charge = &r
		return d
	case err == nil && !p.trustWorkers:
		if r.photo.readErrors++; r.photo.readErrors <= maxReadRetries {
			d.retry = []pendingRead{r}
			d.replaceWorkers = r.photo.readErrors == maxReadRetries
			return d
		}
		p.trustWorkers = true
	}
	d.fail = &r
	return d
}

// markUnavailable marks the storage as unavailable. All pending attempts are tried again
// when it is back, with new workers.
func (p *storageProbe) markUnavailable(path, why string, now time.Time) probeDecision {
	var d probeDecision
	if p.unavailable == "" || now.Sub(p.warnedAt) >= warnInterval {
		d.warning = "The photos cannot be reached, waiting until they can: " + why
		p.warnedAt = now
	}
	if p.unavailable != "" {
		return d
	}
	p.unavailable = path
	d.change, d.retry, d.replaceWorkers = becameUnavailable, p.takePending(), true
	return d
}

// described notes that a worker has read and described a photo.
func (p *storageProbe) described() { p.trustWorkers = false }

// wakeUps are the times at which there may be something to do.
func (p *storageProbe) wakeUps() []time.Time {
	if p.asking == "" {
		return []time.Time{p.nextAt}
	}
	return []time.Time{p.nextAt, p.askedAt.Add(p.timeout)}
}
