package browse

import (
	"sync"
	"time"
)

// unfit remembers photos of which no preview can be made, so that scrolling past them does not
// crash a worker each time.
type unfit struct {
	mu  sync.Mutex
	all map[string]unfitPhoto
}

type unfitPhoto struct {
	modified time.Time
	reason   string
}

// maxUnfit bounds the memory.
const maxUnfit = 20_000

func (u *unfit) get(key string, modified time.Time) (reason string, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p, ok := u.all[key]
	return p.reason, ok && p.modified.Equal(modified)
}

func (u *unfit) put(key string, modified time.Time, reason string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil || len(u.all) >= maxUnfit {
		u.all = map[string]unfitPhoto{}
	}
	u.all[key] = unfitPhoto{modified, reason}
}
