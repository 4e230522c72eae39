package cluster

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Jobs returns the photos for the workers of this machine, of which so many may be without an answer at once. It ends when all photos
// have their results, or when the run is stopped. Each path must get a LocalAnswer.
//
// When nothing is left to be handed out, it takes jobs that wait in the queue, and those of nodes that have gone.
func (c *Coordinator) Jobs(ctx context.Context, capacity int) iter.Seq[string] {
	return func(yield func(string) bool) {
		defer context.AfterFunc(ctx, c.wake)()
		for {
			path, ok := c.nextForLocal(ctx, capacity)
			if !ok || !yield(path) {
				return
			}
		}
	}
}

// localPause is how long this machine leaves the queue alone after it has found a photo there that it has failed on.
const localPause = 2 * time.Second

// nextForLocal waits for a photo. It is false at the end.
func (c *Coordinator) nextForLocal(ctx context.Context, capacity int) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ctx.Err() == nil && c.over == "" {
		if c.localBusy < capacity {
			if e := c.ledger.take(c.cfg.Local, atLocal); e != nil {
				c.localBusy++
				return e.path, true
			}
			if !c.ledger.waiting() && c.ledger.queued > 0 && c.now().After(c.queueAfter) {
				c.mu.Unlock()
				path := c.fromQueue(ctx)
				c.mu.Lock()
				if path != "" && c.ledger.takeOver(path, c.cfg.Local) {
					c.localBusy++
					return path, true
				}
				if c.over != "" {
					break
				}
			}
		}
		c.changed.Wait() // watch wakes it about once a second
	}
	return "", false
}

// fromQueue takes a job out of the queue, "" if there is none.
func (c *Coordinator) fromQueue(ctx context.Context) string {
	limited, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	batch, err := c.queue().taken.Fetch(1, jetstream.FetchContext(limited))
	if err != nil {
		return ""
	}
	for m := range batch.Messages() {
		var j job
		if json.Unmarshal(m.Data(), &j) != nil || !c.seal.valid(j.ID, string(j.Path)) {
			continue
		}
		c.mu.Lock()
		e := c.ledger.out[string(j.Path)]
		mine := e != nil && !e.triedBy(c.cfg.Local)
		c.mu.Unlock()
		if !mine && e != nil {
			// Another machine is to try it. It is handed out again and not refused, because the server counts deliveries.
			c.giveBack(string(j.Path), inQueue)
			_ = m.Ack()
			c.mu.Lock()
			c.queueAfter = c.now().Add(localPause)
			c.mu.Unlock()
			continue
		}
		_ = m.Ack() // from now on the ledger has it
		return string(j.Path)
	}
	return ""
}

// LocalAnswer takes the answer of this machine's workers. It is true if it is to be recorded; call Recorded afterwards.
func (c *Coordinator) LocalAnswer(path string, a Answer) (record bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.localBusy--
	if a.Failure == nil {
		c.localPace.add(a.Seconds)
	}
	v := c.ledger.answer(path, c.cfg.Local, a, c.others)
	for _, m := range v.against {
		c.contradicted(m)
	}
	c.changed.Broadcast()
	return v.record
}

// Recorded notes that an answer of this machine is on record.
func (c *Coordinator) Recorded() {
	c.mu.Lock()
	done := c.ledger.left == 0
	c.mu.Unlock()
	if done {
		c.finish(OverFinished)
	}
}

// LocalPaused takes back what the workers of this machine were given and have not answered, as when they were stopped. Jobs may be
// called again. It returns how many photos have no result yet.
func (c *Coordinator) LocalPaused() (left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.backAll(atLocal)
	c.localBusy = 0
	c.changed.Broadcast()
	return c.ledger.left
}

// LocalGone says that this machine describes no more photos.
func (c *Coordinator) LocalGone() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.forget(c.cfg.Local)
	c.cfg.Local = ""
	c.changed.Broadcast()
}

func (c *Coordinator) now() time.Time { return time.Now() }
