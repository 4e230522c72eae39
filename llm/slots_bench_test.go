package llm

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"photodesc/llm/kernels"
)

// BenchmarkSlots generates next tokens with several numbers of slots, in turns, on
// one thread, with the text model that PHOTODESC_BENCH_MODEL names, after prompts
// of PHOTODESC_BENCH_PROMPT tokens (346: five tiles). It gives the fastest step of
// each in milliseconds a token. Several at once, each on a core of its own, show
// what workers side by side take from each other.
func BenchmarkSlots(b *testing.B) {
	model := os.Getenv("PHOTODESC_BENCH_MODEL")
	if model == "" {
		b.Skip("PHOTODESC_BENCH_MODEL names no model")
	}
	prompt := 346
	if n, err := strconv.Atoi(os.Getenv("PHOTODESC_BENCH_PROMPT")); err == nil {
		prompt = n
	}
	m, err := loadText(model, false)
	if err != nil {
		b.Fatal(err)
	}
	defer m.close()
	numbers := []int{4, 8, 12, 16, 24, 32}
	var all []*filledSlots
	for _, slots := range numbers {
		f := fillSlots(b, m, slots, prompt)
		defer f.c.close()
		all = append(all, f)
	}
	steps := make([][]time.Duration, len(numbers))
	for b.Loop() {
		for i, f := range all {
			steps[i] = append(steps[i], f.step(b))
		}
	}
	for i, slots := range numbers {
		slices.Sort(steps[i])
		name := strconv.Itoa(slots)
		b.ReportMetric(1000*steps[i][len(steps[i])/2].Seconds()/float64(slots), name+"-ms")
		b.ReportMetric(1000*steps[i][0].Seconds()/float64(slots), name+"-fastest-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// filledSlots is a context with the same prompt in all of its slots.
type filledSlots struct {
	c      *textContext
	slots  int
	prompt int
	last   []int32
}

func fillSlots(b *testing.B, m *textModel, slots, prompt int) *filledSlots {
	const tokens = 64
	c, err := newContext(m, slots, prompt+tokens, 1, 0)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	e := &entries{work: kernels.Prompts}
	for i := range prompt {
		e.tokens = append(e.tokens, int32(r.IntN(100)))
		e.add(i, 0, i == prompt-1, nil)
	}
	if _, err := c.step(e); err != nil {
		b.Fatal(err)
	}
	for s := 1; s < slots; s++ {
		c.copySlot(0, s)
	}
	f := &filledSlots{c: c, slots: slots, prompt: prompt, last: make([]int32, slots)}
	f.step(b) // copies the prompt
	return f
}

// step generates a token in each slot and takes it back.
func (f *filledSlots) step(b *testing.B) time.Duration {
	e := &entries{work: kernels.NextTokens}
	for s := range f.slots {
		e.tokens = append(e.tokens, f.last[s])
		e.add(f.prompt, s, true, nil)
	}
	began := time.Now()
	if _, err := f.c.step(e); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	for s := range f.slots {
		f.c.truncate(s, f.prompt)
	}
	return took
}
