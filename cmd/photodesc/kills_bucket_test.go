package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/internal/bucket/buckettest"
	"photodesc/tracker"
)

// TestKillsBucket kills runs on photos in a bucket at random moments. With PHOTODESC_SOAK=1 there are 1,000 photos and 40 kills. What
// a killed run has fetched is gone when the next has ended.
func TestKillsBucket(t *testing.T) {
	photos, kills := 40, 2
	if os.Getenv("PHOTODESC_SOAK") != "" {
		photos, kills = 1000, 40
	}
	server := buckettest.New(t)
	for _, v := range server.Environment() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	h := newHarness(t)
	names := numbered("photo", photos)
	h.add(names[0])
	body, err := os.ReadFile(filepath.Join(h.photos, names[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		server.Put(t, "kills/"+name, body)
	}
	h.photos = "s3://" + buckettest.Bucket + "/kills"
	left, within := 0, 0
	for range kills {
		cmd := h.command("--duplicates", "describe", "--batch-size", "40")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		before := h.lines()
		h.wait(before+1+rand.IntN(photos/(kills+1)), ended)
		time.Sleep(rand.N(20 * time.Millisecond))
		_ = cmd.Process.Kill()
		<-ended
		if h.lines() > before {
			within++
		}
		if _, err := os.Stat(filepath.Join(h.work, spoolName)); err == nil {
			left++
		}
	}
	if code, said := h.run("--duplicates", "describe"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	result := h.tally()
	result.check(t, names, map[string]tracker.Kind{})
	if _, err := os.Stat(filepath.Join(h.work, spoolName)); !os.IsNotExist(err) {
		t.Errorf("the spool is left: %v", err)
	}
	if n := server.Writes(); n > 0 {
		t.Errorf("%d requests that write", n)
	}
	t.Logf("%d photos, %d kills (%d after some photos of their run were done, %d with fetched photos left): %d described, %d lost, %d lines torn",
		photos, kills, within, left, len(result.ok), photos-len(result.ok), result.torn)
}
