package photo

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// BenchmarkWalk walks as many files as WALK_FILES says (20,000 if not set), a
// thousand a folder. Wanted: 1,000,000 in 10 s.
func BenchmarkWalk(b *testing.B) { benchmarkWalk(b, 1000) }

// BenchmarkWalkFlat has them all in one folder.
func BenchmarkWalkFlat(b *testing.B) { benchmarkWalk(b, 1<<30) }

func benchmarkWalk(b *testing.B, perFolder int) {
	files, err := strconv.Atoi(os.Getenv("WALK_FILES"))
	if err != nil {
		files = 20_000
	}
	root := b.TempDir()
	for i := range files {
		dir := fmt.Sprintf("%s/holiday-%04d", root, i/perFolder)
		if i%perFolder == 0 {
			if err := os.Mkdir(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(fmt.Sprintf("%s/IMG_%07d.jpg", dir, i*7919%files), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var paths []string
	for b.Loop() {
		paths = paths[:0]
		err := Walk(context.Background(), root, WalkOptions{}, func(rel string) error {
			paths = append(paths, rel)
			return nil
		})
		if err != nil || len(paths) != files {
			b.Fatal(err, len(paths))
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapSys-before.HeapSys)/1e6, "MB-heap")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(files), "ns/file")
	runtime.KeepAlive(paths)
}

// BenchmarkKindOfName is what each file of a folder costs beside the system's
// own work: a photo, and files that are none. Nothing may be allocated.
func BenchmarkKindOfName(b *testing.B) {
	for _, name := range []string{"IMG_0001.JPG", "IMG_0001.xmp", "IMG_0001.JPG.json", "Makefile", "photo-of-the-day.html"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				kindOfName(name)
			}
		})
	}
}
