package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"photodesc/internal/wording"
)

// maxReads is how many chunks one node may have asked for and not been given. It asks again for more.
const maxReads = 64

// asked answers a node's question. Photos and models are read by other goroutines, since their disk may hang.
func (c *Coordinator) asked(m *nats.Msg) {
	node, what := c.subjects.nodeOf(m.Subject)
	if node == "" || m.Reply == "" || !c.allow(node, what) {
		return
	}
	switch what {
	case askHello:
		c.respond(m, c.helloed(node, m.Data))
	case askBeat:
		c.respond(m, c.beaten(node, m.Data))
	case askReturn:
		c.respond(m, c.returned(node, m.Data))
	case askLeave:
		c.respond(m, c.leaves(node, m.Data))
	case askPhoto, askModel, askHead:
		c.queueRead(m, node, what)
	}
}

func (c *Coordinator) respond(m *nats.Msg, v any) {
	if data, err := json.Marshal(v); err == nil {
		_ = m.Respond(data)
	}
}

// helloed lets a node in, or says why not.
func (c *Coordinator) helloed(id string, data []byte) Welcome {
	var h hello
	if len(data) > maxMessage || json.Unmarshal(data, &h) != nil {
		return c.refuse(id, "", "its introduction cannot be read")
	}
	switch {
	case c.hostile(id):
		return c.refuse(id, h.Name, "it has sent what no node should; start the run again to have it take part")
	case h.Protocol != protocol:
		return c.refuse(id, h.Name, fmt.Sprintf("it speaks protocol %d, this run speaks %d: install the same version on both machines (%s here)", h.Protocol, protocol, c.cfg.Version))
	case h.Version != c.cfg.Version:
		return c.refuse(id, h.Name, fmt.Sprintf("it is version %q, this run is %q: install the same version on both machines", oneLine(h.Version, maxName), c.cfg.Version))
	}
	name, ending := c.letIn(id, h.Name)
	switch {
	case ending:
		return Welcome{Ending: true}
	case name == "":
		return c.refuse(id, h.Name, "there are too many nodes")
	}
	return Welcome{
		Name: name, Settings: c.cfg.Settings, Model: c.cfg.Model, Work: c.cfg.Work, AckWait: c.cfg.AckWait,
	}
}

// letIn lets a node in under a name that no other has; "" if there are too many, or the run ends.
func (c *Coordinator) letIn(id, asked string) (name string, ending bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != "" {
		return "", true
	}
	known := c.nodes.nodes[id]
	if known != nil && known.unnamed {
		delete(c.nodes.nodes, id)
	}
	action, by := NodeJoined, ""
	switch {
	case known == nil || known.unnamed:
	case known.paused != "":
		action, by = NodeResumed, ByRun
	case known.gone && !known.left:
		action = NodeBack
	}
	n := c.nodes.join(id, asked, c.now())
	if n == nil {
		return "", false
	}
	if known != nil && known.unnamed {
		n.answers, n.failures = known.answers, known.failures
	}
	c.report(n, action, by, "")
	return n.name, false
}

// leaves notes that a node has ended.
func (c *Coordinator) leaves(id string, data []byte) beatReply {
	var p parting
	if len(data) > maxMessage || json.Unmarshal(data, &p) != nil {
		c.sentBad(id, "it sent messages that cannot be read")
		return beatReply{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes.nodes[id]; n != nil && !n.left {
		n.seen, n.left, n.gone = c.now(), true, true
		n.beat.InFlight, n.beat.Ages, n.beat.Phase = 0, 0, ""
		if c.over == "" && !n.unnamed {
			c.report(n, NodeLeft, "", oneLine(p.Why, 300))
		}
		c.changed.Broadcast()
	}
	return beatReply{}
}

// beaten notes that a node is there, and tells it what it should know.
func (c *Coordinator) beaten(id string, data []byte) beatReply {
	var b Beat
	if len(data) > maxMessage || json.Unmarshal(data, &b) != nil {
		c.sentBad(id, "it sent messages that cannot be read")
		return beatReply{}
	}
	b.clamp()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes.nodes[id]
	if n == nil || n.unnamed {
		return beatReply{Unknown: true, Over: c.over}
	}
	if n.gone && c.over == "" {
		c.report(n, NodeBack, "", "")
	}
	slots := n.beat.Slots
	n.seen, n.gone, n.left, n.beat = c.now(), false, false, b
	c.pause(n)
	if slots != b.Slots {
		c.changed.Broadcast()
	}
	return beatReply{Paused: n.paused, Rest: n.resting, Prove: n.prove, Over: c.over}
}

// returned takes a job back.
func (c *Coordinator) returned(id string, data []byte) beatReply {
	var r returned
	if len(data) > 64<<10 || json.Unmarshal(data, &r) != nil || !c.seal.valid(r.ID, string(r.Path)) {
		c.sentBad(id, "it returned photos that it was not given")
		return beatReply{}
	}
	c.giveBack(string(r.Path), inQueue)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes.nodes[id]; n != nil && !r.NotMine {
		if n.returns++; n.returns >= maxReturns {
			n.bad = fmt.Sprintf("it gave back %s in a row without an answer: %s", wording.Count(n.returns, "photo"), oneLine(r.Why, 200))
			c.pause(n)
		}
	}
	return beatReply{}
}

// queueRead has a chunk read, unless the node has asked for very many.
func (c *Coordinator) queueRead(m *nats.Msg, node, what string) {
	c.mu.Lock()
	n := c.nodes.nodes[node]
	busy := c.reading[node] >= maxReads
	if n != nil && !busy {
		c.reading[node]++
	}
	c.mu.Unlock()
	if n == nil || busy {
		_ = m.RespondMsg(busyReply())
		return
	}
	read := func() {
		defer func() {
			c.mu.Lock()
			if c.reading[node]--; c.reading[node] == 0 {
				delete(c.reading, node)
			}
			c.mu.Unlock()
		}()
		var reply *nats.Msg
		switch what {
		case askPhoto:
			reply = c.photoChunk(node, m.Data, chunkOf)
		case askHead:
			reply = c.photoChunk(node, m.Data, c.headOf)
		default:
			reply = c.modelChunk(m.Data)
		}
		_ = m.RespondMsg(reply)
	}
	select {
	case c.reads <- read:
	default:
		c.mu.Lock()
		c.reading[node]--
		c.mu.Unlock()
		_ = m.RespondMsg(busyReply())
	}
}

// photoChunk is a piece of a photo that the node was given.
func (c *Coordinator) photoChunk(node string, data []byte, read func(Photo, int64) *nats.Msg) *nats.Msg {
	var q photoRequest
	if len(data) > 64<<10 || json.Unmarshal(data, &q) != nil || !c.seal.valid(q.ID, string(q.Path)) {
		c.sentBad(node, "it asked for photos that it was not given")
		return errorReply("this node was not given that photo")
	}
	p, err := c.cfg.Open(string(q.Path))
	if err != nil {
		go c.unreadable(c.life, string(q.Path), inQueue, err) // which may take its time
		return errorReply("the run cannot read the photo")
	}
	return read(p, q.Offset)
}

// headOf is what Config.Head says of a photo, which is closed.
func (c *Coordinator) headOf(p Photo, _ int64) *nats.Msg {
	defer p.Close()
	head, err := c.cfg.Head(p, p.Size)
	if err != nil {
		return errorReply(err.Error())
	}
	m := nats.NewMsg("")
	m.Data = []byte(head)
	return m
}

func (c *Coordinator) modelChunk(data []byte) *nats.Msg {
	var q modelRequest
	if len(data) > maxMessage || json.Unmarshal(data, &q) != nil || q.File < 0 || q.File > 1 {
		return errorReply("there is no such file")
	}
	p, err := c.cfg.OpenModel(q.File)
	if err != nil {
		return errorReply(err.Error())
	}
	return chunkOf(p, q.Offset)
}

// chunkOf reads a piece and closes the file.
func chunkOf(p Photo, offset int64) *nats.Msg {
	defer p.Close()
	if offset < 0 || offset > p.Size {
		return errorReply("it has no byte " + strconv.FormatInt(offset, 10))
	}
	buf := make([]byte, min(ChunkSize, p.Size-offset))
	n, err := p.ReadAt(buf, offset)
	if err != nil && !(errors.Is(err, io.EOF) && n == len(buf)) {
		return errorReply(err.Error())
	}
	m := nats.NewMsg("")
	m.Header.Set(headerSize, strconv.FormatInt(p.Size, 10))
	m.Header.Set(headerMTime, p.ModTime.UTC().Format(time.RFC3339Nano))
	m.Data = buf
	return m
}
