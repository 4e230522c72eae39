package main

import (
	"strings"
	"testing"
)

func TestTooManyThreads(t *testing.T) {
	for _, c := range []struct {
		threads, cores int
		want           string
	}{{1, 1, ""}, {2, 2, ""}, {100, 2, "100 threads in a worker on 2 cores"}, {2, 1, "on 1 core take"}} {
		if got := tooManyThreads(c.threads, c.cores); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%d threads on %d cores: %q", c.threads, c.cores, got)
		}
	}
}
