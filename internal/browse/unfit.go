package browse

import (
	"sync"
	"time"
)

// unfit remembers photos of which no preview can be made, so that scrolling past them does not
// crash a worker each time. They are tried again after a while: a disk may have been slow, or a machine too busy.
type unfit struct {
	mu  sync.Mutex
	all map[string]unfitPhoto
}

type unfitPhoto struct {
	modified time.Time
	reason   string
	at       time.Time // of the failure
}

const (
	maxUnfit = 20_000          // bounds the memory
	unfitFor = 5 * time.Minute // after which a preview is tried again
)

func (u *unfit) get(key string, modified, now time.Time) (reason string, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p, ok := u.all[key]
	return p.reason, ok && p.modified.Equal(modified) && now.Sub(p.at) < unfitFor
}

func (u *unfit) put(key string, modified, now time.Time, reason string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil || len(u.all) >= maxUnfit {
		u.all = map[string]unfitPhoto{}
	}
	u.all[key] = unfitPhoto{modified, reason, now}
}
