package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"photodesc/internal/wording"
)

// registry knows the nodes of a run, and decides which of them are not to be trusted. It is not safe for concurrent use.
type registry struct {
	nodes   map[string]*node
	silence time.Duration // without a beat, after which a node counts as gone
	local   string        // name of this machine, which no node gets
}

// node is what the coordinator knows of one.
type node struct {
	id, name string
	since    time.Time
	seen     time.Time
	beat     Beat
	answers  int    // described photos on record
	failures int    // failed photos on record
	streak   int    // failures in a row
	against  int    // photos that it failed on and another machine described
	returns  int    // photos in a row that it gave back without an answer
	unnamed  bool   // it has not said hello
	bad      string // what it sent that no honest node sends; "" if nothing
	paused   string // why it gets no jobs
	prove    int    // asked of Beat.Proven
	late     int    // answers for photos that had a result
	gone     bool   // silent for too long, or it has left
	left     bool   // it has said that it ends

	told      int       // of it, since toldAt
	toldAt    time.Time // when the count began
	waitSince time.Time // when it began to wait for something
	waitTold  bool

	pace    pace
	resting string // why it gets no photos for now
	rested  bool   // it has done so before
}

const (
	// maxAgainst is how many photos a node may have failed on that others described, if that is more than a tenth of what it described.
	maxAgainst = 3
	// proofAfter is how many failures in a row make a node prove itself.
	proofAfter = 5
	// maxReturns is how many photos in a row a node may give back.
	maxReturns = 50
	maxNodes   = 4096
)

func newRegistry(silence time.Duration) *registry {
	return &registry{nodes: map[string]*node{}, silence: silence}
}

// join adds a node, under a name that no other has.
func (r *registry) join(id, name string, now time.Time) *node {
	if n := r.nodes[id]; n != nil { // the same machine; somebody may have seen to it
		if n.gone {
			n.name = r.free(n.name)
		}
		n.seen, n.gone, n.left, n.paused, n.bad, n.returns, n.streak, n.against, n.prove = now, false, false, "", "", 0, 0, 0, 0
		n.beat, n.resting, n.pace = Beat{}, "", pace{}
		return n
	}
	if len(r.nodes) >= maxNodes {
		for id, n := range r.nodes {
			if n.gone {
				delete(r.nodes, id)
			}
		}
		if len(r.nodes) >= maxNodes {
			return nil
		}
	}
	n := &node{id: id, name: r.free(cmp.Or(oneLine(name, maxName), "node")), since: now, seen: now}
	r.nodes[id] = n
	return n
}

// free is the name, or one like it that no node has.
func (r *registry) free(name string) string {
	base := name
	for i := 2; r.named(name); i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	return name
}

// named is whether a node that is there has the name. A node that comes back may have it again.
func (r *registry) named(name string) bool {
	if name == r.local {
		return true
	}
	for _, n := range r.nodes {
		if n.name == name && !n.gone {
			return true
		}
	}
	return false
}

// usable is whether a node may be given jobs.
func (n *node) usable() bool { return !n.gone && n.paused == "" }

// others is whether a usable machine is there that is none of the given.
func (r *registry) others(without []string, local string) bool {
	if local != "" && !slices.Contains(without, local) {
		return true
	}
	for id, n := range r.nodes {
		if n.usable() && !slices.Contains(without, id) {
			return true
		}
	}
	return false
}

// slots is how many photos all usable nodes take at once.
func (r *registry) slots() (sum int) {
	for _, n := range r.nodes {
		if n.usable() {
			sum += max(n.beat.Slots, 1)
		}
	}
	return sum
}

// expire notes which nodes have been silent for too long, and returns them.
func (r *registry) expire(now time.Time) (gone []*node) {
	for _, n := range r.nodes {
		if !n.gone && now.Sub(n.seen) > r.silence {
			n.gone = true
			gone = append(gone, n)
		}
	}
	return gone
}

// described notes an answer that is on record.
func (n *node) described() { n.answers++; n.streak = 0 }

// failed notes a failure, on record or not.
func (n *node) failed() {
	if n.streak++; n.streak%proofAfter == 0 {
		n.prove = n.beat.Proven + 1
	}
}

// trusted is whether the node's failures count: it has described something, and has not failed on many photos in a row or has shown
// since that it can describe.
func (n *node) trusted() bool {
	return (n.answers > 0 || n.beat.Proven > 0) && (n.streak < proofAfter || n.beat.Proven >= n.prove)
}

// judge pauses a node that cannot be trusted. It returns whether it was paused now.
func (n *node) judge() bool {
	if n.paused != "" {
		return false
	}
	switch {
	case n.bad != "":
		n.paused = n.bad
	case n.beat.Unfit != "":
		n.paused = n.beat.Unfit
	case n.against >= maxAgainst && n.against*10 > n.answers:
		n.paused = fmt.Sprintf("it failed on %s that another machine described", wording.Count(n.against, "photo"))
	default:
		return false
	}
	return true
}

// Node is a node as it is shown.
type Node struct {
	Name      string
	Since     time.Time
	Seen      time.Time
	Slots     int
	InFlight  int
	Ages      float64
	Described int
	Failed    int
	Late      int
	Bytes     uint64
	CPU       float64
	Phase     string
	Paused    string // why it gets no jobs
	Gone      bool
	Left      bool // it has ended; Gone is true, too
}

// list is the nodes by name, those that are there first.
func (r *registry) list() (list []Node) {
	for _, n := range r.nodes {
		list = append(list, Node{
			Name: n.name, Since: n.since, Seen: n.seen, Slots: n.beat.Slots, InFlight: n.beat.InFlight, Ages: n.beat.Ages,
			Described: n.answers, Failed: n.failures, Late: n.late, Bytes: n.beat.Bytes, CPU: n.beat.CPU, Phase: n.phase(),
			Paused: n.paused, Gone: n.gone, Left: n.left,
		})
	}
	slices.SortFunc(list, func(a, b Node) int {
		if a.Gone != b.Gone {
			if a.Gone {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return list
}
