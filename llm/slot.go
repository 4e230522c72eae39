package llm

import (
	"fmt"
	"strings"
	"time"

	"photodesc/llm/kernels"
)

// slot is a sequence of the llama context while it serves one picture: its
// prompts are answered one after the other. The picture stays in the KV cache
// between them; what followed it is taken back.
type slot struct {
	id       int
	job      *job
	turn     int // index in job.put of the prompt being answered
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

// encode turns the shared part of the picture's prompts, tiles and text, into
// embeddings.
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

// ask makes a slot ready for one of the prompts that are put.
func (e *Engine) ask(s *slot, turn int) (err error) {
	s.sampler.close()
	s.turn, s.question, s.answered, s.out = turn, s.job.put[turn], false, nil
	sampling, said := e.opt.Sampling, s.job.answer.sampled[s.question]
	if s.job.retry {
		sampling = sampling.again(len(said.all))
	}
	s.sampler, err = newSampler(e.model, sampling, e.opt.Prompts[s.question].Grammar)
	if err == nil && s.job.retry {
		s.sampler.avoid(said)
	}
	return err
}

// length is the number of tokens of the slot's prompt.
func (e *Engine) length(s *slot) int {
	return s.job.prompt.tokens() + len(e.promptSuffixes[s.question].tokens)
}

// prefill decodes the first prompts of fresh slots, as many together as a step
// holds, and picks the first token of each. Where a row's rounding depends on
// how many are computed with it, each goes alone.
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
// one step as far as the front end allows, and picks the first token of each.
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
		if len(s.job.put) == 1 || e.canTruncateKV {
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
	share := seconds(time.Since(began), len(group))
	for i, s := range group {
		s.job.answer.Prefill += share
		switch {
		case err != nil:
			s.end(err)
		case e.ctx.held(s.id) != s.pos:
			s.end(fmt.Errorf("%w: the KV cache ends at position %d and the prompt at %d", ErrBroken, e.ctx.held(s.id), s.pos))
		default:
			e.take(s, picked[last[i]])
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

// askOn puts the next prompt to the slots that have answered one, one slot at a
// time, so that an answer does not depend on which others are due.
func (e *Engine) askOn(slots []*slot) {
	for _, s := range slots {
		for s != nil && s.answered && !s.ended && s.job.ctx.Err() == nil {
			if s.turn+1 == len(s.job.put) {
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

// generate decodes one token of every live slot together.
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
		} else { // a dummy; what is not wanted is not computed to the end
			b.tokens = append(b.tokens, 0)
			b.add(0, i, last-first == 1, nil)
		}
	}
	picked, err := e.ctx.step(b)
	share := seconds(time.Since(began), live)
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
		e.take(s, picked[i-first])
	}
}

// sequenceRange is the sequences that a step of next tokens has, from first to last;
// there are none if first is greater. The first n of so many sequences, two at
// least, may be live. A product with a single column takes another path through
// ggml than one with several and is rounded differently: a photo's words would
// depend on its company. And llama.cpp computes only those sequences together
// whose numbers follow each other. So a lone slot has a dummy beside it, and
// gaps between live ones are filled with dummies.
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

// take adds a picked token to a slot's answer and sees whether it is the end.
func (e *Engine) take(s *slot, token int32) {
	if token >= 0 {
		said := &s.job.answer.sampled[s.question]
		said.all = append(said.all, token)
		if len(s.out) == 0 {
			said.first = append(said.first, token)
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
	if len(s.out) >= s.job.most {
		e.finish(s, FinishLength)
	}
}

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

func (s *slot) end(err error) {
	s.job.err, s.ended = err, true
}
