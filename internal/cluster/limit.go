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

// sender is what is known of who sends under the name of a node, whether it has said hello or not.
type sender struct {
	control meter // of questions that are answered at once
	reads   meter // of chunks
	bad     int   // messages that no honest node sends
	useless int   // results that are of no use, and no fault of an honest node
	hostile bool  // nothing of it is looked at any more
}

const (
	// maxSlots is how many photos a node may take at once.
	maxSlots = 4096
	// maxBad is how many messages that no honest node sends a node may send.
	maxBad = 16
	// maxUseless is how many results of a run with other settings, or of photos that have their result, a node may send beyond what it has
	// described. After a change of settings an honest one has what was in flight and what waited in the stream.
	maxUseless = 2000 + maxNodeResults
	// maxSenders is how many are known.
	maxSenders = 4 * maxNodes
)

const tooMuch = "it sends far more messages than a node needs to"

// senders are known by the ID of their node.
type senders map[string]*sender

func (s senders) of(id string) *sender {
	if known := s[id]; known != nil {
		return known
	}
	if len(s) >= maxSenders { // on a server of one's own, who may do so can make up names
		clear(s)
	}
	s[id] = &sender{
		control: meter{rate: 100, burst: 2 * maxSlots}, // a node may give back all that it has at once
		reads:   meter{rate: 4000, burst: 8000},        // 2 GB/s
	}
	return s[id]
}

// allow is whether a question of a node is to be answered. One that asks without end is put out.
func (c *Coordinator) allow(id, what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.senders.of(id)
	m := &s.control
	if what == askPhoto || what == askModel || what == askHead {
		m = &s.reads
	}
	switch {
	case s.hostile && what != askHello: // which is told
		return false
	case m.allow(c.now()):
		return true
	case !s.hostile:
		c.putOut(id, tooMuch)
	}
	return false
}

// putOut pauses a node that sends what no honest node sends, and has the server close its connection. c.mu is held.
func (c *Coordinator) putOut(id, why string) {
	c.senders.of(id).hostile = true
	if n := c.nodes.nodes[id]; n != nil {
		n.bad = why
		c.pause(n)
	}
	if c.cfg.PutOut != nil {
		go c.cfg.PutOut(id)
	}
}

// hostile is whether nothing of this node is looked at any more.
func (c *Coordinator) hostile(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.senders.of(id).hostile
}

// sentBad notes that a node has sent what no honest one sends.
func (c *Coordinator) sentBad(id, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.senders.of(id)
	if s.bad++; s.bad >= maxBad && !s.hostile {
		c.putOut(id, why)
	}
}

// sentUseless notes that a node has sent a result that is of no use. c.mu is held.
func (c *Coordinator) sentUseless(id string) {
	s, described := c.senders.of(id), 0
	if n := c.nodes.nodes[id]; n != nil {
		described = n.answers
	}
	if s.useless++; s.useless > maxUseless+described && !s.hostile {
		c.putOut(id, "it sends again and again results that are of no use")
	}
}
