package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestNews: what becomes of nodes is told once, in order, with reasons.
func TestNews(t *testing.T) {
	photos := numbered(3)
	r := serve(t, testOptions{photos: photos})
	dial := func(secret string) *Link {
		l, err := Dial(r.address(), secret, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	told := func() (list []string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, n := range r.news {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", n.Name, n.Action, n.By, n.Reason)))
		}
		return list
	}
	await := func(want ...string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); len(told()) < len(want) && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
		if got := told(); !slices.Equal(got, want) {
			t.Fatalf("%q\nwant\n%q", got, want)
		}
	}
	ctx := t.Context()
	l, other := dial("secret of a laptop, of some length"), dial("secret of another, of some length")
	var refused *RefusedError
	for range 3 { // it is started again and again
		if _, err := other.Join(ctx, "", "old\x1b[31m", "0.1", 1); !errors.As(err, &refused) {
			t.Fatal(err)
		}
	}
	want := []string{`old [31m refused  it is version "0.1", this run is "test": install the same version on both machines`}
	await(want...)
	if _, err := l.Join(ctx, "", "laptop", "test", 2); err != nil {
		t.Fatal(err)
	}
	beat := func(b Beat) (reply beatReply) {
		if err := l.ask(ctx, askBeat, b, &reply); err != nil {
			t.Fatal(err)
		}
		return reply
	}
	beat(Beat{Slots: 2, InFlight: 2})
	l.Leave("")
	l.Leave("") // twice is once
	want = append(want, "laptop joined", "laptop left")
	await(want...)
	r.co.lookAtNodes()
	r.mu.Lock()
	if n := r.nodes[0]; !n.Left || !n.Gone || n.InFlight != 0 {
		t.Errorf("%+v", n)
	}
	r.mu.Unlock()
	if _, err := l.Join(ctx, "", "laptop", "test", 2); err != nil {
		t.Fatal(err)
	}
	if reply := beat(Beat{Unfit: "its GPU is broken"}); reply.Paused == "" {
		t.Error("it gets photos")
	}
	if _, err := l.Join(ctx, "", "laptop", "test", 2); err != nil {
		t.Fatal(err)
	}
	l.Leave("the model\x07 cannot be fetched")
	want = append(want, "laptop joined", "laptop paused run its GPU is broken", "laptop resumed run", "laptop left  the model  cannot be fetched")
	await(want...)
	// One that comes and goes without end does not fill the log.
	for range 3 * maxNodeNews {
		if _, err := l.Join(ctx, "", "laptop", "test", 2); err != nil {
			t.Fatal(err)
		}
		l.Leave("")
	}
	_, _ = joinRun(ctx, r.address(), "", "last", 2, func(context.Context, Job) (Answer, error) { return described, nil })
	r.wait()
	r.once(photos)
	if n := len(told()); n > 2*maxNodeNews {
		t.Errorf("told %d times", n)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, said := range []string{"Node old [31m is refused: it is version", "Node laptop gets no more photos: its GPU is broken", "Node laptop leaves after 0 photos: the model  cannot be fetched"} {
		if !strings.Contains(strings.Join(r.warnings, "\n"), said) {
			t.Errorf("no warning has %q", said)
		}
	}
}

// TestNewsOfWaits: a node that waits for a moment is not told of, one that waits longer is, and that it goes on.
func TestNewsOfWaits(t *testing.T) {
	c := &Coordinator{nodes: newRegistry(time.Minute), news: newNewsDesk()}
	now := time.Now()
	n := c.nodes.join("a", "laptop", now)
	step := func(phase string, since time.Duration) int {
		n.beat.Phase = phase
		if !n.waitSince.IsZero() {
			n.waitSince = c.now().Add(-since)
		}
		c.noteWaits()
		return len(c.news.list)
	}
	for i, s := range []struct {
		phase string
		since time.Duration
		want  int // told in all
	}{
		{"waiting for mains power", 0, 0}, {"waiting for mains power", time.Second, 0}, {"", 0, 0},
		{"waiting for mains power", 0, 0}, {"waiting for mains power", tellWaits, 1}, {"waiting for mains power", time.Hour, 1},
		{"loading the model", 0, 2}, {"", 0, 2},
	} {
		if got := step(s.phase, s.since); got != s.want {
			t.Fatalf("step %d: told %d times, want %d", i, got, s.want)
		}
	}
	if a, b := c.news.list[0], c.news.list[1]; a.Text() != "Node laptop is waiting for mains power" || b.Text() != "Node laptop goes on" || a.Bad() || a.By != ByNode {
		t.Errorf("%+v, %+v", a, b)
	}
}

// TestNewsSlowReader: nobody waits for one who reads the news slowly.
func TestNewsSlowReader(t *testing.T) {
	var reading atomic.Bool
	held, free := make(chan struct{}), make(chan struct{})
	r := serve(t, testOptions{photos: numbered(1), onNews: func(NodeNews) {
		if reading.CompareAndSwap(false, true) {
			close(held)
			<-free
		}
	}})
	l, err := Dial(r.address(), RandomSecret(), func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Join(t.Context(), "", "laptop", "test", 2); err != nil {
		t.Fatal(err)
	}
	<-held
	for range 3 {
		var reply beatReply
		if err := l.ask(t.Context(), askBeat, json.RawMessage(`{"slots":1}`), &reply); err != nil {
			t.Error(err)
		}
	}
	close(free)
}

// TestConnectionBack: a node asks the run as soon as its connection is back, since it may have missed the end.
func TestConnectionBack(t *testing.T) {
	r := serve(t, testOptions{photos: numbered(1)})
	l, err := Dial(r.address(), RandomSecret(), func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.every = time.Hour // between beats
	if _, err := l.Join(t.Context(), "", "laptop", "test", 2); err != nil {
		t.Fatal(err)
	}
	has, held, beats := make(chan struct{}, 100), make(chan struct{}), make(chan struct{}, 100)
	done := make(chan error, 1)
	go func() {
		_, err := l.Do(t.Context(), nil, Work{Slots: 1, AckWait: time.Hour, Prove: func(int) {}, Beat: func() Beat { beats <- struct{}{}; return Beat{} },
			Describe: func(context.Context, Job) (Answer, error) { has <- struct{}{}; <-held; return described, nil }})
		done <- err
	}()
	<-beats
	<-has
	r.server.gate.mu.Lock()
	for _, id := range r.server.gate.connections[l.id] {
		_ = r.server.ns.DisconnectClientByID(id)
	}
	r.server.gate.mu.Unlock()
	select {
	case <-beats:
	case <-time.After(time.Minute):
		t.Error("it does not ask")
	}
	close(held)
	r.wait()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestNameTaken: a node that comes back under a name that another has got meanwhile gets one of its own.
func TestNameTaken(t *testing.T) {
	r := newRegistry(time.Minute)
	now := time.Now()
	a := r.join("a", "laptop", now)
	a.gone = true
	if b := r.join("b", "laptop", now); b.name != "laptop" {
		t.Error(b.name)
	}
	if a = r.join("a", "laptop", now); a.name != "laptop-2" {
		t.Error(a.name)
	}
}
