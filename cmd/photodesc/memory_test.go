package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// watched is a run whose workers' own memory is looked at all the time.
type watched struct {
	cmd     *exec.Cmd
	lines   []int    // in the progress file, at each look
	bytes   []uint64 // of all workers together
	workers map[string]bool
	most    int // workers at once
}

// watch runs the program and looks every few milliseconds, without sharing a
// line of code with what the program itself counts by.
func (h *harness) watch(flags ...string) watched {
	h.t.Helper()
	w := watched{cmd: h.command(flags...), workers: map[string]bool{}}
	if err := w.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.cmd.Wait() }()
	var alive []string
	for n := 0; len(ended) == 0; n++ {
		if n%10 == 0 && h.lines() > 0 { // not the process that measures
			alive = workersOf(h.photos)
		}
		var sum uint64
		for _, pid := range alive {
			w.workers[pid] = true
			sum += ownMemory(pid)
		}
		w.most = max(w.most, len(alive))
		w.lines = append(w.lines, h.lines())
		w.bytes = append(w.bytes, sum)
		time.Sleep(10 * time.Millisecond)
	}
	<-ended
	return w
}

var ownMemoryLines = regexp.MustCompile(`(?m)^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$`)

// ownMemory is what a process has for itself, without mapped files.
func ownMemory(pid string) (bytes uint64) {
	b, _ := os.ReadFile("/proc/" + pid + "/status")
	for _, m := range ownMemoryLines.FindAllSubmatch(b, -1) {
		n, _ := strconv.ParseUint(string(m[1]), 10, 64)
		bytes += n << 10
	}
	return bytes
}

// during is what the workers had while from to to lines were there: the least,
// which is what does not come back, and the median, with the pixels under way.
func (w watched) during(from, to int) (least, median uint64) {
	var in []uint64
	for i, n := range w.lines {
		if n >= from && n < to && w.bytes[i] > 0 {
			in = append(in, w.bytes[i])
		}
	}
	if len(in) == 0 {
		return 0, 0
	}
	slices.Sort(in)
	return in[len(in)/50], in[len(in)/2]
}

const mib = 1 << 20

// TestLeak runs workers that lose 10 MB with every photo under a budget of 600 MiB,
// with batches that end before a worker is full, or just then, and with others beside.
func TestLeak(t *testing.T) {
	photos := 150
	if os.Getenv("PHOTODESC_SOAK") != "" {
		photos = 1000
	}
	for _, flags := range []string{"--batch-size 100", "--batch-size 20", "--batch-size 30", "--parallel 16", "--workers 4"} {
		t.Run(flags, func(t *testing.T) {
			h := newHarness(t)
			names := numbered("leak", photos)
			h.add(names...)
			w := h.watch(append(strings.Fields(flags), "--memory", "600MiB")...)
			if code := w.cmd.ProcessState.ExitCode(); code != ui.ExitOK {
				t.Errorf("exit code %d\n%s", code, w.cmd.Stderr)
			}
			h.tally().check(t, names, nil)
			if said := w.cmd.Stderr.(*strings.Builder).String(); strings.Contains(said, "died") {
				t.Errorf("workers were not replaced in time:\n%s", said)
			}
			peak := slices.Max(w.bytes)
			if limit := uint64(600*mib + 10e6); peak > limit {
				t.Errorf("the workers had up to %d MiB, more than %d MiB", peak/mib, limit/mib)
			}
			t.Logf("%d photos leaking 10 MB each under 600 MiB: at most %d MiB in up to %d workers at once, %d workers in all, all described",
				photos, peak/mib, w.most, len(w.workers))
		})
	}
}

// TestSteady has one worker describe 2,000 photos of all formats.
func TestSteady(t *testing.T) {
	if os.Getenv("PHOTODESC_SOAK") == "" {
		t.Skip("part of make soak")
	}
	h := newHarness(t)
	h.addExamples(2000)
	w := h.watch("--workers", "1", "--batch-size", "5000", "--max-tokens", "16")
	if code := w.cmd.ProcessState.ExitCode(); code != ui.ExitOK {
		t.Errorf("exit code %d\n%s", code, w.cmd.Stderr)
	}
	if len(w.workers) != 1 {
		t.Errorf("%d workers, want 1", len(w.workers))
	}
	for n := 200; n < 2000; n += 300 {
		least, median := w.during(n, n+300)
		t.Logf("after %5d photos: at least %.1f MiB, usually %.1f MiB", n, float64(least)/mib, float64(median)/mib)
	}
	least1, median1 := w.during(200, 500)
	least2, median2 := w.during(1700, 2000)
	grown := func(from, to uint64) float64 { return 100 * (float64(to)/float64(from) - 1) }
	t.Logf("one worker, 2,000 photos: %+.1f%% between the 300 photos after the 200th and the last 300 (%+.1f%% with the pixels under way)",
		grown(least1, least2), grown(median1, median2))
	if grown(least1, least2) > 3 {
		t.Error("more than 3% growth")
	}
}

// addExamples makes n photos out of the examples.
func (h *harness) addExamples(n int) {
	h.t.Helper()
	var sources []string
	err := filepath.WalkDir("../../examples/photos", func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ".txt" {
			sources = append(sources, path)
		}
		return err
	})
	if err != nil || len(sources) == 0 {
		h.t.Fatal("no examples", err)
	}
	if err := os.MkdirAll(h.photos, 0o700); err != nil {
		h.t.Fatal(err)
	}
	for i := range n {
		b, err := os.ReadFile(sources[i%len(sources)])
		if err != nil {
			h.t.Fatal(err)
		}
		name := filepath.Join(h.photos, strconv.Itoa(i)+filepath.Ext(sources[i%len(sources)]))
		if err := os.WriteFile(name, b, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestTooLarge has a photo whose pixels alone would break the budget.
func TestTooLarge(t *testing.T) {
	h := newHarness(t)
	names := numbered("photo", 5)
	h.add(names...)
	writeBMP(t, filepath.Join(h.photos, "large.bmp"), 12_000, 9_000)
	code, said := h.run("--memory", "40MiB")
	if code != ui.ExitFailed {
		t.Errorf("exit code %d\n%s", code, said)
	}
	h.tally().check(t, names, map[string]tracker.Kind{"large.bmp": tracker.TooLarge})
	for line := range strings.Lines(said) {
		if strings.Contains(line, "Failed: large.bmp") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// writeBMP writes a black picture of any size, of which the disk holds the header only.
func writeBMP(t *testing.T, path string, width, height uint32) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("BM")
	binary.Write(&b, binary.LittleEndian, []uint32{54 + 3*width*height, 0, 54, 40, width, height, 1 | 24<<16, 0, 0, 2835, 2835, 0, 0})
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(b.Len())+3*int64(width)*int64(height)); err != nil {
		t.Fatal(err)
	}
}
