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
	id         int
	job        *job
	turn       int // index in job.put of the prompt being answered
	question   int // index of that prompt
	sampler    *sampler
	embd       []float32         // what the prompts share, a row for each token; freed when it is needed no more
	picture    *pictureEmbedding // or the picture alone, of models other than SmolVLM
	pictureEnd int               // and the position behind it
	pos        int               // positions in the KV cache
	last       int32             // token to decode next
	out        []int32           // tokens generated
	answered   bool              // the question; the next may be put
	ended      bool
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
	if e.multi != nil {
		return e.encodeMultimodal(s)
	}
	began := time.Now()
	width := e.model.embd
	s.embd = make([]float32, s.job.shared*width)
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
		e.encoded.Add(1)
	}
	if at != len(s.embd) {
		return fmt.Errorf("the prompt has %d embeddings, want %d: not every tile went in", at/width, s.job.shared)
	}
	s.job.tiles, s.job.prompt = nil, nil
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
	return s.job.shared + len(e.promptSuffixes[s.question].tokens)
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

// prefillTogether brings slots from what their sequences hold to the end of
// their prompts.
func (e *Engine) prefillTogether(group []*slot) {
	if e.multi != nil {
		for _, s := range group {
			e.prefillMultimodal(s)
		}
		return
	}
	began := time.Now()
	b := &entries{}
	for _, s := range group {
		if s.pos == 0 {
			b.embd = append(b.embd, s.embd...)
		}
		b.embd = append(b.embd, e.promptSuffixes[s.question].embd...)
		for i := s.pos; i < e.length(s); i++ {
			b.add(i, s.id, i == e.length(s)-1, s.sampler)
		}
		if len(s.job.put) == 1 || e.canTruncateKV {
			s.embd = nil
		}
	}
	e.prefilled.Add(int64(b.len()))
	padded := group[0].pos > 0 && e.pad(b, group[0])
	picked, err := e.ctx.step(b)
	if padded {
		e.ctx.truncate(group[0].id, e.length(group[0]))
	}
	share := seconds(time.Since(began), len(group))
	row := 0
	for _, s := range group {
		s.job.answer.Prefill += share
		row += e.length(s) - s.pos
		s.pos = e.length(s)
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

// fewRows is how many rows a product must have for a BLAS to take it.
const fewRows = 32

// pad lengthens a step that prefills nothing but a question to so many rows
// that its products take the same path as those of a whole prompt: they are
// rounded differently otherwise, and the answer would depend on whether other
// prompts were put before. What is added comes after the question, which
// therefore does not see it. It tells whether there is anything to take back.
func (e *Engine) pad(b *entries, s *slot) bool {
	pos := e.length(s)
	for b.len() < fewRows {
		b.embd = append(b.embd, b.embd[len(b.embd)-e.model.embd:]...)
		b.add(pos, s.id, false, nil)
		pos++
	}
	return pos > e.length(s)
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
				s.pos = e.sharedEnd(s)
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
