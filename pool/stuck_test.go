package pool

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A worker that does not die when it is killed, such as one that reads from a disk
// that hangs, does not keep its photo, its lane or the end of the run waiting.
func TestUnkillable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		cfg := Config{MaxInFlight: 2, Timeout: time.Minute, launch: unkillable(release)}
		jobs := slices.Values([]string{"good0", "once-hang", "good1", "good2", "good3", "good4"})
		r := newBubbleRig(t, cfg)
		r.run(jobs).noError(jobs)
		close(release)
		if len(r.failed()) != 0 || r.stats.Workers != 2 || !strings.Contains(r.log(), "was killed and does not die") {
			t.Errorf("failed %v, %d workers; log:\n%s", r.failed(), r.stats.Workers, r.log())
		}
		if want := r.cfg.Timeout + leaveTimeout; r.wall < want || r.wall > want+time.Second {
			t.Errorf("the run took %v, want %v", r.wall, want)
		}
	})
}

// If such a worker had done its batch, the batch ends and the next worker begins
// another one.
func TestUnkillableAfterItsBatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		cfg := Config{MaxInFlight: 2, BatchSize: 5, launch: unkillable(release), Command: moodsByWorker("", map[int]string{1: "sticky"})}
		jobs := paths("good", 10)
		r := newBubbleRig(t, cfg)
		r.run(jobs).noError(jobs).wholeBatches(2)
		close(release)
		if r.stats.Workers != 2 || len(r.stats.Deaths) != 0 {
			t.Errorf("%+v; log:\n%s", r.stats, r.log())
		}
	})
}

// Kill ends a run whose results cannot be kept because their disk hangs, and
// waits no longer than killTimeout.
func TestKillWhileDoneHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newBubbleRig(t, Config{MaxInFlight: 2})
		release := make(chan struct{})
		defer close(release)
		var began time.Time
		r.onDone = func(Result) error {
			if began.IsZero() {
				began = time.Now()
				r.p.Kill()
				<-release
			}
			return nil
		}
		r.run(paths("good", 10))
		if took := time.Since(began); r.err != ErrKilled || took < killTimeout || took > 2*killTimeout {
			t.Errorf("%v after %v", r.err, took)
		}
	})
}

// In a folder of unreadable photos some of which crash the worker, a photo described
// before shows that the model is not broken, though no other one succeeds.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	all := []string{"good0", "good1"}
	var deadly []string
	for i := range 300 {
		name := fmt.Sprintf("unreadable%d", i)
		if i%50 == 30 {
			name = fmt.Sprintf("segv%d", i)
			deadly = append(deadly, name)
		}
		all = append(all, name)
	}
	jobs := slices.Values(all)
	r := newRig(t, Config{MaxInFlight: 4, BatchSize: 100}).run(jobs).noError(jobs)
	for _, name := range deadly {
		if f := r.results[name].Failure; f == nil || f.Kind != KindCrash {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if len(r.failed()) != 300 {
		t.Errorf("%d failed", len(r.failed()))
	}
}
