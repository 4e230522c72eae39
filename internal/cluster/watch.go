package cluster

import (
	"context"
	"fmt"
	"time"

	"photodesc/internal/wording"
)

// maxHedges is how often a photo is published while it may still be with a node.
const maxHedges = 6

// hedgeAfter is how long a node may have the last photos beyond what they usually take, while the others have nothing to do.
const hedgeAfter = 10 * time.Second

// partingTime is how long the end of a run waits for nodes to hear of it: they ask at once when their connection is back, and after a
// question whose answer was lost.
func partingTime(ackWait time.Duration) time.Duration { return 2*time.Second + beatTimeout(ackWait) }

// watch looks after nodes and jobs until the run is over.
func (c *Coordinator) watch(ctx context.Context) {
	tick := time.NewTicker(c.cfg.Tick)
	defer tick.Stop()
	stopped := c.stopped
	c.mu.Lock()
	done := c.ledger.left == 0
	c.mu.Unlock()
	if done {
		c.finish(OverFinished)
	}
	for !c.parted() {
		select {
		case <-ctx.Done():
			return
		case <-stopped:
			stopped = nil
			tick.Reset(min(c.cfg.Tick, 50*time.Millisecond))
		case <-c.news.wake:
			c.lookAtNodes() // which tells them
			continue
		case <-tick.C:
		}
		c.lookAtNodes()
		c.lookAtPace()
		c.lookAtStreams(ctx)
		c.lookAtJobs(ctx)
		c.wake()
	}
}

// parted is whether the run is over and nodes have nothing in flight, or have heard of it.
func (c *Coordinator) parted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == "" {
		return false
	}
	if c.err != nil {
		return true
	}
	for _, n := range c.nodes.nodes {
		heard := n.seen.After(c.overAt) && n.beat.InFlight == 0
		if n.gone || n.unnamed || heard || c.over == OverFinished && time.Since(c.overAt) > partingTime(c.cfg.AckWait) {
			continue
		}
		return false
	}
	return true
}

func (c *Coordinator) lookAtNodes() {
	c.mu.Lock()
	now := c.now()
	if gap := now.Sub(c.looked) - c.cfg.Tick; !c.looked.IsZero() && gap > max(c.nodes.silence/4, 2*c.cfg.Tick) {
		c.nodes.slept(gap, now)
	}
	c.looked = now
	for _, n := range c.nodes.expire(now) {
		if c.over == "" {
			c.report(n, NodeSilent, "", "")
		}
		n.beat.InFlight, n.beat.Ages = 0, 0
	}
	c.noteWaits()
	list := c.nodes.list()
	c.mu.Unlock()
	c.tellNews()
	if c.cfg.Observe != nil {
		c.cfg.Observe(list)
	}
}

// lookAtJobs hands out again what has got lost: jobs that no node has and that have no result.
func (c *Coordinator) lookAtJobs(ctx context.Context) {
	c.mu.Lock()
	list := c.ledger.settle(c.others)
	var outcomes []Outcome
	for _, s := range list {
		name := ""
		if n := c.nodes.nodes[s.machine]; n != nil {
			n.failures++
			name = n.name
		} else if s.machine == c.cfg.Local {
			name = s.machine
		}
		outcomes = append(outcomes, Outcome{Path: s.path, Machine: name, Answer: s.answer})
	}
	quiet := c.ledger.queued > 0 && c.now().Sub(c.answered) > 2*c.cfg.Tick && c.over == ""
	if !quiet {
		c.idleTicks = 0
	}
	c.mu.Unlock()
	if !c.keep(outcomes) || !quiet {
		return
	}
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	jobs, err := c.queue().taken.Info(limited)
	if err != nil {
		c.doubtStreams(err)
		return
	}
	answers, err := c.queue().answers.Info(limited)
	if err != nil {
		c.doubtStreams(err)
		return
	}
	empty := jobs.NumPending == 0 && jobs.NumAckPending == 0 && answers.NumPending == 0 && answers.NumAckPending == 0
	c.mu.Lock()
	lost := 0
	if empty {
		if c.idleTicks++; c.idleTicks >= 3 {
			lost = c.ledger.lose()
			c.idleTicks = 0
		}
	} else {
		c.idleTicks = 0
		if jobs.NumPending == 0 && !c.ledger.waiting() {
			c.hedge()
		}
	}
	c.mu.Unlock()
	if lost > 0 {
		_ = c.queue().jobs.Purge(limited) // what was delivered too often stays in it
		c.cfg.Info(fmt.Sprintf("%s without an answer: handed out again", wording.Count(lost, "photo")))
	}
}

// hedge hands out again what one node has had for very long while nothing else is left to do. The first answer counts. c.mu is held.
func (c *Coordinator) hedge() {
	if !c.nodes.several(c.cfg.Local) {
		return
	}
	limit := 2 * c.cfg.AckWait
	if seconds := max(c.meanTime, c.localPace.seconds); seconds > 0 {
		limit = min(limit, hedgeAfter) + time.Duration(8*seconds*float64(time.Second))
	}
	for _, e := range c.ledger.out {
		if e.place == inQueue && e.rounds < maxHedges && c.now().Sub(e.at) > limit {
			c.ledger.requeue(e)
		}
	}
}
