//go:build !llama_system

package llm

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkStages describes pictures with the model that PHOTODESC_BENCH_MODEL
// and …_MMPROJ name and gives the time of each stage, milliseconds a picture.
// PHOTODESC_BENCH_EDGE is the longest edge of the pictures, …_SLOTS the slots.
func BenchmarkStages(b *testing.B) {
	model, vision := os.Getenv("PHOTODESC_BENCH_MODEL"), os.Getenv("PHOTODESC_BENCH_MMPROJ")
	if model == "" {
		b.Skip("PHOTODESC_BENCH_MODEL names no model")
	}
	number := func(name string, or int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return or
	}
	edge, slots := number("PHOTODESC_BENCH_EDGE", 512), number("PHOTODESC_BENCH_SLOTS", 8)
	e, err := Open(Options{Model: model, Vision: vision, Parallel: slots, MaxTokens: 64, Exact: true, Detail: Detail(strconv.Itoa(edge))})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	p := Picture{Width: edge, Height: edge * 3 / 4, Pix: make([]byte, edge*(edge*3/4)*3)}
	for i := range p.Pix {
		p.Pix[i] = byte(i * 31 >> 5)
	}
	for b.Loop() {
		began := time.Now()
		answers := make([]Answer, slots)
		var all sync.WaitGroup
		for i := range slots {
			all.Add(1)
			go func() {
				defer all.Done()
				answers[i], err = e.Describe(context.Background(), p)
			}()
		}
		all.Wait()
		if err != nil {
			b.Fatal(err)
		}
		var encode, prefill, generate time.Duration
		tiles, prompt, tokens := 0, 0, 0
		for _, a := range answers {
			encode, prefill, generate = encode+a.Encode, prefill+a.Prefill, generate+a.Generate
			tiles, prompt, tokens = tiles+a.Tiles, prompt+a.PromptTokens, tokens+a.Tokens
		}
		wall := time.Since(began)
		fmt.Printf("tiles %d: encode %.0f ms a tile, prefill %.0f tok/s (%d), generate %.0f tok/s, %.2f s a photo\n", tiles/slots,
			encode.Seconds()*1000/float64(tiles), float64(prompt)/prefill.Seconds(), prompt/slots, float64(tokens)/generate.Seconds(), wall.Seconds()/float64(slots))
	}
}

// BenchmarkTile encodes one tile again and again with the vision file that
// PHOTODESC_BENCH_MMPROJ names, on PHOTODESC_BENCH_THREADS threads (1), and
// gives the fastest and the least CPU time: what else runs on the machine makes
// the others slower.
func BenchmarkTile(b *testing.B) {
	path := os.Getenv("PHOTODESC_BENCH_MMPROJ")
	if path == "" {
		b.Skip("PHOTODESC_BENCH_MMPROJ names no vision file")
	}
	threads, err := strconv.Atoi(cmp.Or(os.Getenv("PHOTODESC_BENCH_THREADS"), "1"))
	if err != nil {
		b.Fatal(err)
	}
	v, err := loadVision(path, false, threads)
	if err != nil {
		b.Fatal(err)
	}
	defer v.close()
	pix, out := scene(1, v.tile, v.tile).Pix, make([]float32, v.tileTokens*v.embd)
	best, least := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for b.Loop() {
		began, used := time.Now(), cpuTime()
		if err := v.encode(pix, out); err != nil {
			b.Fatal(err)
		}
		best, least = min(best, time.Since(began)), min(least, cpuTime()-used)
	}
	b.ReportMetric(best.Seconds()*1000, "fastest-ms")
	b.ReportMetric(least.Seconds()*1000, "least-cpu-ms")
}
