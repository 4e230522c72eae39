package main

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"photodesc/tracker"
)

// A run without workers of its own takes no requests up, and does not say that it does.
func TestRequestsNoLocal(t *testing.T) {
	dir := t.TempDir()
	if _, err := tracker.AddRequests(dir, []tracker.Request{{Path: "a.jpg"}}); err != nil {
		t.Fatal(err)
	}
	for _, none := range []bool{false, true} {
		core, logged := observer.New(zap.InfoLevel)
		r := &runner{dir: dir, logs: logs{log: zap.New(core)}}
		r.flags.NoLocal = none
		if n := sayRequests(r); (n == 0) != none {
			t.Errorf("no-local %v: %d requests are taken up", none, n)
		}
		if n := logged.FilterMessageSnippet("not by this run").Len(); (n == 1) != none || logged.Len() != 1 {
			t.Errorf("no-local %v: %v", none, logged.All())
		}
	}
}
