package main

import (
	"math"
	"testing"
	"time"

	"photodesc/internal/cluster"
)

// The rate of a node is that of its last ten minutes of work, and nothing before it means something.
func TestNodeRates(t *testing.T) {
	now := time.Now()
	var rates nodeRates
	n := cluster.Node{Name: "desk", Since: now}
	var last float64
	second := func(photos, inFlight int) {
		now = now.Add(time.Second)
		n.Described, n.InFlight = n.Described+photos, inFlight
		last = rates.look(now, []cluster.Node{n})[0]
	}
	about := func(what string, want float64) {
		t.Helper()
		if math.Abs(last-want) > want/50 {
			t.Errorf("%s: %.0f photos an hour, want %.0f", what, last, want)
		}
	}
	for range 600 {
		second(0, 0) // it loads the model
	}
	for range 9 {
		second(2, 8)
	}
	if last != 0 {
		t.Errorf("after nine seconds it is said to describe %.0f photos an hour", last)
	}
	for range 60 {
		second(2, 8)
	}
	about("at work", 7200)
	for range 100 {
		second(0, 0)
	}
	about("the queue was empty", 7200)
	now = now.Add(8 * time.Hour) // the machine slept
	second(2, 8)
	about("after a sleep", 7200*float64(69*2+2)/float64(69*2+10))
	n.Gone, n.InFlight = true, 0
	for range 100 {
		second(0, 0)
	}
	n.Gone = false
	for range 610 {
		second(1, 8)
	}
	about("slower for ten minutes", 3600)
	n = cluster.Node{Name: "desk", Since: now, Described: 5000} // another one of this name
	second(0, 8)
	if last != 0 {
		t.Errorf("a new node is said to describe %.0f photos an hour", last)
	}
	if len(rates.nodes) != 1 {
		t.Errorf("%d nodes are kept", len(rates.nodes))
	}
}
