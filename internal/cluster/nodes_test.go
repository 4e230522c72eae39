package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBrokenNode: a node that fails everything is paused and named, and none of its photos fails.
func TestBrokenNode(t *testing.T) {
	photos := numbered(60)
	r := serve(t, testOptions{photos: photos})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wait sync.WaitGroup
	wait.Go(func() {
		_, _ = joinRun(ctx, r.address(), "", "broken", 2, func(context.Context, Job) (Answer, error) {
			return Answer{Attempts: 1, Failure: &Failure{Kind: "crash", Message: "it crashed"}}, nil
		})
	})
	wait.Go(func() {
		_, _ = joinRun(ctx, r.address(), "", "good", 2, func(ctx context.Context, j Job) (Answer, error) {
			time.Sleep(5 * time.Millisecond)
			return described, nil
		})
	})
	r.wait()
	cancel()
	wait.Wait()
	r.once(photos)
	for path, list := range r.kept {
		if list[0].Failure != nil {
			t.Errorf("%s: %+v", path, list[0])
		}
	}
	if text := strings.Join(r.warnings, "\n"); !strings.Contains(text, "Node broken gets no more photos") || strings.Contains(text, "Node good") {
		t.Error(text)
	}
}

// TestBadPhoto: what two machines fail on is the photo's fault, and nobody is paused for it.
func TestBadPhoto(t *testing.T) {
	photos := numbered(40)
	r := serve(t, testOptions{photos: photos})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wait sync.WaitGroup
	for i := range 2 {
		wait.Go(func() {
			_, _ = joinRun(ctx, r.address(), "", fmt.Sprint("node", i), 2, func(_ context.Context, j Job) (Answer, error) {
				if strings.HasSuffix(j.Path, "7.jpg") {
					return Answer{Attempts: 1, Failure: &Failure{Kind: "unreadable", Message: "it is damaged"}}, nil
				}
				return described, nil
			})
		})
	}
	r.wait()
	cancel()
	wait.Wait()
	r.once(photos)
	for path, list := range r.kept {
		if failed := list[0].Failure != nil; failed != strings.HasSuffix(path, "7.jpg") {
			t.Errorf("%s: %+v", path, list[0])
		}
	}
	if text := strings.Join(r.warnings, "\n"); strings.Contains(text, "gets no more") {
		t.Error(text)
	}
}

// TestLostNode: photos of a node that goes away without a word are described by others, and those that it answers later do not count twice.
func TestLostNode(t *testing.T) {
	photos := numbered(30)
	r := serve(t, testOptions{photos: photos, ackWait: time.Second})
	ctx, lost := context.WithCancel(t.Context())
	var held atomic.Int32
	late := make(chan struct{})
	var wait sync.WaitGroup
	l, err := Dial(r.address(), RandomSecret(), func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, err := l.Join(ctx, "", "laptop", "test", 2)
	if err != nil {
		t.Fatal(err)
	}
	wait.Go(func() {
		_, _ = l.Do(ctx, nil, Work{Slots: 4, AckWait: time.Hour, Beat: func() Beat { return Beat{} }, Prove: func(int) {}, Describe: func(ctx context.Context, j Job) (Answer, error) {
			held.Add(1) // it sleeps: with such an AckWait it never says that it is at it
			<-late
			return described, nil
		}})
	})
	_ = w
	for held.Load() < 4 {
		time.Sleep(5 * time.Millisecond)
	}
	wait.Go(func() {
		_, _ = joinRun(t.Context(), r.address(), "", "desk", 2, func(context.Context, Job) (Answer, error) { return described, nil })
	})
	for end := time.Now().Add(time.Minute); r.co.Left() > 0 && time.Now().Before(end); {
		if r.co.Left() <= 2 { // now it wakes up
			select {
			case <-late:
			default:
				close(late)
			}
		}
		time.Sleep(time.Millisecond)
	}
	select {
	case <-late:
	default:
		close(late)
	}
	r.wait()
	lost()
	wait.Wait()
	r.once(photos)
}

// TestCoordinatorAgain: a coordinator and its server that end and come back find their nodes and lose nothing.
func TestCoordinatorAgain(t *testing.T) {
	photos := numbered(200)
	r := serve(t, testOptions{photos: photos, ackWait: time.Second})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wait sync.WaitGroup
	for i := range 2 {
		wait.Go(func() {
			over, err := joinRun(ctx, r.address(), "", fmt.Sprint("node", i), 3, func(context.Context, Job) (Answer, error) {
				time.Sleep(3 * time.Millisecond)
				return described, nil
			})
			if over != OverFinished && ctx.Err() == nil { // one that has not found the run again in time waits for it
				t.Errorf("%q, %v", over, err)
			}
		})
	}
	for r.co.Left() > 120 {
		time.Sleep(time.Millisecond)
	}
	r.cancel()
	if err := <-r.done; err != nil && !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	r.server.Close()
	r.mu.Lock()
	var left []string
	for _, p := range photos {
		if len(r.kept[p]) == 0 {
			left = append(left, p)
		}
	}
	r.mu.Unlock()
	if len(left) == 0 {
		t.Fatal("nothing is left")
	}
	r.start(testOptions{photos: left, ackWait: time.Second})
	r.wait()
	end()
	wait.Wait()
	r.once(photos)
}

// TestRefused: a node of another version is told so.
func TestRefused(t *testing.T) {
	r := serve(t, testOptions{photos: numbered(1)})
	l, err := Dial(r.address(), RandomSecret(), func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var refused *RefusedError
	if _, err := l.Join(t.Context(), "", "desk", "another", 1); !errors.As(err, &refused) || !strings.Contains(err.Error(), `it is version "another", this run is "test"`) {
		t.Error(err)
	}
	if _, err := l.Join(t.Context(), "", "desk", "test", 1); err != nil {
		t.Error(err)
	}
}

// TestUnreadable: a photo that the run itself cannot read fails, on no node's account, and is not handed out for ever.
func TestUnreadable(t *testing.T) {
	photos := numbered(10)
	r := serve(t, testOptions{photos: photos, locked: photos[3]})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wait sync.WaitGroup
	wait.Go(func() {
		_, _ = joinRun(ctx, r.address(), "", "desk", 2, func(ctx context.Context, j Job) (Answer, error) {
			if err := fetchAndCheck(ctx, j); err != nil {
				if strings.Contains(err.Error(), "ada") {
					t.Errorf("a node is told: %v", err)
				}
				return Answer{}, err
			}
			return described, nil
		})
	})
	r.wait()
	end()
	wait.Wait()
	r.once(photos)
	for path, list := range r.kept {
		if failed := list[0].Failure != nil; failed != (path == photos[3]) || failed && (list[0].Failure.Kind != "unreadable" || list[0].Machine == "desk") {
			t.Errorf("%s: %+v", path, list[0])
		}
	}
}

// TestReturns: a node that only gives back is paused.
func TestReturns(t *testing.T) {
	photos := numbered(10)
	r := serve(t, testOptions{photos: photos})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wait sync.WaitGroup
	wait.Go(func() {
		_, _ = joinRun(ctx, r.address(), "", "full", 2, func(context.Context, Job) (Answer, error) { return Answer{}, errors.New("no room") })
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		r.mu.Lock()
		text := strings.Join(r.warnings, "\n")
		r.mu.Unlock()
		if strings.Contains(text, "Node full gets no more photos: it gave back 50 photos in a row without an answer: no room") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is not paused: %s", text)
		}
	}
	wait.Go(func() {
		_, _ = joinRun(ctx, r.address(), "", "desk", 2, func(context.Context, Job) (Answer, error) { return described, nil })
	})
	r.wait()
	end()
	wait.Wait()
	r.once(photos)
}
