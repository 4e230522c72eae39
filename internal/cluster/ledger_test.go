package cluster

import (
	"slices"
	"testing"
	"time"
)

var (
	ok     = Answer{Data: []byte(`{}`)}
	broken = Answer{Failure: &Failure{Kind: "crash", Message: "it crashed"}}
)

func among(machines ...string) func([]string) bool {
	return func(without []string) bool {
		return slices.ContainsFunc(machines, func(m string) bool { return !slices.Contains(without, m) })
	}
}

// TestLedger follows one photo through what may happen to it.
func TestLedger(t *testing.T) {
	three, two, one := among("a", "b", "c"), among("a", "b"), among("a")
	for name, test := range map[string]struct {
		do      func(l *ledger) verdict // with photo "p" handed out to the queue
		want    verdict
		left    int
		waiting bool
	}{
		"described":             {func(l *ledger) verdict { return l.answer("p", "a", ok, two) }, verdict{record: true}, 0, false},
		"failed, one machine":   {func(l *ledger) verdict { return l.answer("p", "a", broken, one) }, verdict{record: true}, 0, false},
		"failed, another there": {func(l *ledger) verdict { return l.answer("p", "a", broken, two) }, verdict{}, 1, true},
		"failed twice on one": {func(l *ledger) verdict {
			l.answer("p", "a", broken, two)
			l.takeForNodes()
			return l.answer("p", "a", broken, two)
		}, verdict{}, 1, true},
		"failed on two": {func(l *ledger) verdict {
			l.answer("p", "a", broken, two)
			l.takeForNodes()
			return l.answer("p", "b", broken, two)
		}, verdict{record: true}, 0, false},
		"failed on one, and on one that is not trusted": {func(l *ledger) verdict {
			l.doubt("p", "b", broken, three)
			l.takeForNodes()
			return l.answer("p", "a", broken, three)
		}, verdict{}, 1, true},
		"failed on two, and on one that is not trusted": {func(l *ledger) verdict {
			l.doubt("p", "b", broken, three)
			l.takeForNodes()
			l.answer("p", "a", broken, three)
			l.takeForNodes()
			return l.answer("p", "c", broken, among("a", "b", "c", "d"))
		}, verdict{record: true}, 0, false},
		"failed on all that are there": {func(l *ledger) verdict {
			l.doubt("p", "b", broken, two)
			l.takeForNodes()
			return l.answer("p", "a", broken, two)
		}, verdict{record: true}, 0, false},
		"failed, described by another": {func(l *ledger) verdict {
			l.answer("p", "a", broken, two)
			l.take("b", atLocal)
			return l.answer("p", "b", ok, two)
		}, verdict{record: true, against: []string{"a"}}, 0, false},
		"two results": {func(l *ledger) verdict {
			l.answer("p", "a", ok, two)
			return l.answer("p", "b", ok, two)
		}, verdict{late: true}, 0, false},
		"result while it waits to be handed out again": {func(l *ledger) verdict {
			l.back("p", inQueue)
			return l.answer("p", "a", ok, two)
		}, verdict{record: true}, 0, false},
		"never handed out, not in the list": {func(l *ledger) verdict { return l.answer("q", "a", ok, two) }, verdict{late: true}, 1, false},
		"lost":                              {func(l *ledger) verdict { l.backAll(inQueue); return verdict{} }, verdict{}, 1, true},
		"given back by a machine that does not have it": {func(l *ledger) verdict { l.back("p", atLocal); return verdict{} }, verdict{}, 1, false},
	} {
		l := newLedger([]string{"p"})
		if e := l.takeForNodes(); e == nil || e.path != "p" || l.queued != 1 {
			t.Fatal(e)
		}
		got := test.do(l)
		if got.record != test.want.record || got.late != test.want.late || !slices.Equal(got.against, test.want.against) || l.left != test.left || l.waiting() != test.waiting {
			t.Errorf("%s: %+v, %d left, waiting %v; want %+v", name, got, l.left, l.waiting(), test)
		}
		if l.left == 0 && (l.queued != 0 || len(l.out) != 0 || len(l.again) != 0) {
			t.Errorf("%s: %d in the queue, %d handed out, %d again after the end", name, l.queued, len(l.out), len(l.again))
		}
	}
}

// A result from before a restart counts, and its photo is not handed out.
func TestLedgerEarlyResult(t *testing.T) {
	l := newLedger([]string{"a", "b", "c"})
	if v := l.answer("b", "node", ok, among("node")); !v.record {
		t.Errorf("%+v", v)
	}
	if v := l.answer("b", "node", ok, among("node")); !v.late {
		t.Errorf("the second result: %+v", v)
	}
	var got []string
	for e := l.takeForNodes(); e != nil; e = l.takeForNodes() {
		got = append(got, e.path)
		l.answer(e.path, "node", ok, among("node"))
	}
	if !slices.Equal(got, []string{"a", "c"}) || l.left != 0 {
		t.Errorf("handed out %v, %d left", got, l.left)
	}
	if v := l.answer("b", "node", ok, among("node")); !v.late {
		t.Errorf("the third result: %+v", v)
	}
}

func TestLedgerSettle(t *testing.T) {
	l := newLedger([]string{"alone", "ends nodes", "other"})
	for range 3 {
		l.takeForNodes()
	}
	l.answer("alone", "a", broken, among("a", "b"))
	if e := l.take("a", atLocal); e != nil {
		t.Errorf("%q is handed out to the machine that has failed on it", e.path)
	}
	l.takeOver("other", "b")
	for range maxLost {
		l.takeForNodes()
		if list := l.settle(among("a", "b")); len(list) > 0 {
			t.Errorf("settled too early: %+v", list)
		}
		l.takeForNodes()
		l.back("alone", inQueue) // which is no loss
		l.lose()
	}
	if list := l.settle(among("a", "b")); len(list) != 1 || list[0].path != "ends nodes" || list[0].answer.Failure.Kind != "crash" || l.left != 2 {
		t.Errorf("%+v, %d left", list, l.left)
	}
	if list := l.settle(among("a")); len(list) != 1 || list[0].path != "alone" || list[0].machine != "a" || l.left != 1 {
		t.Errorf("%+v, %d left when no second machine is there", list, l.left)
	}
	l.back("other", atLocal)
	if e := l.take("a", atLocal); e == nil || e.path != "other" {
		t.Errorf("%+v is handed out", e)
	}
}

func TestRegistry(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := newRegistry(10 * time.Second)
	a, b := r.join("1", "desk", now), r.join("2", "desk\x1b[31m", now)
	if a.name != "desk" || b.name != "desk [31m" {
		t.Errorf("%q and %q", a.name, b.name)
	}
	if c := r.join("3", "desk", now); c.name != "desk-2" {
		t.Errorf("the second of the same name is %q", c.name)
	}
	if !r.others([]string{"1"}, "") || r.others([]string{"1", "2", "3"}, "") || !r.others([]string{"1", "2", "3"}, "here") {
		t.Error("others")
	}
	b.seen = now.Add(9 * time.Second)
	if gone := r.expire(now.Add(11 * time.Second)); len(gone) != 2 || b.gone || !a.gone || r.others([]string{"2"}, "") {
		t.Errorf("%d nodes are gone", len(gone))
	}
	if r.join("1", "desk", now.Add(time.Minute)); a.gone {
		t.Error("it is back")
	}
}

// TestJudge: which nodes are not trusted any more.
func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		node node
		want bool
	}{
		"new":                             {node{}, false},
		"a photo that another described":  {node{against: 1}, false},
		"fails what others describe":      {node{against: maxAgainst}, true},
		"a few of very many":              {node{against: maxAgainst, answers: 1000}, false},
		"says itself that it is broken":   {node{beat: Beat{Unfit: "it cannot describe a known picture"}}, true},
		"sends what no honest node sends": {node{bad: "it sent results that cannot be used"}, true},
		"is paused already":               {node{paused: "why", against: 10}, false},
	} {
		if got := test.node.judge(); got != test.want {
			t.Errorf("%s: paused %v (%q)", name, got, test.node.paused)
		}
	}
	n := node{beat: Beat{Proven: 1}, answers: 1}
	for range proofAfter {
		n.failed()
	}
	if n.trusted() || n.prove != 2 {
		t.Errorf("after %d failures in a row: trusted %v, asked for proof %d", proofAfter, n.trusted(), n.prove)
	}
	if n.beat.Proven = 2; !n.trusted() {
		t.Error("it has proven itself")
	}
}

// TestNotTrusted: what only machines that are not trusted have failed on is tried again when nobody else is there.
func TestNotTrusted(t *testing.T) {
	l := newLedger([]string{"p"})
	l.takeForNodes()
	l.doubt("p", "a", broken, among("a", "b"))
	if list := l.settle(among("a")); len(list) > 0 {
		t.Errorf("blamed: %+v", list)
	}
	if e := l.take("a", inQueue); e == nil {
		t.Error("it is not tried again")
	}
	l.answer("p", "a", broken, among("a", "b")) // now it is trusted
	if list := l.settle(among("a")); len(list) != 1 || list[0].machine != "a" || l.left != 0 {
		t.Errorf("settled: %+v", list)
	}
}
