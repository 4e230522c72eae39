package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/tracker"
)

// BenchmarkStatusMillion is the real program's status of a million photos:
// right after a run, and with what was described since the state was written.
func BenchmarkStatusMillion(b *testing.B) {
	const million = 1_000_000
	dir := b.TempDir()
	progress := filepath.Join(dir, tracker.ProgressName)
	addLines := func(from, to int) {
		f, err := os.OpenFile(progress, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriter(f)
		for i := from; i < to; i++ {
			fmt.Fprintf(w, "%04d/IMG_%07d.jpg\n", i/1000, i)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	addLines(0, million)
	tr, err := tracker.Open(dir, tracker.Options{Root: "/photos"})
	if err != nil {
		b.Fatal(err)
	}
	tr.Live().SetRun("smolvlm", "Describe this image.", time.Minute)
	tr.Live().SetPhotos(million, 0, 0)
	if err := tr.Close(); err != nil {
		b.Fatal(err)
	}
	// A process begins with the peak of the one that starts it.
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	status := func(b *testing.B, want string) {
		var peak int64
		for b.Loop() {
			cmd := exec.Command("photodesc", "-C", dir, "status")
			out, err := cmd.Output()
			if err != nil || !strings.Contains(string(out), want) {
				b.Fatalf("%v\n%s", err, out)
			}
			peak = max(peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
		}
		b.ReportMetric(float64(peak)/1024, "peak-MB") // of Linux, which counts in kB
	}
	b.Run("stopped", func(b *testing.B) { status(b, "1,000,000 / 2,000,000") })
	addLines(million, million+10_000)
	b.Run("10,000 since", func(b *testing.B) { status(b, "1,010,000 / 2,000,000") })
	os.Remove(filepath.Join(dir, tracker.StateName))
	b.Run("state lost", func(b *testing.B) { status(b, "1,010,000") })
}
