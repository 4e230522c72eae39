//go:build !llama_system

package llm

import (
	"context"
	"fmt"
)

// tiledFrontend shows pictures to SmolVLM as its reference does: cut into tiles,
// with the whole picture as the last. Words are looked up in the model's table of
// embeddings, so that a prompt is one step.
type tiledFrontend struct {
	vision *visionEncoder
	prompt *promptMaker
	detail Detail
}

func newTiledFrontend(m *textModel, gpu bool, opt Options) (frontend, error) {
	vision, err := loadVision(opt.Vision, gpu, opt.Threads)
	if err != nil {
		return nil, err
	}
	if opt.compute != nil {
		vision.threads = opt.compute
	}
	f := &tiledFrontend{vision: vision, detail: opt.Detail}
	if vision.embd != m.embd {
		err = fmt.Errorf("the vision file gives embeddings of %d values and the text model takes %d: they do not belong together", vision.embd, m.embd)
	} else {
		f.prompt, err = newPromptMaker(m, vision.tileTokens, opt.Context)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *tiledFrontend) grid(width, height int, d Detail) Grid {
	return PlanTiles(width, height, d.longest(width, height, f.vision.tile, f.vision.reference), f.vision.tile)
}

func (f *tiledFrontend) plan(p Picture, d Detail) (picturePrompt, error) {
	w, h := p.size()
	grid := f.grid(w, h, d)
	parts, length, err := f.prompt.promptPrefix(grid, p.Context)
	if err != nil {
		return nil, err
	}
	return &tiledPrompt{f: f, picture: p, grid: grid, parts: parts, length: length}, nil
}

func (f *tiledFrontend) promptSuffix(question string) (part, error) {
	return f.prompt.promptSuffix(question)
}

func (f *tiledFrontend) maxTokens() int {
	longest := f.longestEdge()
	return f.prompt.largest(PlanTiles(longest, longest, longest, f.vision.tile))
}

func (f *tiledFrontend) longestEdge() int {
	return f.detail.largest(f.vision.tile, f.vision.reference)
}

func (f *tiledFrontend) shownAt(width, height int, d Detail) (longest, tiles int) {
	return d.longest(width, height, f.vision.tile, f.vision.reference), f.grid(width, height, d).Tiles()
}

func (f *tiledFrontend) minBatch() int       { return 0 }
func (f *tiledFrontend) groupsPrompts() bool { return true }

func (f *tiledFrontend) sameTiles() bool { return true }

func (f *tiledFrontend) memory() (weights, compute uint64) {
	info := f.vision.info()
	return uint64(info.weight_bytes), uint64(info.compute_bytes)
}

func (f *tiledFrontend) close() { f.vision.close() }

// tiledPrompt is one picture's part of its prompts for tiledFrontend.
type tiledPrompt struct {
	f       *tiledFrontend
	picture Picture // until cut
	grid    Grid
	tiles   [][]byte // from cut to encode
	parts   []part   // until encode
	length  int      // tokens
	embd    []float32
}

func (p *tiledPrompt) tokens() int { return p.length }

func (p *tiledPrompt) cut() int {
	p.tiles, p.picture = p.picture.Tiles(p.grid, p.f.vision.tile), Picture{}
	return len(p.tiles)
}

func (p *tiledPrompt) encode(ctx context.Context) error {
	width := p.f.vision.embd
	p.embd = make([]float32, p.length*width)
	at := 0
	for _, part := range p.parts {
		if part.tile < 0 {
			at += copy(p.embd[at:], part.embd)
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		n := p.f.vision.tileTokens * width
		if err := p.f.vision.encode(p.tiles[part.tile], p.embd[at:at+n]); err != nil {
			return err
		}
		at += n
	}
	if at != len(p.embd) {
		return fmt.Errorf("the prompt has %d embeddings, want %d: not every tile went in", at/width, p.length)
	}
	p.tiles, p.parts = nil, nil
	return nil
}

// start decodes nothing: all of the prompt is embeddings, in one step.
func (p *tiledPrompt) start(*textContext, int) (int, error) { return 0, nil }

func (p *tiledPrompt) end() int { return p.length }

func (p *tiledPrompt) addRows(b *entries, sequence, pos int, suffix part, s *sampler) (padding int) {
	if pos == 0 {
		b.embd = append(b.embd, p.embd...)
	}
	b.embd = append(b.embd, suffix.embd...)
	last := p.length + len(suffix.tokens) - 1
	for i := pos; i <= last; i++ {
		b.add(i, sequence, i == last, s)
	}
	if pos == 0 {
		return 0
	}
	// A step of a question alone gets enough rows for its products to be computed as
	// those of a whole prompt are. They are rounded differently otherwise, and the
	// answer would depend on whether other prompts came first. The padding comes
	// after the question, which therefore does not see it.
	width := p.f.vision.embd
	for ; b.len() < fewRows; padding++ {
		b.embd = append(b.embd, b.embd[len(b.embd)-width:]...)
		b.add(last+1+padding, sequence, false, nil)
	}
	return padding
}

func (p *tiledPrompt) release() { p.embd = nil }
