//go:build !llama_system

package llm

import (
	"slices"
	"testing"
)

// The range of sequences covers all live slots, and is never a single one.
func TestSequenceRange(t *testing.T) {
	for _, c := range []struct {
		live        string
		sequences   int
		first, last int
	}{
		{"....", 4, 4, -1},
		{"x", 2, 0, 1},
		{"x...", 4, 0, 1},
		{".x..", 4, 1, 2},
		{"...x", 4, 2, 3},
		{"xx..", 4, 0, 1},
		{"x..x", 4, 0, 3},
		{".x.x", 4, 1, 3},
		{"xxxx", 4, 0, 3},
	} {
		first, last := sequenceRange(len(c.live), c.sequences, func(i int) bool { return c.live[i] == 'x' })
		if first != c.first || last != c.last {
			t.Errorf("%s of %d: %d to %d, want %d to %d", c.live, c.sequences, first, last, c.first, c.last)
		}
	}
}

// A slot between empty ones, or the last of all, computes the same numbers as
// the first of several, and leaves nothing in the empty ones.
func TestGenerateBesideEmptySlots(t *testing.T) {
	m, err := loadText(tinyOptions().Model, false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	const slots, vocab = 4, 100
	prompt := m.tokenize("Describe this image in detail, please.", false)
	generate := func(live ...int) (rows [][]float32) {
		c, err := newContext(m, slots, 256, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		e := &Engine{opt: Options{MaxTokens: 100, Exact: true, Prompts: asked(DefaultPrompt)}, model: m, ctx: c}
		list := make([]*slot, slots)
		for _, id := range live {
			b := &entries{tokens: prompt}
			for i := range prompt {
				b.add(i, id, false, nil)
			}
			if _, err := c.step(b); err != nil {
				t.Fatal(err)
			}
			list[id] = &slot{id: id, job: e.newJob(e.opt.MaxTokens), pos: len(prompt), last: prompt[0]}
		}
		e.generate(list)
		first, _ := sequenceRange(slots, slots, func(i int) bool { return list[i] != nil })
		for id, s := range list {
			if s == nil {
				if n := c.held(id); n != 0 {
					t.Errorf("slot %d is empty and holds %d positions", id, n)
				}
				continue
			}
			if s.ended || len(s.out) != 1 || s.pos != len(prompt)+1 {
				t.Errorf("slot %d: %+v, %v", id, s, s.job.err)
			}
			rows = append(rows, c.logits(id-first, vocab))
		}
		return rows
	}
	want := generate(0, 1, 2, 3)[0]
	for _, live := range [][]int{{0}, {1}, {3}, {0, 2}, {0, 3}, {1, 3}, {0, 1, 3}, {0, 1}} {
		for i, got := range generate(live...) {
			if !slices.Equal(got, want) {
				t.Errorf("of %v, slot %d computes other numbers than among four", live, live[i])
			}
		}
	}
}

// A prompt computes the same numbers beside a shorter one as alone.
func TestPrefillBesideShorter(t *testing.T) {
	e := open(t, nil)
	promptSuffix := e.promptSuffixes[0]
	prefill := func(lengths ...int) []float32 {
		c, err := newContext(e.model, 2, 512, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		mine := &Engine{opt: e.opt, model: e.model, ctx: c, promptSuffixes: e.promptSuffixes, canTruncateKV: e.canTruncateKV, groups: e.groups}
		var fresh []*slot
		for id, n := range lengths {
			if n == 0 {
				continue
			}
			s := &slot{id: id, job: e.newJob(e.opt.MaxTokens)}
			p := &tiledPrompt{f: tiled(e), length: n}
			s.job.prompt = p
			for i := range n {
				row := i % len(promptSuffix.tokens) * e.model.embd
				p.embd = append(p.embd, promptSuffix.embd[row:row+e.model.embd]...)
			}
			fresh = append(fresh, s)
		}
		mine.prefill(fresh)
		for _, s := range fresh {
			if s.job.err != nil || len(s.out) != 1 {
				t.Fatal(s.job.err, s.out)
			}
		}
		return c.logits(-1, 100) // of the last slot
	}
	if !slices.Equal(prefill(200, 210), prefill(0, 210)) {
		t.Error("a prompt of 210 tokens computes other numbers beside one of 200 than alone")
	}
}
