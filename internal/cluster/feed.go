package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// readAgain is how long the coordinator waits while no photo can be read.
const readAgain = 5 * time.Second

// queueFor is how many jobs are published for nodes with so many slots: enough that none waits, few enough that the last ones are
// shared out evenly.
func queueFor(slots int) int {
	if slots == 0 {
		return 0
	}
	return min(2*slots+2, maxQueue/2)
}

// feed keeps the queue filled.
func (c *Coordinator) feed(ctx context.Context) {
	var sent []jetstream.PubAckFuture
	var paths []string
	settle := func() {
		for i, f := range sent {
			select {
			case <-f.Ok():
			case err := <-f.Err():
				c.doubtStreams(err)
				c.giveBack(paths[i], inQueue)
			case <-ctx.Done():
				return
			case <-time.After(5 * time.Second): // the server is away, or its queue is full
				c.giveBack(paths[i], inQueue)
			}
		}
		sent, paths = sent[:0], paths[:0]
	}
	for ctx.Err() == nil {
		e := c.nextForNodes(ctx, len(sent) > 0)
		if e == nil {
			settle()
			continue
		}
		size, modTime, err := c.cfg.Stat(e.path)
		if err != nil {
			settle()
			c.unreadable(ctx, e.path, inQueue, err)
			continue
		}
		c.mu.Lock()
		j := job{ID: c.seal.id(e.path), Path: rawPath(e.path), Size: size, ModTime: modTime, Not: e.tried()}
		e.at = time.Now()
		c.mu.Unlock()
		data, err := json.Marshal(j)
		if err != nil {
			c.fail(err)
			return
		}
		f, err := c.queue().js.PublishAsync(c.subjects.job(), data)
		if err != nil {
			c.giveBack(e.path, inQueue)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			continue
		}
		if sent, paths = append(sent, f), append(paths, e.path); len(sent) >= 512 {
			settle()
		}
	}
}

// nextForNodes waits until the queue wants another photo. It returns nil when it should not wait because something is to be settled,
// or at the end.
func (c *Coordinator) nextForNodes(ctx context.Context, busy bool) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ctx.Err() == nil {
		if c.over == "" && c.away == "" && c.ledger.queued < queueFor(c.nodes.slots()) {
			if e := c.ledger.takeForNodes(); e != nil {
				return e
			}
		}
		if busy {
			return nil
		}
		c.changed.Wait()
	}
	return nil
}

// giveBack has a photo handed out again.
func (c *Coordinator) giveBack(path string, from place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.back(path, from)
	c.changed.Broadcast()
}

// unreadable decides what becomes of a photo that the coordinator itself could not read.
func (c *Coordinator) unreadable(ctx context.Context, path string, from place, err error) {
	probed := c.cfg.Probe(path)
	var away *UnavailableError
	if errors.As(probed, &away) {
		c.giveBack(path, from)
		c.mu.Lock()
		first := c.away == ""
		c.away = away.Why
		c.mu.Unlock()
		if first {
			c.cfg.Warn("The photos cannot be reached, nodes wait until they can: " + away.Why)
			go c.awaitPhotos(ctx, path)
		}
		return
	}
	if probed == nil { // it can be read now
		c.giveBack(path, from)
		return
	}
	c.mu.Lock()
	e := c.ledger.out[path]
	if e == nil {
		c.mu.Unlock()
		return
	}
	c.ledger.resolve(e)
	c.mu.Unlock()
	c.keep([]Outcome{{Path: path, Machine: c.cfg.Local, Answer: Answer{Attempts: 1, Failure: &Failure{Kind: "unreadable", Message: oneLine(errors.Join(probed).Error(), maxMessage)}}}})
}

// awaitPhotos probes a photo until photos can be read again.
func (c *Coordinator) awaitPhotos(ctx context.Context, path string) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(readAgain):
		}
		var away *UnavailableError
		if errors.As(c.cfg.Probe(path), &away) {
			continue
		}
		c.mu.Lock()
		c.away = ""
		c.changed.Broadcast()
		c.mu.Unlock()
		c.cfg.Info("The photos can be reached again, nodes go on")
		return
	}
}

// keep records results and ends the run if that fails. It is false then.
func (c *Coordinator) keep(list []Outcome) bool {
	if len(list) == 0 {
		return true
	}
	c.keeping.Lock()
	err := c.cfg.Keep(list)
	c.keeping.Unlock()
	if err != nil {
		c.fail(err)
		return false
	}
	c.mu.Lock()
	done := c.ledger.left == 0
	c.changed.Broadcast()
	c.mu.Unlock()
	if done {
		c.finish(OverFinished)
	}
	return true
}
