package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"photodesc/tracker"
)

// TestKillsShards kills shards and the merge of them at random moments. With PHOTODESC_SOAK=1, as in `make soak`, there are 4 shards of
// 2,000 photos, with 20 kills of each, and 60 kills of merge.
func TestKillsShards(t *testing.T) {
	photos, shards, kills, mergeKills := 60, 2, 1, 8
	if os.Getenv("PHOTODESC_SOAK") != "" {
		photos, shards, kills, mergeKills = 2000, 4, 20, 60
	}
	h := newHarness(t)
	names := numbered("photo", photos)
	h.add(names...)
	dirs := make([]string, shards)
	within := make([]int, shards)
	failed := make(chan error, shards)
	for i := range shards {
		shard := *h
		shard.work = filepath.Join(filepath.Dir(h.work), fmt.Sprint("shard", i))
		dirs[i] = shard.work
		go func() {
			var err error
			within[i], err = killShard(&shard, fmt.Sprintf("%d/%d", i, shards), photos/shards, kills)
			failed <- err
		}()
	}
	for range shards {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	merge := func(dir string) *exec.Cmd {
		return exec.Command("photodesc", append([]string{"-C", dir, "merge"}, dirs...)...)
	}
	began := time.Now()
	if out, err := merge(filepath.Join(t.TempDir(), "whole")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	takes := time.Since(began)
	died := 0
	for range mergeKills {
		cmd := merge(h.work)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(takes))
		_ = cmd.Process.Kill()
		if cmd.Wait() != nil {
			died++
		}
	}
	if out, err := merge(h.work).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	result := h.tally()
	result.check(t, names, map[string]tracker.Kind{})
	twice := 0
	for _, n := range result.ok {
		if n > 1 {
			twice++
		}
	}
	if twice > 0 {
		t.Errorf("%d photos have two results after merge", twice)
	}
	if code, said := h.run(); code != 0 || h.lines() != photos {
		t.Errorf("a run after merge: exit code %d, %d lines\n%s", code, h.lines(), said)
	}
	t.Logf("%d photos, %d shards, %d kills of them (%d after some photos of their run were done), %d of %d kills of merge before its end: %d described, %d lost, %d twice, %d lines torn",
		photos, shards, kills*shards, sumOf(within), died, mergeKills, len(result.ok), photos-len(result.ok), twice, result.torn)
}

func sumOf(list []int) (sum int) {
	for _, n := range list {
		sum += n
	}
	return sum
}

// killShard runs a shard, which has about so many photos, and kills it several times before it lets it end. It returns how many kills
// came after some photos of their run were done.
func killShard(h *harness, shard string, photos, kills int) (within int, err error) {
	for killed := 0; ; killed++ {
		cmd := h.command("--shard", shard, "--batch-size", "40")
		if err := cmd.Start(); err != nil {
			return within, err
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if killed == kills {
			if err := <-ended; err != nil {
				return within, fmt.Errorf("shard %s: %w\n%s", shard, err, cmd.Stderr)
			}
			return within, nil
		}
		before := h.lines()
		h.wait(before+rand.IntN(max(photos/(kills+1), 1)), ended)
		time.Sleep(rand.N(20 * time.Millisecond))
		_ = cmd.Process.Kill()
		<-ended
		if h.lines() > before {
			within++
		}
	}
}
