package pool

// photo is one path's way through the pool, over all attempts.
type photo struct {
	path     string
	attempts int // times handed out
	crashes  int // deaths while it was alone in flight
	memory   int // deaths by memory or from outside while it was alone
	timeouts int // times it took too long
	lost     int // times it could not be read and then could
	// exclusive asks for a machine on which no other photo is in flight,
	// because memory ran out when there were.
	exclusive bool
	// known has been described before. It is tried again only to see whether
	// anything works; nobody is told what became of it.
	known bool
}

// Verdicts: how often a photo may be alone at a worker's death.
const (
	maxCrashes  = 2
	maxMemory   = 3
	maxTimeouts = 2
)

// blame charges a photo with a death that it was alone for, and says what has
// become of it: nil means that it is worth another try.
func (p *photo) blame(d death) *Failure {
	switch {
	case d.kind == DeathTimeout:
		if p.timeouts++; p.timeouts >= maxTimeouts {
			return &Failure{Kind: KindTimeout, Message: d.detail}
		}
	case d.memoryKind():
		p.exclusive = true
		if p.memory++; p.memory >= maxMemory {
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
	fresh    []*photo
	suspects []*photo
}

func (q *queue) add(p *photo)     { q.fresh = append(q.fresh, p) }
func (q *queue) suspect(p *photo) { q.suspects = append(q.suspects, p) }
func (q *queue) empty() bool      { return len(q.fresh) == 0 && len(q.suspects) == 0 }

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

func (q *queue) takeSuspect() *photo {
	p := q.suspects[0]
	q.suspects = q.suspects[1:]
	return p
}

// takeCanary takes a photo from as far away as the queue reaches: bad photos
// come in rows (one broken card, one folder), and a good one is wanted.
func (q *queue) takeCanary() *photo {
	last := len(q.fresh) - 1
	p := q.fresh[last]
	q.fresh[last] = nil
	q.fresh = q.fresh[:last]
	return p
}
