package llm

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"photodesc/llm/kernels"
)

// BenchmarkPrompt prefills a prompt of 5 tiles (346 tokens) on one thread with
// the text model that PHOTODESC_BENCH_MODEL names. It gives the least CPU time.
func BenchmarkPrompt(b *testing.B) {
	model := os.Getenv("PHOTODESC_BENCH_MODEL")
	if model == "" {
		b.Skip("PHOTODESC_BENCH_MODEL names no model")
	}
	m, err := loadText(model, false)
	if err != nil {
		b.Fatal(err)
	}
	defer m.close()
	const prompt = 346
	c, err := newContext(m, 8, prompt+64, 1, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer c.close()
	r := rand.New(rand.NewPCG(1, 1))
	least := time.Duration(math.MaxInt64)
	for b.Loop() {
		e := &entries{work: kernels.Prompts}
		for i := range prompt {
			e.tokens = append(e.tokens, int32(r.IntN(100)))
			e.add(i, 0, i == prompt-1, nil)
		}
		began := cpuTime()
		if _, err := c.step(e); err != nil {
			b.Fatal(err)
		}
		least = min(least, cpuTime()-began)
		c.forget(0)
	}
	b.ReportMetric(least.Seconds()*1000, "least-cpu-ms")
}
