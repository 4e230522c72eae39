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

// A photo that cannot be read fails at its first attempt if the storage is there.
func TestReadErrorOfOnePhoto(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(several("good", "noread", "fine"))
		r := newBubbleRig(t, Config{Workers: 2, MaxInFlight: 4, ProbeStorage: func(string) error { return errors.New("no such file") }}).run(jobs).noError(jobs)
		if n := len(r.failed()); n != 20 || r.retried != 0 {
			t.Errorf("%d failed, %d retried; log:\n%s", n, r.retried, r.log())
		}
	})
}

// While the storage is unavailable no photo fails and none is handed out.
func TestStorageUnavailable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(several("good", "once-noread", "fine"))
		var asked atomic.Int64
		cfg := Config{Workers: 2, MaxInFlight: 4, BatchSize: 10, ProbeStorage: func(path string) error {
			if !strings.Contains(path, "noread") {
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
		// Three probes that fail, 5 s from each other, and then one that succeeds.
		if r.stats.Paused < 15*time.Second || r.stats.Paused > 16*time.Second {
			t.Errorf("paused for %v", r.stats.Paused)
		}
	})
}

// A photo that only the supervisor can read is tried again, by new workers too. Then
// it fails, and the run ends.
func TestReadableOnlyBySupervisor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(several("good", "noread", "fine"))
		r := newBubbleRig(t, Config{Workers: 2, MaxInFlight: 4, ProbeStorage: func(string) error { return nil }}).run(jobs).noError(jobs)
		if n := len(r.failed()); n != 20 {
			t.Errorf("%d failed; log:\n%s", n, r.log())
		}
		if r.results["noread0"].Attempts > 1+maxReadRetries {
			t.Errorf("%d attempts", r.results["noread0"].Attempts)
		}
	})
}

// If reads from the folder hang, in the workers and in Config.ProbeStorage, the run
// waits. No photo fails, however often a worker timed out.
func TestStorageHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cold := filepath.Join(t.TempDir(), "cold")
		if err := os.WriteFile(cold, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		jobs := slices.Values(several("good", "frozen"))
		r := newBubbleRig(t, Config{Workers: 2, MaxInFlight: 4, Timeout: time.Minute,
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

// A photo that takes too long fails if it can be read.
func TestOnePhotoHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		jobs := slices.Values(append(several("good"), "hang", "fine"))
		r := newBubbleRig(t, Config{MaxInFlight: 4, Timeout: time.Minute, ProbeStorage: func(string) error { return nil }}).run(jobs).noError(jobs)
		if got := r.failed(); !slices.Equal(got, []string{"hang timeout"}) || r.results["hang"].Attempts != maxTimeouts {
			t.Errorf("failed: %v; %+v; log:\n%s", got, r.results["hang"], r.log())
		}
	})
}

// If the run is stopped during a probe, the photo is left to the next run.
func TestStopDuringStorageProbe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var r *rig
		r = newBubbleRig(t, Config{MaxInFlight: 4, ProbeStorage: func(string) error {
			r.p.Stop()
			time.Sleep(time.Second)
			return nil
		}})
		r.run(slices.Values(append(several("good"), "noread")))
		time.Sleep(2 * time.Second) // the probe returns after the run
		if _, done := r.results["noread"]; r.err != ErrStopped || done || len(r.results) != 20 {
			t.Errorf("%v, %d results", r.err, len(r.results))
		}
	})
}

// A stop while the storage is unavailable ends the run at once, and no photo fails.
func TestStopWhileStorageUnavailable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var r *rig
		r = newBubbleRig(t, Config{MaxInFlight: 4, ProbeStorage: func(string) error {
			time.AfterFunc(time.Minute, r.p.Stop)
			return &UnavailableError{"the disk is away"}
		}})
		began := time.Now()
		r.run(slices.Values(several("good", "noread")))
		if r.err != ErrStopped || len(r.failed()) != 0 {
			t.Errorf("%v, failed %v", r.err, r.failed())
		}
		if took := time.Since(began); took > 61*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
