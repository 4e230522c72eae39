package cluster

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// maxBatch is how many results are recorded together, with one wait for the disk.
const maxBatch = 256

// take records results as they come.
func (c *Coordinator) take(ctx context.Context, in <-chan jetstream.Msg) {
	batch := make([]jetstream.Msg, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case <-ctx.Done():
			return
		case m, ok := <-in:
			if !ok {
				return
			}
			batch = append(batch, m)
		}
	more:
		for len(batch) < maxBatch {
			select {
			case m, ok := <-in:
				if !ok {
					break more
				}
				batch = append(batch, m)
			default:
				break more
			}
		}
		if !c.takeBatch(batch) {
			return
		}
	}
}

// takeBatch records results and then acknowledges them. It is false if they could not be recorded.
func (c *Coordinator) takeBatch(batch []jetstream.Msg) bool {
	var list []Outcome
	for _, m := range batch {
		node, _ := c.subjects.nodeOf(m.Subject())
		if c.hostile(node) {
			continue
		}
		r, err := parseResult(m.Data())
		if err == nil && r.Settings != c.cfg.Settings {
			c.mu.Lock()
			c.sentUseless(node)
			c.mu.Unlock()
			continue
		}
		if err == nil && !c.seal.valid(r.ID, string(r.Path)) {
			err = fmt.Errorf("it is about a photo that the node was not given")
		}
		if err != nil {
			c.sentBad(node, "it sent results that cannot be used: "+oneLine(err.Error(), 200))
			continue
		}
		if o, record := c.judge(node, r); record {
			list = append(list, o)
		}
	}
	if !c.keep(list) {
		return false
	}
	for _, m := range batch {
		_ = m.Ack() // if that is lost it comes again and is too late
	}
	return true
}

// judge decides what becomes of a node's result.
func (c *Coordinator) judge(id string, r result) (Outcome, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := string(r.Path)
	n := c.nodes.nodes[id]
	if n == nil { // it has not said hello since this coordinator was started
		n = c.nodes.join(id, r.Node, c.now())
		if n == nil {
			return Outcome{}, false
		}
		n.unnamed = true
	}
	if n.paused != "" {
		c.ledger.back(path, inQueue)
		c.changed.Broadcast()
		return Outcome{}, false
	}
	c.answered = c.now()
	n.returns = 0
	if r.Failure != nil {
		if n.failed(); !n.trusted() {
			c.ledger.doubt(path, id, r.Answer, c.others)
			c.changed.Broadcast()
			return Outcome{}, false
		}
	}
	v := c.ledger.answer(path, id, r.Answer, c.others)
	switch {
	case v.late:
		n.late++
		c.sentUseless(id)
	case v.record && r.Failure != nil:
		n.failures++
	case v.record:
		n.described()
		n.pace.add(r.Seconds)
		if c.meanTime == 0 {
			c.meanTime = r.Seconds
		}
		c.meanTime += (r.Seconds - c.meanTime) / 16
	}
	for _, m := range v.against {
		c.contradicted(m)
	}
	c.changed.Broadcast()
	return Outcome{Path: path, Machine: n.name, Answer: r.Answer}, v.record
}

// contradicted notes that another machine has described what this one failed on. c.mu is held.
func (c *Coordinator) contradicted(machine string) {
	if n := c.nodes.nodes[machine]; n != nil {
		n.against++
		c.pause(n)
	}
}

// pause stops giving jobs to a node that is not to be trusted, if it is not. c.mu is held.
func (c *Coordinator) pause(n *node) {
	if !n.judge() {
		return
	}
	c.ledger.forget(n.id)
	c.changed.Broadcast()
	c.report(n, NodePaused, ByRun, n.paused)
}
