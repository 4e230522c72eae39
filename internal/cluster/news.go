package cluster

import (
	"fmt"
	"strings"
	"time"

	"photodesc/internal/wording"
)

// NodeAction is what has become of a node.
type NodeAction string

// The actions.
const (
	NodeJoined  NodeAction = "joined"
	NodeLeft    NodeAction = "left"    // it has ended; Reason says why unless it was asked to
	NodeSilent  NodeAction = "silent"  // nothing was heard of it for some time; what it has goes to others
	NodeBack    NodeAction = "back"    // it is heard of again
	NodePaused  NodeAction = "paused"  // it describes nothing now; Reason says why, and By whose decision that is
	NodeResumed NodeAction = "resumed" // that is over
	NodeRefused NodeAction = "refused" // it was not let in; Reason says why
)

// By whose decision a node describes nothing.
const (
	ByRun  = "run"  // it is not to be trusted
	ByNode = "node" // it waits, as for mains power
)

// NodeNews is something that has become of a node.
type NodeNews struct {
	Time      time.Time
	Action    NodeAction
	Name      string // of the node
	Reason    string
	By        string // ByRun or ByNode, of a pause and its end
	Described int    // by it so far
	Failed    int    // on record as failed on it

	silence  time.Duration // after which it counts as gone
	inFlight int
}

// Bad is whether somebody should see to it.
func (n NodeNews) Bad() bool {
	return n.Action == NodeSilent || n.Action == NodeRefused || n.Action == NodePaused && n.By == ByRun || n.Action == NodeLeft && n.Reason != ""
}

// Text is the news as a sentence.
func (n NodeNews) Text() string {
	node := "Node " + n.Name
	switch n.Action {
	case NodeJoined:
		return node + " joins"
	case NodeLeft:
		text := fmt.Sprintf("%s leaves after %s", node, wording.Count(n.Described, "photo"))
		if n.Reason != "" {
			text += ": " + n.Reason
		}
		return text
	case NodeSilent:
		if n.inFlight == 0 {
			return fmt.Sprintf("%s has said nothing for %s; it may come back", node, n.silence)
		}
		return fmt.Sprintf("%s has said nothing for %s: what it has in flight goes to others; it may come back", node, n.silence)
	case NodeBack:
		return node + " is back"
	case NodePaused:
		if n.By == ByNode {
			return node + " is " + n.Reason
		}
		return fmt.Sprintf("%s gets no more photos: %s. What it had goes to others; see to it and start `photodesc node` there again", node, n.Reason)
	case NodeResumed:
		if n.By == ByNode {
			return node + " goes on"
		}
		return node + " was started again and gets photos"
	}
	return node + " is refused: " + n.Reason
}

const (
	// maxNodeNews is how much is told of one node in a minute.
	maxNodeNews = 20
	// maxNews is how much is told of all nodes at once.
	maxNews = 4096
	// tellWaits is how long a node waits for something before that is told.
	tellWaits = 10 * time.Second
	// waits begins the phase of a node that waits on purpose.
	waits = "waiting for "
)

// newsDesk gathers what has become of nodes until it is told, which may take as long as somebody reads slowly.
type newsDesk struct {
	list    []NodeNews
	refused map[string]time.Time // when that was told last, by node and reason
	wake    chan struct{}
}

func newNewsDesk() newsDesk {
	return newsDesk{refused: map[string]time.Time{}, wake: make(chan struct{}, 1)}
}

// add adds news. The coordinator's lock is held.
func (d *newsDesk) add(n NodeNews) {
	if len(d.list) >= maxNews {
		return
	}
	d.list = append(d.list, n)
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// report notes what has become of a node. c.mu is held.
func (c *Coordinator) report(n *node, action NodeAction, by, reason string) {
	now := c.now()
	if now.Sub(n.toldAt) > time.Minute {
		n.toldAt, n.told = now, 0
	}
	if n.told++; n.told > maxNodeNews {
		return
	}
	c.news.add(NodeNews{
		Time: now, Action: action, Name: n.name, By: by, Reason: reason, Described: n.answers, Failed: n.failures,
		silence: c.nodes.silence, inFlight: n.beat.InFlight,
	})
}

// refuse is the answer to a node that is not let in. It is told once an hour, since a node that is started again and again asks each time.
func (c *Coordinator) refuse(id, name, reason string) Welcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, key := c.now(), id+reason
	for k, at := range c.news.refused {
		if now.Sub(at) > time.Hour {
			delete(c.news.refused, k)
		}
	}
	if name = oneLine(name, maxName); name == "" {
		name = "without a name"
	}
	if _, told := c.news.refused[key]; !told && len(c.news.refused) < maxNodeNews {
		c.news.refused[key] = now
		c.news.add(NodeNews{Time: now, Action: NodeRefused, Name: name, Reason: reason})
	}
	return Welcome{Refused: reason}
}

// noteWaits reports of nodes that have been waiting for something for a while, and of those that go on. c.mu is held.
func (c *Coordinator) noteWaits() {
	for _, n := range c.nodes.nodes {
		switch waiting := strings.HasPrefix(n.beat.Phase, waits) && n.usable(); {
		case !waiting && n.waitTold:
			n.waitTold = false
			if n.usable() {
				c.report(n, NodeResumed, ByNode, "")
			}
			n.waitSince = time.Time{}
		case !waiting:
			n.waitSince = time.Time{}
		case n.waitSince.IsZero():
			n.waitSince = c.now()
		case !n.waitTold && c.now().Sub(n.waitSince) >= tellWaits:
			n.waitTold = true
			c.report(n, NodePaused, ByNode, n.beat.Phase)
		}
	}
}

// tellNews tells what has become of nodes since the last time. It is not called concurrently.
func (c *Coordinator) tellNews() {
	c.mu.Lock()
	list := c.news.list
	c.news.list = nil
	c.mu.Unlock()
	for _, n := range list {
		if n.Bad() {
			c.cfg.Warn(n.Text())
		} else {
			c.cfg.Info(n.Text())
		}
		if c.cfg.News != nil {
			c.cfg.News(n)
		}
	}
}

// parting is what a node says when it ends.
type parting struct {
	Why string `json:"why,omitempty"` // unless somebody asked for it
}
