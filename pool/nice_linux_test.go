package pool

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Workers have the niceness asked for, this process keeps its own.
func TestNice(t *testing.T) {
	t.Parallel()
	own := niceOf(t, os.Getpid())
	for _, nice := range []int{0, min(own+3, 19)} {
		jobs := paths("good", 3)
		r := newRig(t, Config{Nice: nice})
		r.onEvent = func(e seen) {
			if e.Kind != EventWorkerReady {
				return
			}
			if got := niceOf(t, e.PID); got != max(nice, own) {
				t.Errorf("a worker has nice %d, want %d", got, max(nice, own))
			}
		}
		r.run(jobs).noError(jobs)
	}
	if now := niceOf(t, os.Getpid()); now != own {
		t.Errorf("nice of this process went from %d to %d", own, now)
	}
}

// niceOf is the 19th field of a process's stat.
func niceOf(t *testing.T, pid int) (nice int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	if _, err := fmt.Sscan(strings.Fields(rest)[16], &nice); err != nil {
		t.Fatal(err)
	}
	return nice
}
