//go:build !llama_system

package llm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"photodesc/llm/kernels"
)

// BenchmarkLongDecode generates next tokens in all slots after prompts of 13
// tiles, with the text model that PHOTODESC_BENCH_MODEL names. In turns, the
// kernel for their attention is used and left out: "times" is what it gives.
func BenchmarkLongDecode(b *testing.B) {
	model := os.Getenv("PHOTODESC_BENCH_MODEL")
	if model == "" {
		b.Skip("PHOTODESC_BENCH_MODEL names no model")
	}
	if !kernels.Supported() {
		b.Skip("there are no kernels for this CPU")
	}
	m, err := loadText(model, false)
	if err != nil {
		b.Fatal(err)
	}
	defer m.close()
	for _, s := range []struct{ slots, threads int }{{16, runtime.NumCPU()}, {8, 1}} {
		b.Run(fmt.Sprintf("%dx%d", s.slots, s.threads), func(b *testing.B) { longDecode(b, m, s.slots, s.threads) })
	}
}

func longDecode(b *testing.B, m *textModel, slots, threads int) {
	const prompt, tokens = 875, 48
	c, err := newContext(m, slots, prompt+tokens, threads, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer c.close()
	step := func(e *entries) []int32 {
		picked, err := c.step(e)
		if err != nil {
			b.Fatal(err)
		}
		return picked
	}
	r := rand.New(rand.NewPCG(1, 1))
	e := &entries{work: kernels.Prompts}
	for i := range prompt {
		e.tokens = append(e.tokens, int32(r.IntN(100)))
		e.add(i, 0, i == prompt-1, nil)
	}
	step(e)
	for s := 1; s < slots; s++ {
		c.copySlot(0, s)
	}
	// rate is the tokens a second of all slots; the first step copies the prompt.
	rate := func() float64 {
		var began time.Time
		last := make([]int32, slots)
		for i := range tokens {
			if i == 1 {
				began = time.Now()
			}
			e := &entries{work: kernels.NextTokens}
			for s := range slots {
				e.tokens = append(e.tokens, last[s])
				e.add(prompt+i, s, true, nil)
			}
			last = step(e)
		}
		took := time.Since(began)
		for s := range slots {
			c.truncate(s, prompt)
		}
		return float64(slots*(tokens-1)) / took.Seconds()
	}
	var with, without, times []float64
	for b.Loop() {
		with = append(with, rate())
		kernels.LeaveNextAttention(true)
		without = append(without, rate())
		kernels.LeaveNextAttention(false)
		times = append(times, with[len(with)-1]/without[len(without)-1])
	}
	median := func(x []float64) float64 {
		slices.Sort(x)
		return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
	}
	b.ReportMetric(median(with), "tokens/s")
	b.ReportMetric(median(without), "tokens/s-without")
	b.ReportMetric(median(times), "times")
	b.ReportMetric(0, "ns/op")
}
