package pool

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// faults are what a photo may do to its worker, with the kind of failure that
// follows. It is "" if the fault happens once and the photo is described then.
var faults = map[string]string{
	"segv": KindCrash, "abort": KindCrash, "panic": KindCrash, "exit3": KindCrash, "exit0": KindCrash,
	"kill9": KindCrash, "garbage": KindCrash, "wrongid": KindCrash, "giant": KindCrash,
	"unreadable": KindUnreadable, "fails": KindModel,
	"once-segv": "", "once-exit3": "", "once-garbage": "", "once-kill9": "",
	"twice": "", "noise": "",
}

// slowFaults include those that only a time-out ends. They run in a bubble.
var slowFaults = map[string]string{
	"hang": KindTimeout, "once-hang": "", "stop": KindCrash, "once-stop": "", "slow": "",
	"garbage": KindCrash, "wrongid": KindCrash, "unreadable": KindUnreadable, "fails": KindModel, "twice": "",
}

// runFaults runs n photos through a pool, one in every of them faulty. The seed
// decides which, and the numbers of workers and photos in flight. Each photo must
// have exactly one result, the right one.
func runFaults(t *testing.T, newRig func(Config) *rig, faults map[string]string, n, every int, seed uint64) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	kinds := slices.Sorted(maps.Keys(faults))
	var jobs []string
	planned := map[string]int{}
	for i := range n {
		name := fmt.Sprintf("good-%d", i)
		if rnd.IntN(every) == 0 {
			kind := kinds[rnd.IntN(len(kinds))]
			planned[kind]++
			name = fmt.Sprintf("%s/%d", kind, i)
		}
		jobs = append(jobs, name)
	}
	cfg := Config{
		Workers:     1 + rnd.IntN(3),
		MaxInFlight: 1 + rnd.IntN(8),
		BatchSize:   20 + rnd.IntN(60),
		Prestart:    rnd.IntN(2) == 0,
		Timeout:     time.Minute,
		Command:     fakeCommand("", delayEnv+"=1ms"),
	}
	all := slices.Values(jobs)
	r := newRig(cfg).run(all).noError(all)
	wrong := 0
	for _, path := range jobs {
		kind, _, faulty := strings.Cut(path, "/")
		got := ""
		if f := r.results[path].Failure; f != nil {
			got = f.Kind
		}
		want := ""
		if faulty {
			want = faults[kind]
		}
		if got != want {
			wrong++
			t.Errorf("%s: %q, want %q (%+v)", path, got, want, r.results[path].Failure)
		}
	}
	t.Logf("seed %d: %d workers × %d photos, batches of %d, prestart %v: %d photos, %d ok, failed %v, deaths %v, %d processes, %d retries, %d wrong, %v",
		seed, cfg.Workers, cfg.MaxInFlight, cfg.BatchSize, cfg.Prestart, n, n-len(r.failed()), r.failed(), r.stats.Deaths,
		r.stats.Workers, r.retried, wrong, r.wall.Round(time.Millisecond))
}

// The short form of the soak test.
func TestFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		kinds, timed := faults, seed >= 2
		if timed {
			kinds = slowFaults
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubbleIf(t, timed, func(t *testing.T, newRig func(Config) *rig) { runFaults(t, newRig, kinds, 300, 25, seed) })
		})
	}
}
