package pool

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAllAreDone(t *testing.T) {
	t.Parallel()
	jobs := mixed(200, "unreadable", "fails", "unmarshalable", "noise", "bytes\xff\xfe\n\"", "emoji 🐕 <&>")
	r := newRig(t, Config{Workers: 2, MaxInFlight: 8, BatchSize: 60, Prestart: true}).run(jobs).noError(jobs)
	want := []string{"fails model", "unmarshalable model", "unreadable unreadable"}
	if got := r.failed(); !slices.Equal(got, want) {
		t.Errorf("failed: %v, want %v", got, want)
	}
	if !strings.Contains(string(r.results["bytes\xff\xfe\n\""].Data), `"path":"Ynl0ZXP//goi"`) {
		t.Errorf("the path did not arrive as it was: %s", r.results["bytes\xff\xfe\n\""].Data)
	}
	if r.stats.Photos != 206 || len(r.stats.Deaths) != 0 {
		t.Errorf("stats: %+v", r.stats)
	}
}

func TestNothingToDo(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{}).run(paths("", 0)).noError(paths("", 0))
	if r.stats.Workers != 0 {
		t.Errorf("%d workers for nothing", r.stats.Workers)
	}
}

// One worker with one photo at a time: results arrive in the order of the jobs.
func TestOrder(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 50)
	r := newRig(t, Config{BatchSize: 20}).run(jobs).noError(jobs)
	if want := slices.Collect(jobs); !slices.Equal(r.order, want) {
		t.Errorf("order %v", r.order)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	for _, prestart := range []bool{false, true} {
		t.Run(fmt.Sprintf("prestart=%v", prestart), func(t *testing.T) {
			t.Parallel()
			jobs := paths("good", 300)
			r := newRig(t, Config{MaxInFlight: 8, BatchSize: 50, Prestart: prestart}).run(jobs).noError(jobs)
			if r.stats.Workers != 6 || r.stats.Batches != 6 {
				t.Errorf("%d workers, %d batches, want 6; log:\n%s", r.stats.Workers, r.stats.Batches, r.log())
			}
			most, now := 0, 0
			for _, e := range r.events {
				switch e.Kind {
				case EventWorkerStart:
					now++
				case EventWorkerExit:
					now--
					if e.Photos != 50 || e.Reason != ReasonBatch && e.Reason != ReasonFinished {
						t.Errorf("worker %d left after %d photos: %s", e.Worker, e.Photos, e.Reason)
					}
				}
				most = max(most, now)
			}
			if want := map[bool]int{false: 1, true: 2}[prestart]; most > want {
				t.Errorf("%d workers at once", most)
			}
			for _, sentence := range []string{"System stats - Memory: 25.0% used (", "Batch 1 starts, up to 50 photos", "Batch 6 ends: 50 photos"} {
				if !strings.Contains(r.log(), sentence) {
					t.Errorf("the log lacks %q:\n%s", sentence, r.log())
				}
			}
			if n := r.count(EventBatchEnd); n != 6 {
				t.Errorf("%d batches ended", n)
			}
		})
	}
}

// Batches can be numbered on from an earlier run, and the numbers are the same
// everywhere.
func TestBatchNumbers(t *testing.T) {
	t.Parallel()
	last := 41
	jobs := paths("good", 30)
	r := newRig(t, Config{BatchSize: 10, Prestart: true, NextBatch: func() int { last++; return last }})
	r.run(jobs).noError(jobs)
	seen := map[int]int{}
	for _, res := range r.results {
		seen[res.Batch]++
	}
	if want := map[int]int{42: 10, 43: 10, 44: 10}; !maps.Equal(seen, want) || r.stats.Batches != 3 {
		t.Errorf("results by batch: %v; %d batches", seen, r.stats.Batches)
	}
	for _, e := range r.events {
		switch e.Kind {
		case EventBatchStart, EventBatchEnd, EventWorkerStart, EventWorkerReady, EventWorkerExit, EventPhotoOut:
			if e.Batch < 42 || e.Batch > 44 {
				t.Errorf("%s of batch %d", e.Kind, e.Batch)
			}
		}
	}
	for _, sentence := range []string{"Batch 42 starts", "Batch 44 ends: 10 photos"} {
		if !strings.Contains(r.log(), sentence) {
			t.Errorf("the log lacks %q:\n%s", sentence, r.log())
		}
	}
}

// With a prestarted worker the next batch begins with a model that is loaded. The
// two workers never have more photos in flight than one may have.
func TestPrestartLeavesNoGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := paths("good", 60)
		cfg := Config{MaxInFlight: 2, BatchSize: 20, Command: fakeCommand("slowload", delayEnv+"=20ms")}
		wall := map[bool]time.Duration{}
		var last *rig
		for _, prestart := range []bool{false, true} {
			cfg.Prestart = prestart
			r := newBubbleRig(t, cfg)
			out, most := map[string]bool{}, 0
			r.onEvent = func(e seen) {
				if e.Kind == EventPhotoOut {
					out[e.Path] = true
					most = max(most, e.InFlight)
				}
			}
			r.run(jobs).noError(jobs)
			wall[prestart], last = r.wall, r
			if most > 2 || r.stats.Workers != 3 {
				t.Errorf("prestart=%v: %d in flight, %d workers", prestart, most, r.stats.Workers)
			}
		}
		// Two loads of 150 ms and more are hidden.
		if saved := wall[false] - wall[true]; saved < 100*time.Millisecond {
			t.Errorf("saved only %v: %v; log:\n%s", saved, wall, last.log())
		}
	})
}

func TestPrestartWaitsForMemory(t *testing.T) {
	t.Parallel()
	jobs := paths("good", 60)
	// Two workers of 100 MiB do not fit.
	r := newRig(t, Config{BatchSize: 20, Prestart: true, Memory: 199 << 20, Command: fakeCommand("leak"),
		samplers: samplers{Worker: func(int) (uint64, error) { return 0, nil }}})
	now, most := 0, 0
	r.onEvent = func(e seen) {
		switch e.Kind {
		case EventWorkerStart:
			now++
			most = max(most, now)
		case EventWorkerExit:
			now--
		}
	}
	r.run(jobs).noError(jobs)
	if most > 1 {
		t.Errorf("%d workers at once", most)
	}
}

func TestCooldown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := paths("good", 6)
		r := newBubbleRig(t, Config{BatchSize: 2, Cooldown: time.Minute}).run(jobs).noError(jobs)
		if r.stats.Paused < 2*time.Minute || r.stats.Paused > 121*time.Second || r.count(EventPause) != 2 || r.count(EventResume) != 2 {
			t.Errorf("paused %v, %d times; log:\n%s", r.stats.Paused, r.count(EventPause), r.log())
		}
	})
}

func TestFatal(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Command: fakeCommand("fatal")}).run(paths("good", 5))
	var fatal *FatalError
	if !errors.As(r.err, &fatal) || fatal.Kind != "nomodel" || fatal.Message != "this is nomodel" {
		t.Errorf("run: %v", r.err)
	}
	if r.stats.Workers != 1 {
		t.Errorf("%d workers were tried", r.stats.Workers)
	}
}

func TestDoneFails(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	r := newRig(t, Config{MaxInFlight: 4})
	calls := 0
	r.onDone = func(Result) error {
		if calls++; calls == 10 {
			return full
		}
		return nil
	}
	r.run(paths("good", 1000))
	if r.err != full || calls != 10 || len(r.results) != 9 {
		t.Errorf("run: %v after %d calls", r.err, calls)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxInFlight: 4, Workers: 2})
	out := 0
	r.onEvent = func(e seen) {
		if e.Kind == EventPhotoOut {
			if out++; out == 20 {
				r.p.Stop()
			}
		}
	}
	r.run(paths("good", 100000))
	if r.err != ErrStopped || len(r.results) != out || len(r.failed()) != 0 {
		t.Errorf("run: %v, %d of %d handed out are kept", r.err, len(r.results), out)
	}
}

func TestStopWhileLoading(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Command: fakeCommand("silent")})
	r.onEvent = func(e seen) {
		if e.Kind == EventWorkerStart {
			r.p.Stop()
		}
	}
	if r.run(paths("good", 10)); r.err != ErrStopped || len(r.stats.Deaths) != 0 {
		t.Errorf("run: %v, %+v", r.err, r.stats)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxInFlight: 4, Workers: 2})
	var killed time.Time
	r.onEvent = func(e seen) {
		if e.Kind == EventPhotoOut && e.InFlight == 4 && killed.IsZero() {
			killed = time.Now()
			r.p.Kill()
		}
	}
	r.run(paths("hang", 100))
	if r.err != ErrKilled || len(r.results) != 0 || time.Since(killed) >= killTimeout {
		t.Errorf("run: %v after %v with %d results", r.err, time.Since(killed), len(r.results))
	}
}

func TestWorkerThatDoesNotLeave(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := paths("good", 3)
		r := newBubbleRig(t, Config{Command: fakeCommand("sticky")}).run(jobs).noError(jobs)
		if len(r.stats.Deaths) != 0 || !strings.Contains(r.log(), "does not leave") {
			t.Errorf("%+v; log:\n%s", r.stats, r.log())
		}
		if r.wall < leaveTimeout || r.wall > leaveTimeout+time.Second {
			t.Errorf("the run took %v", r.wall)
		}
	})
}

func TestOutput(t *testing.T) {
	t.Parallel()
	var lines atomic.Int64
	jobs := paths("noise", 3)
	newRig(t, Config{Output: func(n int, line string) {
		if strings.HasPrefix(line, "noise") {
			lines.Add(1)
		}
	}}).run(jobs).noError(jobs)
	if lines.Load() != 6000 {
		t.Errorf("%d lines of 6000", lines.Load())
	}
}

// A worker must not end when a thread of the supervisor ends.
func TestThreadsEndWorkersLive(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			done := make(chan struct{})
			go func() { // a goroutine that ends locked takes its thread with it
				runtime.LockOSThread()
				close(done)
			}()
			<-done
			time.Sleep(time.Millisecond)
		}
	}()
	jobs := paths("slow", 12)
	r := newRig(t, Config{Workers: 2, MaxInFlight: 2, BatchSize: 3}).run(jobs).noError(jobs)
	if len(r.stats.Deaths) != 0 {
		t.Errorf("deaths: %v; log:\n%s", r.stats.Deaths, r.log())
	}
}

func TestServeOutsideAPool(t *testing.T) {
	if err := Serve(ServeOptions{}, nil); err != ErrNotWorker {
		t.Errorf("serve: %v", err)
	}
}

// TestNothingIsLeft is not parallel, because it counts the goroutines and descriptors
// of the process. It runs before the parallel tests resume.
func TestNothingIsLeft(t *testing.T) {
	jobs := mixed(40, "segv", "garbage", "exit3", "giant")
	one := func() {
		newRig(t, Config{Workers: 2, MaxInFlight: 4, BatchSize: 10, Prestart: true}).run(jobs).noError(jobs)
		r := newRig(t, Config{})
		r.onEvent = func(e seen) {
			if e.Kind == EventPhotoOut {
				r.p.Kill()
			}
		}
		r.run(paths("hang", 3))
	}
	one() // the first time opens what stays open, as the poller
	goroutines, fds := runtime.NumGoroutine(), openFDs(t)
	for range 2 {
		one()
	}
	for deadline := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > goroutines; {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines were %d:\n%s", runtime.NumGoroutine(), goroutines, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(time.Millisecond)
	}
	if n := openFDs(t); n > fds {
		t.Errorf("%d descriptors were %d", n, fds)
	}
}

func openFDs(t *testing.T) int {
	d, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(d)
}
