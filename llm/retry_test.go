//go:build !llama_system

package llm

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// What a picture says to a prompt changes with a retry; the answers to other
// prompts stay as they were.
func TestRetry(t *testing.T) {
	// The model may say one character; what it said first is what it
	// prefers, and a retry says another.
	const either = "root ::= [.!?a-f]\n"
	eachModel(t, func(t *testing.T, name string) {
		e := openOther(t, name, func(o *Options) {
			o.Prompts = []Prompt{{Text: DefaultPrompt}, {Text: "One word.", Grammar: either}, {Text: DefaultPrompt}}
			o.Parallel = 3
			o.MaxTokens = 12
		})
		changed := 0
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 9 {
			wg.Go(func() {
				p := scene(i, 40+9*i, 60)
				first, err := e.Describe(t.Context(), p)
				if err != nil {
					t.Error(err)
					return
				}
				sampled := len(first.sampled[1].all)
				again, err := e.Retry(t.Context(), p, first, []int{1}, false)
				if err != nil {
					t.Error(err)
					return
				}
				if again.Reply != first.Reply || again.More[1] != first.More[1] {
					t.Errorf("photo %d: %+v has become %+v", i, replies(first), replies(again))
				}
				if again.Encode <= first.Encode || again.Prefill <= first.Prefill || len(first.sampled[1].all) != sampled || len(again.sampled[1].all) <= sampled {
					t.Errorf("photo %d: time or tokens of the first try are lost, or were changed", i)
				}
				mu.Lock()
				if again.More[0].Text != first.More[0].Text {
					changed++
				}
				mu.Unlock()
			})
		}
		wg.Wait()
		if changed < 9 {
			t.Errorf("a retry said something else about only %d of 9 photos", changed)
		}
	})
}

// An answer that ends before it has begun is made to begin.
func TestRetryAfterEnd(t *testing.T) {
	e := open(t, func(o *Options) { o.Prompts = []Prompt{{Text: DefaultPrompt, Grammar: "root ::= (\" \" [a-z]+)?\n"}} })
	end := e.model.tokenize(tokenEnd, true)[0]
	p := scene(2, 60, 60)
	first, err := e.Describe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	// As if the model had said nothing at all, many times.
	first.Reply.Text, first.sampled[0] = "", sampled{slices.Repeat([]int32{end}, 3), []int32{end}}
	again, err := e.Retry(t.Context(), p, first, []int{0}, false)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(again.Text) == "" || again.Tokens == 0 {
		t.Errorf("a retry says %q", again.Text)
	}
}

// With the picture in less detail there are fewer tiles or other pixels, and
// never more than the slot has room for.
func TestRetryCoarser(t *testing.T) {
	eachModel(t, func(t *testing.T, name string) {
		for _, d := range []Detail{DetailLow, DetailAuto, DetailHigh, "100"} {
			if (name == "tiny-qwen2.5vl" || name == "tiny-qwen3vl") && d == DetailHigh {
				continue // it does not fit the small models' context
			}
			e := openOther(t, name, func(o *Options) { o.Detail = d; o.MaxTokens = 16 })
			for _, size := range [][2]int{{1, 1}, {3, 200}, {40, 30}, {900, 700}} {
				p := scene(3, size[0], size[1])
				p.OrigWidth, p.OrigHeight = 2*size[0], 2*size[1]
				before := slices.Clone(p.Pix)
				first, err := e.Describe(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				again, err := e.Retry(t.Context(), p, first, []int{0}, true)
				if err != nil {
					t.Fatalf("%s of %v: %v", d, size, err)
				}
				if again.Tiles != 1 {
					t.Errorf("%s of %v: %d tiles, %d before", d, size, again.Tiles, first.Tiles)
				}
				if !slices.Equal(p.Pix, before) {
					t.Errorf("%s of %v: the picture was changed", d, size)
				}
				q, _ := e.coarser(p)
				if first.Tiles == 1 && max(size[0], size[1]) > 1 && max(q.Width, q.Height) >= max(size[0], size[1]) {
					t.Errorf("%s of %v: shown at %d×%d", d, size, q.Width, q.Height)
				}
			}
		}
	})
}

func eachModel(t *testing.T, test func(t *testing.T, name string)) {
	t.Run("tiny", func(t *testing.T) { test(t, "tiny") })
	eachOther(t, test)
}
