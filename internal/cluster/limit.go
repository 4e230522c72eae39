package cluster

import "time"

// This file bounds what a node may send. What honest nodes send is far below: a few messages every few seconds, and for each photo one
// result and a question for each piece.

// meter allows so many events a second, and a number of them at once after a while without any.
type meter struct {
	rate, burst float64
	used        float64
	at          time.Time
}

// allow counts an event and is false if there were too many.
func (m *meter) allow(now time.Time) bool {
	if m.at.IsZero() || now.Before(m.at) {
		m.at = now
	}
	m.used = max(0, m.used-now.Sub(m.at).Seconds()*m.rate)
	m.at = now
	if m.used+1 > m.burst {
		return false
	}
	m.used++
	return true
}

// limits are the meters of one node.
type limits struct{ control, reads meter }

func newLimits() limits {
	return limits{
		control: meter{rate: 100, burst: 2 * maxSlots}, // a node may give back all that it has at once
		reads:   meter{rate: 4000, burst: 8000},        // of chunks: 2 GB/s
	}
}

// maxSlots is how many photos a node may take at once.
const maxSlots = 4096

// maxLate is how many answers for photos that have their result a node may send beyond what it has described.
const maxLate = 2000

const tooMuch = "it sends far more messages than a node needs to"

// allow is whether a question of a node is to be answered. One that asks without end is put out.
func (c *Coordinator) allow(id, what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &c.strangers.control
	n := c.nodes.nodes[id]
	if n != nil {
		m = &n.limits.control
	}
	if what == askPhoto || what == askModel || what == askHead {
		if m = &c.strangers.reads; n != nil {
			m = &n.limits.reads
		}
	}
	if n != nil && n.hostile {
		return false
	}
	if m.allow(c.now()) {
		return true
	}
	if n != nil {
		c.putOut(n, tooMuch)
	}
	return false
}

// putOut pauses a node that sends what no honest node sends, and has the server close its connection. c.mu is held.
func (c *Coordinator) putOut(n *node, why string) {
	n.bad, n.hostile = why, true
	c.pause(n)
	if c.cfg.PutOut != nil {
		go c.cfg.PutOut(n.id)
	}
}

// hostile is whether nothing of this node is looked at any more.
func (c *Coordinator) hostile(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes.nodes[id]
	return n != nil && n.hostile
}
