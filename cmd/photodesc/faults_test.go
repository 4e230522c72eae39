package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/llm"
	"photodesc/pool"
	"photodesc/tracker"
)

// This file injects faults into workers of the real program with the real
// llama.cpp. The name of a photo selects the fault: "segv-0017.jpg".
//
// The faults exist only in the program under test, which is this test binary
// under another name (see TestMain). Nothing of them is shipped.

// faults are what a worker does before it describes a photo, by the first word
// of the photo's name.
var faults = map[string]func(pool.Job){
	"segv":   func(pool.Job) { forbiddenPage()[0] = 1 },
	"abort":  func(pool.Job) { syscall.Kill(os.Getpid(), syscall.SIGABRT); select {} },
	"panic":  func(pool.Job) { go panic("a fault"); select {} },
	"killed": func(pool.Job) { syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	"exit":   func(pool.Job) { os.Exit(0) },
	"hang":   func(pool.Job) { select {} },
	"babble": func(pool.Job) { writeReport("{\"result\":\n") },
	"lie":    func(j pool.Job) { writeReport(fmt.Sprintf("{\"result\":{\"id\":%d,\"data\":{}}}\n", j.ID+1_000_000)) },
	"leak":   func(pool.Job) { leak(10e6) },
	"gobble": func(j pool.Job) {
		if j.Attempt == 1 {
			leak(2e9)
		}
	},
	// Waits until a file is there.
	"gated": func(pool.Job) { awaitFile(os.Getenv(gateEnv)) },
	// Crashes at the first attempt only: photos in flight with it must be described, too.
	"once": func(j pool.Job) {
		if j.Attempt == 1 {
			syscall.Kill(os.Getpid(), syscall.SIGABRT)
			select {}
		}
	},
}

func awaitFile(path string) {
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// gateEnv names the file for which photos called gated- wait.
const gateEnv = "TESTS_GATE"

// forbiddenPage returns memory that cannot be accessed.
func forbiddenPage() []byte {
	b, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	return b
}

// writeReport writes to the pipe on which a worker reports results.
func writeReport(line string) { os.NewFile(4, "reports").WriteString(line) }

var (
	leakMu sync.Mutex
	leaked [][]byte
)

func leak(n int) {
	b := make([]byte, n)
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	leakMu.Lock()
	leaked = append(leaked, b)
	leakMu.Unlock()
}

// withFaults runs the fault that a photo's name selects before h.
func withFaults(h worker.Handler) worker.Handler {
	return func(ctx context.Context, j pool.Job) (any, error) {
		if broken(j.Path) {
			return nil, errors.New("the decoder is broken")
		}
		kind, _, _ := strings.Cut(filepath.Base(j.Path), "-")
		if kind == "escape" {
			return escape(j)
		}
		if f := faults[kind]; f != nil {
			f(j)
		}
		return h(ctx, j)
	}
}

// blankText replaces the first answers about a photo by blank ones, as many as its
// name says: "blank-2-0001.jpg" is answered at the third try.
func blankText(j pool.Job, a llm.Answer) llm.Answer {
	var n int
	if _, err := fmt.Sscanf(filepath.Base(j.Path), "blank-%d-", &n); err != nil {
		return a
	}
	blankMu.Lock()
	defer blankMu.Unlock()
	if blankAnswers[j.ID]++; blankAnswers[j.ID] <= n {
		a.Text = "..."
	}
	return a
}

var (
	blankMu      sync.Mutex
	blankAnswers = map[uint64]int{} // by job
)

// dieMeasuring is an environment variable. If it is set, the process that measures
// the model crashes.
const dieMeasuring = "PHOTODESC_TEST_DIE_MEASURING"

func faultWhileMeasuring() {
	if os.Getenv(dieMeasuring) != "" && strings.Contains(os.Getenv(worker.ConfigEnv), `"Measure":true`) {
		forbiddenPage()[0] = 1
	}
}

// TestFaults has workers die once in every way and checks which photos fail.
func TestFaults(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	described := numbered("photo", 120)
	described = append(described, numbered("once", 2)...)
	failing := map[string]tracker.Kind{}
	for kind, want := range map[string]tracker.Kind{
		"segv": tracker.Crash, "abort": tracker.Crash, "panic": tracker.Crash, "killed": tracker.Crash,
		"exit": tracker.Crash, "babble": tracker.Crash, "lie": tracker.Crash, "hang": tracker.Timeout,
	} {
		failing[kind+"-0000.jpg"] = want
	}
	h.add(described...)
	h.add(slices.Collect(maps.Keys(failing))...)
	began := time.Now()
	code, said := h.run("--timeout", "3s", "--batch-size", "50")
	if code != ui.ExitFailed {
		t.Errorf("exit code %d, want %d", code, ui.ExitFailed)
	}
	h.tally().check(t, described, failing)
	if t.Failed() {
		t.Log(said)
	}
	for _, want := range []string{"died (segfault)", "died (abort)", "died (killed)", "died (exit)", "died (protocol)", "died (timeout)"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	t.Logf("%d photos, %d of them deadly, in %.1f s", len(described)+len(failing), len(failing), time.Since(began).Seconds())
}

// TestNothingWorks has every photo crash its worker. The model is broken then, and
// no photo may fail.
func TestNothingWorks(t *testing.T) {
	if os.Getenv("PHOTODESC_SOAK") == "" {
		t.Skip("part of make soak: the pauses between its ten attempts grow")
	}
	h := newHarness(t)
	h.add(numbered("abort", 30)...)
	code, said := h.run()
	if code != ui.ExitError {
		t.Errorf("exit code %d, want %d\n%s", code, ui.ExitError, said)
	}
	for _, want := range []string{"10 workers in a row died without describing one photo", "SIGABRT", "photodesc doctor"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if h.lines() > 0 || len(h.outputs()) > 0 {
		t.Error("photos were described or failed")
	}
	_, said, _ = strings.Cut(said, "ERROR")
	t.Log(said)
}

// TestOnlyBadLeft leaves nothing to do but photos that crash their workers. They
// fail, because the model described other photos before.
func TestOnlyBadLeft(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	described, failing := numbered("photo", 4), map[string]tracker.Kind{}
	h.add(described...)
	if code, said := h.run(); code != ui.ExitOK {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	for _, name := range append(numbered("segv", 6), numbered("abort", 2)...) {
		failing[name] = tracker.Crash
	}
	h.add(slices.Collect(maps.Keys(failing))...)
	if code, said := h.run(); code != ui.ExitFailed {
		t.Errorf("exit code %d, want %d\n%s", code, ui.ExitFailed, said)
	}
	h.tally().check(t, described, failing)
}
