package llm

import (
	"context"
	"slices"
)

// Retry asks once more about a picture whose answer said nothing to some of the
// prompts, given by their indexes. The new answer begins otherwise, and what was
// sampled before is less likely in it, the end too. The replies to the other prompts, and the time
// spent, are taken over. With coarser the picture is shown in less detail: alone
// where it was cut into tiles, else at half its size. The errors are Describe's.
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
	for i, said := range before.sampled {
		before.sampled[i] = sampled{slices.Clip(said.all), slices.Clip(said.first)}
	}
	return e.describe(ctx, p, d, &job{most: e.opt.MaxTokens, put: prompts, retry: true, answer: before})
}

// coarser is a picture of less detail, and the detail to show it at.
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
