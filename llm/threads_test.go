//go:build !llama_system

package llm

import (
	"testing"
	"time"

	"photodesc/llm/kernels"
)

// The number of threads changes nothing but the time, even if it changes from each
// computation to the next: tiles, prompts, tokens.
func TestThreadsChangeNoText(t *testing.T) {
	if !kernels.Supported() {
		t.Skip("the number of threads never changes")
	}
	short := func(threads int) func(*Options) {
		return func(o *Options) { o.Threads, o.MaxTokens, o.Exact = threads, 6, true }
	}
	describe := func(e *Engine) (texts [2]string) {
		for i := range texts {
			a, err := e.Describe(t.Context(), scene(i, 128, 96))
			if err != nil {
				t.Fatal(err)
			}
			texts[i] = a.Text
		}
		return texts
	}
	want := describe(open(t, short(1)))
	e := open(t, short(2))
	used := map[int]int{}
	e.opt.compute.record = func(time.Time, time.Duration, time.Duration) int {
		used[e.opt.compute.count]++
		return 3 - e.opt.compute.count
	}
	if got := describe(e); got != want {
		t.Errorf("one thread:  %q\none and two: %q", want, got)
	}
	// A picture has 5 tiles, a prompt and 5 more tokens: an odd number, so the second
	// prompt has another number of threads than the first.
	if used[1] != 11 || used[2] != 11 {
		t.Errorf("computations by threads: %v, want 11 each", used)
	}
}

// One thread and computations on a GPU are not measured.
func TestThreadsOfEngine(t *testing.T) {
	for threads, changes := range map[int]bool{1: false, 2: kernels.Supported()} {
		e := open(t, func(o *Options) { o.Threads = threads })
		v, c := tiled(e).vision.threads, e.ctx.threads
		if v != c || c.count != threads || (c.record != nil) != changes {
			t.Errorf("%d threads: vision %+v, text %+v", threads, v, c)
		}
	}
}
