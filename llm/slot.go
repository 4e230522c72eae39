package llm

import (
	"fmt"
	"strings"
	"time"

	"photodesc/llm/kernels"
)

// slot is one sequence of the llama context while it serves a picture. The prompts
// are answered one after the other. Between them the picture stays in the KV cache,
// and what followed it is removed.
type slot struct {
	id       int
	job      *job
	turn     int // index in job.asked of the prompt being answered
	question int // index of that prompt
	sampler  *sampler
	pos      int     // positions in the KV cache
	last     int32   // token to decode next
	out      []int32 // tokens generated
	answered bool    // the question; the next may be put
	ended    bool
}

func (s *slot) close() {
	if s != nil {
		s.sampler.close()
	}
}

// encode turns the picture of a slot into embeddings.
func (e *Engine) encode(s *slot) error {
	if err := s.job.ctx.Err(); err != nil {
		return err
	}
	began := time.Now()
	if err := s.job.prompt.encode(s.job.ctx); err != nil {
		return err
	}
	e.encoded.Add(int64(s.job.answer.Tiles))
	s.job.answer.Encode += time.Since(began)
	return nil
}

// ask prepares a slot for the prompt job.asked[turn].
func (e *Engine) ask(s *slot, turn int) (err error) {
	s.sampler.close()
	s.turn, s.question, s.answered, s.out = turn, s.job.asked[turn], false, nil
	sampling, before := e.opt.Sampling, s.job.answer.sampled[s.question]
	if s.job.retry {
		sampling = sampling.retry(len(before.all))
	}
	s.sampler, err = newSampler(e.model, sampling, e.opt.Prompts[s.question].Grammar)
	if err == nil && s.job.retry {
		s.sampler.avoid(before)
	}
	return err
}

// length is the length of the slot's prompt in tokens.
func (e *Engine) length(s *slot) int {
	return s.job.prompt.tokens() + len(e.promptSuffixes[s.question].tokens)
}

// prefill decodes the first prompts of fresh slots, as many in one step as it
// holds, and samples the first token of each answer. Where the rounding of a row
// depends on how many are computed with it, each prompt is a step of its own.
func (e *Engine) prefill(fresh []*slot) {
	for len(fresh) > 0 {
		n, rows := 1, e.length(fresh[0])
		for e.groups && n < len(fresh) && rows+e.length(fresh[n]) <= e.ctx.batch {
			rows += e.length(fresh[n])
			n++
		}
		e.prefillTogether(fresh[:n])
		fresh = fresh[n:]
	}
}

// prefillTogether decodes what the sequences of slots lack of their prompts, in
// one step as far as the front end allows, and samples the first token of each.
func (e *Engine) prefillTogether(group []*slot) {
	began := time.Now()
	b := &entries{}
	last := make([]int, len(group)) // the row of each prompt's last token
	padding := 0
	var err error
	for i, s := range group {
		if s.pos == 0 {
			if err = e.start(s); err != nil {
				break
			}
		}
		from := b.len()
		padding = s.job.prompt.addRows(b, s.id, s.pos, e.promptSuffixes[s.question], s.sampler)
		last[i] = b.len() - padding - 1
		s.pos += b.len() - padding - from
		if len(s.job.asked) == 1 || e.canTruncateKV {
			s.job.prompt.release()
		}
	}
	var picked []int32
	if err == nil {
		e.prefilled.Add(int64(b.len() - padding))
		picked, err = e.ctx.step(b)
	}
	if s := group[len(group)-1]; padding > 0 {
		e.ctx.truncate(s.id, s.pos)
	}
	share := split(time.Since(began), len(group))
	for i, s := range group {
		s.job.answer.Prefill += share
		switch {
		case err != nil:
			s.end(err)
		case e.ctx.held(s.id) != s.pos:
			s.end(fmt.Errorf("%w: the KV cache ends at position %d and the prompt at %d", ErrBroken, e.ctx.held(s.id), s.pos))
		default:
			e.accept(s, picked[last[i]])
		}
	}
}

// start decodes what a slot's empty sequence must hold before a step with its
// question.
func (e *Engine) start(s *slot) error {
	rows, err := s.job.prompt.start(e.ctx, s.id)
	if err != nil || rows == 0 {
		return err
	}
	e.prefilled.Add(int64(rows))
	s.pos = s.job.prompt.end()
	return nil
}

// askNext asks the next prompt of slots that have answered one. It prefills one
// slot at a time, so that an answer does not depend on which other slots are due.
func (e *Engine) askNext(slots []*slot) {
	for _, s := range slots {
		for s != nil && s.answered && !s.ended && s.job.ctx.Err() == nil {
			if s.turn+1 == len(s.job.asked) {
				s.end(nil)
				break
			}
			if err := e.ask(s, s.turn+1); err != nil {
				s.end(err)
				break
			}
			if e.canTruncateKV {
				s.pos = s.job.prompt.end()
				e.ctx.truncate(s.id, s.pos)
			} else {
				s.pos = 0
				e.ctx.forget(s.id)
			}
			e.prefillTogether([]*slot{s})
		}
	}
}

// generate decodes one token of every occupied slot together.
func (e *Engine) generate(slots []*slot) {
	began := time.Now()
	first, last := sequenceRange(len(slots), e.ctx.slots, func(i int) bool { return slots[i] != nil })
	if first > last {
		return
	}
	b := &entries{work: kernels.NextTokens}
	live := 0
	for i := first; i <= last; i++ {
		if i < len(slots) && slots[i] != nil {
			live++
			b.tokens = append(b.tokens, slots[i].last)
			b.add(slots[i].pos, i, true, slots[i].sampler)
		} else { // a dummy; the output of a row without want is not computed
			b.tokens = append(b.tokens, 0)
			b.add(0, i, last-first == 1, nil)
		}
	}
	picked, err := e.ctx.step(b)
	share := split(time.Since(began), live)
	for i := first; i <= last; i++ {
		if i >= len(slots) || slots[i] == nil {
			e.ctx.forget(i)
			continue
		}
		s := slots[i]
		s.job.answer.Generate += share
		s.pos++
		if err != nil {
			s.end(err)
			continue
		}
		e.accept(s, picked[i-first])
	}
}

// sequenceRange returns the first and last sequence of a step of next tokens; there
// are none if first is greater. Only the first n of the sequences, of which there
// are at least two, may be occupied. A lone slot has a dummy beside it, because ggml
// rounds a product with a single column differently from one with several: the text
// would depend on batching. Gaps between occupied slots are filled with dummies, because
// llama.cpp computes only consecutive sequences together.
func sequenceRange(n, sequences int, live func(int) bool) (first, last int) {
	first, last = n, -1
	for i := range n {
		if live(i) {
			first, last = min(first, i), i
		}
	}
	switch {
	case first != last:
	case last+1 < sequences:
		last++
	default:
		first--
	}
	return first, last
}

// accept adds a sampled token to a slot's answer and checks whether the answer ends.
func (e *Engine) accept(s *slot, token int32) {
	if token >= 0 {
		tokens := &s.job.answer.sampled[s.question]
		tokens.all = append(tokens.all, token)
		if len(s.out) == 0 {
			tokens.first = append(tokens.first, token)
		}
	}
	if token < 0 || !e.opt.Exact && e.model.ends(token) {
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
	if len(s.out) >= s.job.limit {
		e.finish(s, FinishLength)
	}
}

// finish makes the generated tokens the answer to the slot's prompt.
func (e *Engine) finish(s *slot, why Finish) {
	var text []byte
	for _, t := range s.out {
		text = append(text, e.model.piece(t)...)
	}
	*s.job.answer.reply(s.question) = Reply{
		Text:         strings.TrimSpace(strings.ToValidUTF8(string(text), "\uFFFD")),
		Finish:       why,
		PromptTokens: e.length(s),
		Tokens:       len(s.out),
	}
	s.answered = true
}

// end marks a slot as done; reap returns the answer or the error.
func (s *slot) end(err error) {
	s.job.err, s.ended = err, true
}
