package main

import (
	"time"

	"photodesc/internal/cluster"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// This file has what is shown of nodes: how fast each is, and what each has done in the end.

const (
	// nodeRateLeast is how long a node has to have worked before its rate means something.
	nodeRateLeast = 10 * time.Second
	// nodeRatePhotos is how many photos it has to have described by then.
	nodeRatePhotos = 5
	// nodeRateEvery and nodeRateMarks say how far back the rate looks: ten minutes.
	nodeRateEvery = 10 * time.Second
	nodeRateMarks = 60
	// nodeRateStep is the longest time between two looks that counts: the machine may have slept.
	nodeRateStep = 5 * time.Second
)

// nodeRates are the rates of nodes, each over the time in which it had photos.
type nodeRates struct {
	last  time.Time
	nodes map[nodeKey]*nodePace
}

// nodeKey tells apart nodes that had a name one after the other.
type nodeKey struct {
	name  string
	since time.Time
}

// nodePace is how fast a node is.
type nodePace struct {
	worked time.Duration
	photos int        // answered since the first look
	first  int        // answered before
	marks  []paceMark // every nodeRateEvery of work, the oldest first
}

type paceMark struct {
	worked time.Duration
	photos int
}

// look notes how far the nodes are, and returns the photos an hour of each. What is not known yet is 0.
func (r *nodeRates) look(now time.Time, list []cluster.Node) []float64 {
	step := min(max(now.Sub(r.last), 0), nodeRateStep)
	if r.last.IsZero() {
		step = 0
	}
	r.last = now
	before, rates := r.nodes, make([]float64, len(list))
	r.nodes = make(map[nodeKey]*nodePace, len(list)) // of nodes that are forgotten nothing stays
	for i, n := range list {
		key := nodeKey{n.Name, n.Since}
		p := before[key]
		if p == nil {
			p = &nodePace{first: n.Described + n.Failed, marks: []paceMark{{}}}
		}
		r.nodes[key] = p
		answered := n.Described + n.Failed - p.first
		if !n.Gone && n.Paused == "" && (n.InFlight > 0 || answered > p.photos) {
			p.worked += step
		}
		p.photos = answered
		rates[i] = p.rate()
	}
	return rates
}

// rate is photos an hour, 0 if it is not known yet.
func (p *nodePace) rate() float64 {
	if last := p.marks[len(p.marks)-1]; p.worked-last.worked >= nodeRateEvery {
		p.marks = append(p.marks, paceMark{p.worked, p.photos})
		p.marks = p.marks[max(0, len(p.marks)-nodeRateMarks):]
	}
	from := p.marks[0]
	worked, photos := p.worked-from.worked, p.photos-from.photos
	if worked < nodeRateLeast || photos < nodeRatePhotos {
		return 0
	}
	return float64(photos) / worked.Hours()
}

// nodeSummaries are what the machines of a run have done, this one included. A run on one machine has none.
func nodeSummaries(r *runner) (list []ui.NodeSummary) {
	s := r.shared.Load()
	if s == nil {
		return nil
	}
	p, _, nodes, _ := r.track.Live().Figures()
	own := ui.NodeSummary{Name: s.name, Described: p.RunCompleted, Failed: p.RunFailed}
	for _, n := range nodes {
		list = append(list, ui.NodeSummary{Name: n.Name, Described: n.Described, Failed: n.Failed, Rate: n.Rate, Paused: n.Paused})
		own.Described -= n.Described
		own.Failed -= n.Failed
	}
	if own.Described > 0 || own.Failed > 0 {
		list = append(list, own)
	}
	return list
}

// nodesOf are nodes as status shows them.
func nodesOf(nodes []cluster.Node, rates []float64) []tracker.Node {
	list := make([]tracker.Node, len(nodes))
	for i, n := range nodes {
		list[i] = tracker.Node{
			Name: n.Name, Since: n.Since, Seen: n.Seen, Slots: n.Slots, InFlight: n.InFlight, Described: n.Described, Failed: n.Failed, Late: n.Late,
			Rate: tenth(rates[i]), Bytes: n.Bytes, CPU: tenth(n.CPU), Phase: n.Phase, Paused: n.Paused, Gone: n.Gone, Left: n.Left,
		}
	}
	return list
}
