package llm

import (
	"fmt"
	"strings"
	"time"
)

// slot is a sequence of the llama context while it serves one picture.
type slot struct {
	id      int
	job     *job
	sampler *sampler
	embd    []float32 // the prompt, a row for each token; freed after prefill
	pos     int       // positions in the KV cache
	last    int32     // token to decode next
	out     []int32   // tokens generated
	ended   bool
}

func (s *slot) close() {
	if s != nil {
		s.sampler.close()
	}
}

// encode turns the picture's prompt, tiles and text, into embeddings.
func (e *Engine) encode(s *slot) error {
	if err := s.job.ctx.Err(); err != nil {
		return err
	}
	began := time.Now()
	width := e.model.embd
	s.embd = make([]float32, s.job.length*width)
	at := 0
	for _, p := range s.job.prompt {
		if p.tile < 0 {
			at += copy(s.embd[at:], p.embd)
			continue
		}
		if err := s.job.ctx.Err(); err != nil {
			return err
		}
		n := e.vision.tileTokens * width
		if err := e.vision.encode(s.job.tiles[p.tile], s.embd[at:at+n]); err != nil {
			return err
		}
		at += n
	}
	if at != len(s.embd) {
		return fmt.Errorf("the prompt has %d embeddings, want %d: not every tile went in", at/width, s.job.length)
	}
	s.job.tiles, s.job.prompt = nil, nil
	s.job.answer.Encode = time.Since(began)
	return nil
}

// prefill decodes the prompts of fresh slots, as many together as a step
// holds, and picks the first token of each.
func (e *Engine) prefill(fresh []*slot) {
	for len(fresh) > 0 {
		n, rows := 1, fresh[0].job.length
		for n < len(fresh) && rows+fresh[n].job.length <= e.ctx.batch {
			rows += fresh[n].job.length
			n++
		}
		e.prefillTogether(fresh[:n])
		fresh = fresh[n:]
	}
}

func (e *Engine) prefillTogether(group []*slot) {
	began := time.Now()
	b := &entries{}
	for _, s := range group {
		b.embd = append(b.embd, s.embd...)
		for i := range s.job.length {
			b.add(i, s.id, i == s.job.length-1, s.sampler)
		}
		s.embd = nil
	}
	picked, err := e.ctx.step(b)
	share := seconds(time.Since(began), len(group))
	row := 0
	for _, s := range group {
		s.job.answer.Prefill = share
		row += s.job.length
		s.pos = s.job.length
		switch {
		case err != nil:
			s.end(err)
		case e.ctx.held(s.id) != s.pos:
			s.end(fmt.Errorf("%w: the KV cache holds %d of the prompt's %d tokens", ErrBroken, e.ctx.held(s.id), s.pos))
		default:
			e.take(s, picked[row-1])
		}
	}
}

// generate decodes one token of every live slot together.
func (e *Engine) generate(slots []*slot) {
	began := time.Now()
	b := &entries{}
	var live []*slot
	for _, s := range slots {
		if s != nil {
			live = append(live, s)
			b.tokens = append(b.tokens, s.last)
			b.add(s.pos, s.id, true, s.sampler)
		}
	}
	if len(live) == 0 {
		return
	}
	// A product with a single column takes another path through ggml and is
	// rounded differently: a photo's words would depend on its company. So a
	// lone token is decoded beside a dummy in an empty slot.
	spare := -1
	if len(live) == 1 {
		spare = (live[0].id + 1) % e.ctx.slots
		b.tokens = append(b.tokens, live[0].last)
		b.add(0, spare, false, nil)
	}
	picked, err := e.ctx.step(b)
	if spare >= 0 {
		e.ctx.forget(spare)
	}
	share := seconds(time.Since(began), len(live))
	for i, s := range live {
		s.job.answer.Generate += share
		s.pos++
		if err != nil {
			s.end(err)
			continue
		}
		e.take(s, picked[i])
	}
}

// take adds a picked token to a slot's answer and sees whether it is the end.
func (e *Engine) take(s *slot, token int32) {
	if !e.opt.Exact && e.model.ends(token) {
		e.finish(s, FinishStop)
		return
	}
	s.out = append(s.out, token)
	s.last = token
	if !e.opt.Exact {
		if keep, yes := repeats(s.out); yes {
			s.out = s.out[:keep]
			e.finish(s, FinishRepeat)
			return
		}
	}
	if len(s.out) >= e.opt.MaxTokens {
		e.finish(s, FinishLength)
	}
}

func (e *Engine) finish(s *slot, why Finish) {
	var text []byte
	for _, t := range s.out {
		text = append(text, e.model.piece(t)...)
	}
	a := &s.job.answer
	a.Text = strings.TrimSpace(strings.ToValidUTF8(string(text), "\uFFFD"))
	a.Tokens = len(s.out)
	a.Finish = why
	s.end(nil)
}

func (s *slot) end(err error) {
	s.job.err, s.ended = err, true
}
