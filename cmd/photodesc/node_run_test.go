package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"photodesc/internal/cluster"
	"photodesc/internal/ui"
)

// A node that is started after the end of the run says why it waits, and how to end it.
func TestNodeWaitsAndSaysSo(t *testing.T) {
	core, seen := observer.New(zap.InfoLevel)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := &nodeRun{log: zap.New(core), show: ui.NewProgress(os.Stderr), dial: dialer{
		shown: "nats://192.0.2.1:4711",
		dial:  func(func(error)) (*cluster.Link, error) { return nil, errors.New("connection refused") },
	}}
	if err := n.connect(ctx); !errors.Is(err, errStopped) {
		t.Fatalf("connect: %v, want errStopped", err)
	}
	var all []string
	for _, e := range seen.All() {
		all = append(all, e.Message)
	}
	for _, want := range []string{"192.0.2.1:4711 cannot be reached", "connection refused", "has ended", "Ctrl-C"} {
		if text := strings.Join(all, "\n"); !strings.Contains(text, want) {
			t.Errorf("nothing is said of %q in:\n%s", want, text)
		}
	}
}
