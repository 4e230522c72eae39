package tracker

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// million is the size of the large workdir; PHOTODESC_PHOTOS is another.
func million() int {
	n := 1_000_000
	fmt.Sscan(os.Getenv("PHOTODESC_PHOTOS"), &n)
	return n
}

func millionPath(i int) string {
	return fmt.Sprintf("%04d/holiday at the sea/IMG_%08d.jpg", i%3000, i)
}

// largeWorkdir makes a workdir of n described photos, one in a thousand
// failed, in three outputs.
func largeWorkdir(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	create := func(path string) (*bufio.Writer, func()) {
		os.MkdirAll(filepath.Dir(path), 0o755)
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriterSize(f, 1<<20)
		return w, func() { w.Flush(); f.Close() }
	}
	progress, closeProgress := create(filepath.Join(dir, ProgressName))
	const outputs = 3
	done := 0
	var buf []byte
	for o := range outputs {
		out, closeOut := create(filepath.Join(dir, OutputsName, outputName(testTime.Add(time.Duration(o)*time.Second))))
		for i := n * o / outputs; i < n*(o+1)/outputs; i++ {
			r := okRecord(millionPath(i))
			if i%1000 == 7 {
				r = failedRecord(r.Path, Crash)
			} else {
				fmt.Fprintln(progress, r.Path)
				done++
			}
			buf, _ = r.appendLine(buf[:0])
			out.Write(buf)
		}
		closeOut()
	}
	closeProgress()
	return dir
}

// peakMB is the most memory the process ever had, 0 where the system does not
// say.
func peakMB() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb float64
	fmt.Sscan(rest, &kb)
	return kb / 1024
}

// cpuSeconds is the processor time the process has had.
func cpuSeconds() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func forgetPeak() {
	runtime.GC()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

func BenchmarkMillion(b *testing.B) {
	n := million()
	dir := largeWorkdir(b, n)
	measure := func(name string, f func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			forgetPeak()
			before, rounds := cpuSeconds(), 0.0
			for b.Loop() {
				f(b)
				rounds++
			}
			b.ReportMetric(peakMB(), "peak-MB")
			// On a busy machine this tells more than the time on the clock.
			b.ReportMetric((cpuSeconds()-before)/rounds, "cpu-s/op")
		})
	}
	measure("open", func(b *testing.B) {
		tr := open(b, dir, Options{})
		if c := tr.Counts(); c.Done+c.Failed != n {
			b.Fatal(c, notes(tr))
		}
		closeTracker(b, tr)
	})
	measure("open and look up all", func(b *testing.B) {
		tr := open(b, dir, Options{})
		for i := range n {
			if path := millionPath(i); !tr.Done(path) {
				if _, failed := tr.Failed(path); !failed {
					b.Fatal(path)
				}
			}
		}
		closeTracker(b, tr)
	})
	measure("peek", func(b *testing.B) {
		if s, err := Peek(dir); err != nil || s.Completed+s.Failed != n {
			b.Fatal(s, err)
		}
	})
	measure("summarize", func(b *testing.B) {
		if s, err := Summarize(dir); err != nil || s.OK+s.Failed != n || s.Damaged > 0 {
			b.Fatal(s, err)
		}
	})
	os.Remove(filepath.Join(dir, StateName))
	measure("peek without state", func(b *testing.B) {
		if s, err := Peek(dir); err != nil || s.Completed+s.Failed != n {
			b.Fatal(s, err)
		}
	})
	os.Remove(filepath.Join(dir, ProgressName))
	measure("open without progress file", func(b *testing.B) {
		os.Remove(filepath.Join(dir, ProgressName))
		tr := open(b, dir, Options{})
		if c := tr.Counts(); c.Done+c.Failed != n {
			b.Fatal(c, notes(tr))
		}
		closeTracker(b, tr)
	})
}

// BenchmarkAdd is what tracking a photo costs, the disk's waits included.
func BenchmarkAdd(b *testing.B) {
	b.Run("one at a time", func(b *testing.B) {
		tr := open(b, b.TempDir(), Options{})
		for i := 0; b.Loop(); i++ {
			add(b, tr, okRecord(millionPath(i)))
		}
	})
	b.Run("16 at a time", func(b *testing.B) {
		tr := open(b, b.TempDir(), Options{})
		next := make(chan int)
		done := make(chan error)
		const callers = 16
		for range callers {
			go func() {
				var err error
				for i := range next {
					if e := tr.Add(okRecord(millionPath(i))); e != nil {
						err = e
					}
				}
				done <- err
			}()
		}
		start := time.Now()
		for i := 0; b.Loop(); i++ {
			next <- i
		}
		close(next)
		for range callers {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(tr.Counts().NewDone)/time.Since(start).Seconds(), "photos/s")
	})
}
