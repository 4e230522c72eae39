//go:build soak

package pool

import (
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestSoak throws random faults at random pools for as long as POOL_SOAK says,
// by default a minute. A failing seed fails again:
//
//	POOL_SOAK_SEED=17 go test -tags soak -run Soak -v ./pool
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("POOL_SOAK"))
	if err != nil {
		length = time.Minute
	}
	if seed, err := strconv.ParseUint(os.Getenv("POOL_SOAK_SEED"), 10, 64); err == nil {
		soak(t, seed)
		return
	}
	end := time.Now().Add(length)
	rounds := 0
	for seed := uint64(time.Now().UnixNano()) % 1e6; time.Now().Before(end) && !t.Failed(); seed++ {
		soak(t, seed)
		rounds++
	}
	t.Logf("%d rounds of 1000 photos", rounds)
}

func soak(t *testing.T, seed uint64) {
	runFaults(t, func(cfg Config) *rig { return newRig(t, cfg) }, faults, 1000, 20, seed)
	synctest.Test(t, func(t *testing.T) {
		runFaults(t, func(cfg Config) *rig { return newBubbleRig(t, cfg) }, slowFaults, 1000, 20, seed)
	})
}
