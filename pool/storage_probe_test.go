package pool

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func several(lists ...string) []string {
	var all []string
	for _, prefix := range lists {
		all = append(all, slices.Collect(paths(prefix, 20))...)
	}
	return all
}

// A photo that is lost alone fails, at its first attempt.
func TestReadErrorOfOnePhoto(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(several("good", "lost", "fine"))
		r := newBubbleRig(t, Config{Workers: 2, InFlight: 4, ProbeStorage: func(string) error { return errors.New("no such file") }}).run(jobs).noError(jobs)
		if n := len(r.failed()); n != 20 || r.retried != 0 {
			t.Errorf("%d failed, %d retried; log:\n%s", n, r.retried, r.log())
		}
	})
}

// While all are gone nothing fails and nothing is handed out.
func TestStorageUnavailable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(several("good", "once-lost", "fine"))
		var asked atomic.Int64
		cfg := Config{Workers: 2, InFlight: 4, BatchSize: 10, ProbeStorage: func(path string) error {
			if !strings.Contains(path, "lost") {
				t.Errorf("asked about %q", path)
			}
			if asked.Add(1) <= 3 {
				return &UnavailableError{"the disk is away"}
			}
			return nil
		}}
		r := newBubbleRig(t, cfg).run(jobs).noError(jobs)
		if len(r.failed()) != 0 || strings.Count(r.log(), "waiting until they can: the disk is away") != 1 || !strings.Contains(r.log(), "can be reached again") {
			t.Errorf("failed: %v; log:\n%s", r.failed(), r.log())
		}
		if r.count(EventPause) != 1 || r.count(EventResume) != 1 {
			t.Errorf("%d pauses and %d ends of them", r.count(EventPause), r.count(EventResume))
		}
		// Three answers that it is away, 5 s from each other, and then it is back.
		if r.stats.Paused < 15*time.Second || r.stats.Paused > 16*time.Second {
			t.Errorf("paused for %v", r.stats.Paused)
		}
	})
}

// What can be read and is not is tried again, by new workers too, and then it
// is the workers' word that counts: the run ends.
func TestReadableOnlyBySupervisor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(several("good", "lost", "fine"))
		r := newBubbleRig(t, Config{Workers: 2, InFlight: 4, ProbeStorage: func(string) error { return nil }}).run(jobs).noError(jobs)
		if n := len(r.failed()); n != 20 {
			t.Errorf("%d failed; log:\n%s", n, r.log())
		}
		if r.results["lost0"].Attempts > 1+maxReadRetries {
			t.Errorf("%d attempts", r.results["lost0"].Attempts)
		}
	})
}

// A folder that answers nobody, neither the workers nor Config.ProbeStorage, is waited
// for. Nothing fails by it, however often a worker has waited too long.
func TestStorageHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cold := filepath.Join(t.TempDir(), "cold")
		if err := os.WriteFile(cold, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		jobs := slices.Values(several("good", "frozen"))
		r := newBubbleRig(t, Config{Workers: 2, InFlight: 4, Timeout: time.Minute,
			Command: fakeCommand("", coldEnv+"="+cold),
			ProbeStorage: func(path string) error {
				for err := error(nil); err == nil; time.Sleep(time.Second) {
					_, err = os.Stat(cold)
				}
				return nil
			}})
		r.onEvent = func(e seen) {
			if e.Kind == EventPause {
				time.AfterFunc(10*time.Minute, func() { os.Remove(cold) })
			}
		}
		r.run(jobs).noError(jobs)
		if len(r.failed()) != 0 || strings.Count(r.log(), "waiting until they can: they do not answer") != 1 || !strings.Contains(r.log(), "can be reached again") {
			t.Errorf("failed: %v; log:\n%s", r.failed(), r.log())
		}
		if n := r.stats.Deaths[DeathTimeout]; n == 0 || n > 6 {
			t.Errorf("%d workers died of it", n)
		}
	})
}

// A photo that takes too long while others can be read is blamed for it.
func TestOnePhotoHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(append(several("good"), "hang", "fine"))
		r := newBubbleRig(t, Config{InFlight: 4, Timeout: time.Minute, ProbeStorage: func(string) error { return nil }}).run(jobs).noError(jobs)
		if got := r.failed(); !slices.Equal(got, []string{"hang timeout"}) || r.results["hang"].Attempts != maxTimeouts {
			t.Errorf("failed: %v; %+v; log:\n%s", got, r.results["hang"], r.log())
		}
	})
}

// A stop while the last answer is in doubt is a stop: that photo is not done.
func TestStopDuringStorageProbe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var r *rig
		r = newBubbleRig(t, Config{InFlight: 4, ProbeStorage: func(string) error {
			r.p.Stop()
			time.Sleep(time.Second)
			return nil
		}})
		r.run(slices.Values(append(several("good"), "lost")))
		time.Sleep(2 * time.Second) // the probe returns after the run
		if _, done := r.results["lost"]; r.err != ErrStopped || done || len(r.results) != 20 {
			t.Errorf("%v, %d results", r.err, len(r.results))
		}
	})
}

// A stop while all are gone ends the run at once, and fails nothing.
func TestStopWhileStorageUnavailable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var r *rig
		r = newBubbleRig(t, Config{InFlight: 4, ProbeStorage: func(string) error {
			time.AfterFunc(time.Minute, r.p.Stop)
			return &UnavailableError{"the disk is away"}
		}})
		began := time.Now()
		r.run(slices.Values(several("good", "lost")))
		if r.err != ErrStopped || len(r.failed()) != 0 {
			t.Errorf("%v, failed %v", r.err, r.failed())
		}
		if took := time.Since(began); took > 61*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
