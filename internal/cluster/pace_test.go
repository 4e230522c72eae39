package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// nodesOf makes a registry of nodes that each take so many seconds for a photo.
func nodesOf(t *testing.T, nodes ...node) *registry {
	t.Helper()
	r := newRegistry(15 * time.Second)
	for i := range nodes {
		n := &nodes[i]
		n.id = fmt.Sprint(i)
		r.nodes[n.id] = n
	}
	return r
}

func TestRest(t *testing.T) {
	desk := node{name: "desk", pace: pace{seconds: 1, rate: 4}} // 4 photos a second
	for name, c := range map[string]struct {
		left         int
		local        float64 // seconds of a photo here, four at once
		nodes        []node
		want         string // nodes that rest
		stillResting bool   // they did before
	}{
		"many are left":                {left: 1000, nodes: []node{desk, {name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}},
		"few are left":                 {left: 300, nodes: []node{desk, {name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}, want: "laptop"},
		"the machine of the run":       {left: 300, local: 1, nodes: []node{{name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}, want: "laptop"},
		"not far slower":               {left: 1, nodes: []node{desk, {name: "laptop", pace: pace{seconds: 3.9, rate: 0.512821}}}},
		"alone":                        {left: 1, nodes: []node{{name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}},
		"equal":                        {left: 1, nodes: []node{desk, desk, desk}},
		"no answer for long":           {left: 10, nodes: []node{desk, {name: "laptop", beat: Beat{InFlight: 2, Ages: 120}}}, want: "laptop"},
		"nobody has answered":          {left: 10, nodes: []node{{name: "a", beat: Beat{InFlight: 2, Ages: 120}}, {name: "b", beat: Beat{Slots: 2}}}},
		"the fast one has gone":        {left: 10, nodes: []node{{name: "desk", pace: pace{seconds: 1, rate: 4}, gone: true}, {name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}},
		"the fast one is paused":       {left: 10, nodes: []node{{name: "desk", pace: pace{seconds: 1, rate: 4}, paused: "broken"}, {name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}},
		"two slow ones":                {left: 50, nodes: []node{desk, {name: "b", pace: pace{seconds: 100, rate: 0.01}}, {name: "c", pace: pace{seconds: 90, rate: 0.0111111}}}, want: "b c"},
		"a fast node beside slow ones": {left: 4, nodes: []node{{name: "fast", beat: Beat{Slots: 1}, pace: pace{seconds: 1, rate: 4}}, {name: "b", pace: pace{seconds: 10, rate: 0.8}}}, want: "b"},
		"rests on while it is near":    {left: 500, nodes: []node{desk, {name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}, stillResting: true, want: "laptop"},
		"goes on when there are more":  {left: 700, nodes: []node{desk, {name: "laptop", pace: pace{seconds: 100, rate: 0.02}}}, stillResting: true},
	} {
		r := nodesOf(t, c.nodes...)
		if c.stillResting {
			r.nodes["1"].resting, r.nodes["1"].rested = "slow", true
		}
		local := pace{}
		if c.local > 0 {
			local = pace{seconds: c.local, rate: 4 / c.local}
		}
		first := r.rest(c.left, local)
		var resting []string
		for _, n := range r.list() {
			if strings.HasPrefix(n.Phase, "resting: slow (") {
				resting = append(resting, n.Name)
			}
		}
		if got := strings.Join(resting, " "); got != c.want {
			t.Errorf("%s: %q rest, want %q", name, got, c.want)
		}
		if want := len(resting); !c.stillResting && len(first) != want || c.stillResting && len(first) != 0 {
			t.Errorf("%s: %d are named", name, len(first))
		}
		if again := r.rest(c.left, local); len(again) > 0 {
			t.Errorf("%s: named again", name)
		}
	}
}

// TestSlept: nodes are not gone because the coordinator's own machine was asleep.
func TestSlept(t *testing.T) {
	now := time.Now()
	r := nodesOf(t, node{name: "a", seen: now.Add(-time.Hour)}, node{name: "b", seen: now.Add(-time.Hour - 20*time.Second)}, node{name: "c", seen: now})
	r.slept(time.Hour, now)
	gone := r.expire(now)
	if len(gone) != 1 || gone[0].name != "b" {
		t.Errorf("gone: %v", gone)
	}
	if r.nodes["2"].seen.After(now) {
		t.Error("seen in the future")
	}
}

func TestPace(t *testing.T) {
	var p pace
	for range 100 {
		for range 5 {
			p.add(0.5)
		}
		p.pass(1)
	}
	if p.rate < 4.9 || p.rate > 5.1 || p.seconds < 0.49 || p.seconds > 0.51 {
		t.Errorf("%+v", p)
	}
	for range 120 { // one that was fast and takes photos and no more answers is no reason for others to rest
		p.pass(1)
	}
	if p.rate > 0.02 {
		t.Errorf("after two minutes of silence: %+v", p)
	}
}

func TestMeter(t *testing.T) {
	m, now := meter{rate: 10, burst: 5}, time.Now()
	count := func() (n int) {
		for range 100 {
			if m.allow(now) {
				n++
			}
		}
		return n
	}
	if n := count(); n != 5 {
		t.Errorf("%d at once", n)
	}
	now = now.Add(300 * time.Millisecond)
	if n := count(); n != 3 {
		t.Errorf("%d after 0.3 s", n)
	}
	if now = now.Add(time.Hour); count() != 5 {
		t.Error("after an hour")
	}
	now = now.Add(-30 * time.Minute) // the clock was set back
	count()
	if now = now.Add(time.Second); count() == 0 {
		t.Error("nothing after the clock was set back")
	}
}

// TestSlowNode: the end of a run does not wait for a node that is far slower than the others, which is named.
func TestSlowNode(t *testing.T) {
	photos := numbered(60)
	r := serve(t, testOptions{photos: photos, ackWait: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l, err := Dial(r.address(), RandomSecret(), func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, err := l.Join(ctx, "", "snail", "test", 2)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	held, rested := make(chan bool, 100), make(chan string, 100)
	wait.Go(func() {
		_, _ = l.Do(ctx, nil, Work{Slots: 2, AckWait: w.AckWait, Beat: func() Beat { return Beat{InFlight: 2, Ages: 1000} }, Prove: func(int) {},
			Resting: func(why string) { rested <- why }, Paused: func(why string) { t.Errorf("paused: %s", why) },
			Describe: func(ctx context.Context, j Job) (Answer, error) {
				held <- true
				<-ctx.Done()
				return Answer{}, errors.New("too late")
			}})
	})
	<-held
	<-held
	wait.Go(func() {
		_, _ = joinRun(ctx, r.address(), "", "desk", 2, func(context.Context, Job) (Answer, error) {
			time.Sleep(10 * time.Millisecond)
			return described, nil
		})
	})
	r.wait()
	if why := <-rested; !strings.Contains(why, "slow (") {
		t.Errorf("it is told %q", why)
	}
	cancel()
	wait.Wait()
	r.once(photos)
	for _, list := range r.kept {
		if list[0].Machine != "desk" {
			t.Errorf("by %s", list[0].Machine)
		}
	}
	if text := strings.Join(r.infos, "\n"); strings.Count(text, "Node snail gets no more photos, with") != 1 {
		t.Error(text)
	}
}

// TestRestNobody: a photo that the fast machine has failed on is left to a slow one, which must not rest then.
func TestRestNobody(t *testing.T) {
	l := newLedger([]string{"a"})
	if l.take("desk", atLocal); l.asksOthers() {
		t.Error("nobody has failed")
	}
	l.answer("a", "desk", Answer{Failure: &Failure{Kind: "unreadable"}}, func([]string) bool { return true })
	if !l.asksOthers() {
		t.Error("the photo waits for another machine")
	}
	r := nodesOf(t, node{name: "desk", pace: pace{seconds: 1, rate: 4}}, node{name: "laptop", resting: "slow"})
	if r.restNobody(); r.nodes["1"].resting != "" {
		t.Error("the laptop rests")
	}
}
