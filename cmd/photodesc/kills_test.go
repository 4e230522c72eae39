package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// TestKills kills the supervisor several times in a run. With PHOTODESC_SOAK=1,
// as in `make soak`, there are 2,000 photos and 100 kills.
func TestKills(t *testing.T) {
	photos, kills := 300, 10
	if os.Getenv("PHOTODESC_SOAK") != "" {
		photos, kills = 2000, 100
	}
	h := newHarness(t)
	described := append(numbered("photo", photos-photos/50), numbered("once", photos/100)...)
	failing := map[string]tracker.Kind{}
	for i := range photos / 100 {
		kind := []string{"segv", "abort", "exit", "lie"}[i%4]
		failing[fmt.Sprintf("%s-%04d.jpg", kind, i)] = tracker.Crash
	}
	h.add(described...)
	h.add(slices.Collect(maps.Keys(failing))...)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	began := time.Now()
	done, left, slowest, within, busy := 0, len(described), time.Duration(0), 0, 0
	for killed := 0; ; {
		cmd := h.command("--batch-size", "40", "--timeout", "20s")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if killed == kills {
			<-ended
			if code := cmd.ProcessState.ExitCode(); code != ui.ExitFailed {
				t.Errorf("the last run: exit code %d\n%s", code, cmd.Stderr)
			}
			break
		}
		// Kill when about the right share of the photos is done.
		share := left / (kills - killed + 1)
		h.wait(done+min(random.IntN(2*share+1), max(left-1, 0)), ended)
		time.Sleep(time.Duration(random.IntN(int(20 * time.Millisecond))))
		if len(workersOf(h.photos)) > 0 {
			busy++
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("ended before it was killed: %v\n%s", err, cmd.Stderr)
		}
		<-ended
		killed++
		dead := time.Now()
		for len(workersOf(h.photos)) > 0 {
			if time.Since(dead) > 10*time.Second {
				t.Fatal("workers are alive ten seconds after the supervisor's death")
			}
			time.Sleep(5 * time.Millisecond)
		}
		slowest = max(slowest, time.Since(dead))
		if now := h.lines(); now > done {
			within++
			left -= now - done
			done = now
		}
	}
	result := h.tally()
	result.check(t, described, failing)
	if busy < kills/2 {
		t.Errorf("workers were alive at %d of %d kills only", busy, kills)
	}
	twice := 0
	for _, n := range result.ok {
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d photos, %d kills of the supervisor (%d of them with workers alive, %d after some photos of their run were done): "+
		"%d described, %d failed as they should, %d twice, %d lines torn; workers gone within %d ms; %.0f s",
		photos, kills, busy, within, len(result.ok), len(result.failed), twice, result.torn, slowest.Milliseconds(), time.Since(began).Seconds())
}

// wait waits for n lines in the progress file, at most 5 seconds.
func (h *harness) wait(n int, ended chan error) {
	for limit := time.Now().Add(5 * time.Second); h.lines() < n && time.Now().Before(limit) && len(ended) == 0; {
		time.Sleep(2 * time.Millisecond)
	}
}
