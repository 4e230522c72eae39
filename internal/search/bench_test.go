package search

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/tracker"
)

// benchPhotos is how many descriptions are searched; PHOTODESC_BENCH_SEARCH=1000000 is a large library's.
func benchPhotos() int {
	if n, err := strconv.Atoi(os.Getenv("PHOTODESC_BENCH_SEARCH")); err == nil {
		return n
	}
	return 20_000
}

// benchWorkdir has descriptions of 60 words drawn by Zipf's law, as words of a language are.
func benchWorkdir(b *testing.B, n int) string {
	dir := b.TempDir()
	if err := os.Mkdir(filepath.Join(dir, tracker.OutputsName), 0o755); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, tracker.OutputsName, "image_analysis_20260101_120000.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 2, 20_000)
	words := make([]string, 60)
	for i := range n {
		for j := range words {
			words[j] = benchWord(zipf.Uint64())
		}
		words[0], words[20], words[30] = "a", "the", "the" // in each
		line, err := tracker.Record{
			Path: fmt.Sprintf("%d/%d/IMG_%d.jpg", 2000+i%25, i%12, i), Status: tracker.OK, Settings: "6e5c4f1cdfc6",
			Description: strings.Join(words, " "), Keywords: words[1:11], Model: "smolvlm", Time: time.Unix(int64(i), 0),
			Prompt: "Describe this photo in a few sentences.", Width: 4000, Height: 3000, Camera: "Canon EOS 5D", Tiles: 5, Tokens: 64,
			File: &tracker.PhotoFile{Size: 4_000_000, ModTime: time.Unix(int64(i), 0)}, Taken: fmt.Sprintf("%d-%02d-%02dT12:30:05", 2000+i%25, 1+i%12, 1+i%28),
		}.Line()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return dir
}

func benchWord(n uint64) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	b := []byte{letters[n%26]}
	for n /= 26; n > 0; n /= 26 {
		b = append(b, "aeiou"[n%5], letters[n%26])
	}
	return string(b)
}

func days(t testing.TB, text string) Days {
	t.Helper()
	d, err := ParseDays(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cpuSeconds is the processor time that the process has had.
func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// BenchmarkSearch makes the index and asks it; each query is a benchmark of its own.
func BenchmarkSearch(b *testing.B) {
	n := benchPhotos()
	dir := benchWorkdir(b, n)
	ctx := context.Background()
	x, err := Open(ctx, dir)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	start, cpu := time.Now(), cpuSeconds()
	if err := x.Update(ctx, nil); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, IndexName))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d descriptions indexed in %.1f s, %.1f s of CPU, %d MB", n, time.Since(start).Seconds(), cpuSeconds()-cpu, info.Size()>>20)
	for _, q := range []struct {
		name, text string
		o          Options
	}{
		{"commonest", "a", Options{Limit: 20}},
		{"common", "c e", Options{Limit: 20}},
		{"prefix", "a*", Options{Limit: 20}},
		{"prefix-2", "ba*", Options{Limit: 20}},
		{"prefix-3", "bab*", Options{Limit: 20}},
		{"prefix-common", "the*", Options{Limit: 20}},
		{"rare", benchWord(19_000), Options{Limit: 20}},
		{"phrase", `"b c"`, Options{Limit: 20}},
		{"excluded", "b -c", Options{Limit: 20}},
		{"only-excluded", "-b", Options{Limit: 20}},
		{"folder", "a", Options{Limit: 20, Folder: "2007/3"}},
		{"since", "a", Options{Limit: 20, Since: time.Unix(int64(n/2), 0)}},
		{"since-none", "a", Options{Limit: 20, Since: time.Unix(int64(2*n), 0)}},
		{"taken-year", "a", Options{Limit: 20, Taken: days(b, "2007")}},
		{"taken-days", "c e", Options{Limit: 20, Taken: days(b, "2003-02-11..2007-11-14")}},
		{"nothing", "nosuchword", Options{Limit: 20}},
	} {
		b.Run(q.name, func(b *testing.B) {
			cpu, rounds := cpuSeconds(), 0.0
			for b.Loop() {
				rounds++
				if err := x.Update(ctx, nil); err != nil {
					b.Fatal(err)
				}
				if _, _, err := x.Find(ctx, q.text, q.o, func(Hit) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			// On a busy machine this tells more than the time on the clock.
			b.ReportMetric((cpuSeconds()-cpu)/rounds*1000, "cpu-ms/op")
		})
	}
}
