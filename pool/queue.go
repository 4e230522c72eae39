package pool

// photo is one path's way through the pool, over all attempts.
type photo struct {
	path         string
	attempts     int // times handed out
	crashes      int // deaths while it was alone in flight
	memoryDeaths int // deaths by memory or from outside while it was alone
	timeouts     int // times it took too long
	readErrors   int // times it could not be read and then could
	// onlyInPool asks for a machine on which no other photo is in flight,
	// because memory ran out when there were.
	onlyInPool bool
	// probe has been described before. It is tried again only to see whether
	// anything works; nobody is told what became of it.
	probe bool
}

// Verdicts: how often a photo may be alone at a worker's death.
const (
	maxCrashes  = 2
	maxMemory   = 3
	maxTimeouts = 2
)

// chargeFailure charges a photo with a death that it was alone for, and says what has
// become of it: nil means that it is worth another try.
func (p *photo) chargeFailure(d death) *Failure {
	switch {
	case d.kind == DeathTimeout:
		if p.timeouts++; p.timeouts >= maxTimeouts {
			return &Failure{Kind: KindTimeout, Message: d.detail}
		}
	case d.isMemory():
		p.onlyInPool = true
		if p.memoryDeaths++; p.memoryDeaths >= maxMemory {
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

// queue holds the photos that wait. Suspects are those in flight when a worker
// died; they come first and one at a time.
type queue struct {
	fresh       []*photo
	quarantined []*photo
}

func (q *queue) add(p *photo)        { q.fresh = append(q.fresh, p) }
func (q *queue) quarantine(p *photo) { q.quarantined = append(q.quarantined, p) }
func (q *queue) empty() bool         { return len(q.fresh) == 0 && len(q.quarantined) == 0 }

// putBack returns photos that did nothing wrong to where they came from.
func (q *queue) putBack(ps []*photo) {
	q.fresh = append(ps[:len(ps):len(ps)], q.fresh...)
}

func (q *queue) takeFresh() *photo {
	p := q.fresh[0]
	q.fresh[0] = nil
	q.fresh = q.fresh[1:]
	return p
}

func (q *queue) takeQuarantined() *photo {
	p := q.quarantined[0]
	q.quarantined = q.quarantined[1:]
	return p
}

// takeProbe takes a photo from as far away as the queue reaches: bad photos
// come in rows (one broken card, one folder), and a good one is wanted.
func (q *queue) takeProbe() *photo {
	last := len(q.fresh) - 1
	p := q.fresh[last]
	q.fresh[last] = nil
	q.fresh = q.fresh[:last]
	return p
}
