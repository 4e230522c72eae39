package cluster

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"photodesc/internal/wording"
)

// This file decides which nodes get no more photos because they are so slow that the end of the run would wait for them.

// pace is how fast a machine describes. What it says of itself counts only for how long a photo takes; how many it describes is counted.
type pace struct {
	seconds float64 // of a photo from when a worker gets it until it answers, smoothed; 0 before the first
	rate    float64 // described photos a second, over the last half minute or so
	fresh   int     // described since rate was brought up to date
}

func (p *pace) add(seconds float64) {
	if p.seconds == 0 {
		p.seconds = seconds
	}
	p.seconds += (seconds - p.seconds) / 8
	p.fresh++
}

// rateOver is how many seconds pace.rate looks back.
const rateOver = 20

// pass brings the rate up to date after so many seconds.
func (p *pace) pass(seconds float64) {
	if seconds > 0 {
		p.rate += (float64(p.fresh)/seconds - p.rate) * (1 - math.Exp(-seconds/rateOver))
		p.fresh = 0
	}
}

// slowTimes is how many times as long as the others a node takes for a photo that counts as slow.
const slowTimes = 4

// takes is how many seconds the node needs for a photo: as its last ones did, or as those that it has do already. 0 is not known.
func (n *node) takes() float64 {
	now := 0.0
	if n.beat.InFlight > 0 {
		now = n.beat.Ages / float64(n.beat.InFlight)
	}
	return max(n.pace.seconds, now)
}

// crew is what several machines do together.
type crew struct {
	rate float64 // photos in a second
	busy float64 // seconds that these take, added up
}

func (c *crew) add(p pace) { c.rate, c.busy = c.rate+p.rate, c.busy+p.rate*p.seconds }

// takes is how many seconds they need for a photo on average.
func (c crew) takes() float64 { return c.busy / c.rate }

// rest finds out which nodes rest: those for which a photo takes far longer than for the others, who will have described all that are
// left before it could describe one more. A node goes on as soon as that is not so any more, as when others have gone. It returns nodes
// that rest for the first time.
func (r *registry) rest(left int, local pace) (first []*node) {
	var all crew
	all.add(local)
	for _, n := range r.nodes {
		if n.usable() {
			all.add(n.pace)
		}
	}
	for _, n := range r.nodes {
		others := crew{all.rate - n.pace.rate, all.busy - n.pace.rate*n.pace.seconds}
		if !n.usable() || others.rate <= all.rate*1e-6 || others.busy <= 0 { // nobody else describes; it is not quite 0
			n.resting = ""
			continue
		}
		takes, end := n.takes(), float64(left)/others.rate+others.takes()
		if n.resting != "" {
			end /= 1.5 // so that it does not change all the time
		}
		if takes < slowTimes*others.takes() || takes < end {
			n.resting = ""
			continue
		}
		if n.resting == "" && !n.rested {
			first = append(first, n)
			n.rested = true
		}
		n.resting = fmt.Sprintf("slow (%s a photo, the others %s), and the others describe what is left sooner", roundSeconds(takes), roundSeconds(others.takes()))
	}
	return first
}

func (r *registry) restNobody() {
	for _, n := range r.nodes {
		n.resting = ""
	}
}

func roundSeconds(s float64) time.Duration {
	d := time.Duration(s * float64(time.Second))
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}

// lookAtPace has slow nodes rest at the end of a run. c.mu is not held.
func (c *Coordinator) lookAtPace() {
	c.mu.Lock()
	left, now := c.ledger.left, c.now()
	if passed := now.Sub(c.pacedAt).Seconds(); !c.pacedAt.IsZero() {
		c.localPace.pass(passed)
		for _, n := range c.nodes.nodes {
			n.pace.pass(passed)
		}
	}
	c.pacedAt = now
	var first []*node
	if left == 0 || c.ledger.asksOthers() { // the fast ones may have failed on it already
		c.nodes.restNobody()
	} else {
		first = c.nodes.rest(left, c.localPace)
	}
	c.mu.Unlock()
	for _, n := range first {
		c.cfg.Info(fmt.Sprintf("Node %s gets no more photos, with %s left: it is %s", n.name, wording.Count(left, "photo"), n.resting))
	}
}

// several is whether more than one machine is there that may be given photos.
func (r *registry) several(local string) bool {
	count := 0
	if local != "" {
		count++
	}
	for _, n := range r.nodes {
		if n.usable() {
			count++
		}
	}
	return count > 1
}

// slept is told how long the coordinator has not looked at nodes, as when its machine was asleep. Their silence of that time says nothing.
func (r *registry) slept(gap time.Duration, now time.Time) {
	for _, n := range r.nodes {
		if seen := n.seen.Add(gap); !n.gone {
			n.seen = seen
			if seen.After(now) {
				n.seen = now
			}
		}
	}
}

// phase is what a node does, as it is shown.
func (n *node) phase() string {
	if n.resting != "" && !n.gone && n.paused == "" {
		return cmp.Or(n.beat.Phase, "resting: "+n.resting)
	}
	return n.beat.Phase
}
