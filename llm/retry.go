package llm

import (
	"context"
	"slices"
)

// Retry asks again about a picture whose replies to some prompts, given by their
// indexes, were blank. The new replies begin with another token, and tokens sampled
// before are less likely in them, end tokens included. The replies to the other
// prompts are kept, and the time spent is added. With coarser the picture is shown
// in less detail: without tiles, or at half its size if it had none. The errors are
// Describe's.
func (e *Engine) Retry(ctx context.Context, p Picture, before Answer, prompts []int, coarser bool) (Answer, error) {
	d := e.opt.Detail
	if coarser {
		if err := p.check(); err != nil {
			return Answer{}, err
		}
		p, d = e.coarser(p)
	}
	before.More = slices.Clone(before.More)
	before.sampled = slices.Clone(before.sampled)
	for i, s := range before.sampled {
		before.sampled[i] = sampled{slices.Clip(s.all), slices.Clip(s.first)}
	}
	return e.describe(ctx, p, d, &job{limit: e.opt.MaxTokens, asked: prompts, retry: true, answer: before})
}

// coarser returns a picture of less detail and the detail to show it at.
func (e *Engine) coarser(p Picture) (Picture, Detail) {
	d := e.opt.Detail
	w, h := p.size()
	longest, tiles := e.front.shownAt(w, h, d)
	if tiles > 1 {
		return p, DetailLow
	}
	half := max(1, min(longest, max(p.Width, p.Height))/2)
	w, h = fit(w, h, half)
	return Picture{Width: w, Height: h, Pix: resize(p.Pix, p.Width, p.Height, w, h), Context: p.Context}, d
}
