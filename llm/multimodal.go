package llm

/*
#include <stdlib.h>
#include "bridge.h"
#include "llama.h"
#include "mtmd.h"
#include "step.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unsafe"

	"photodesc/llm/kernels"
)

// multimodal serves models other than SmolVLM through llama.cpp's own path
// (mtmd): the picture becomes one chunk of embeddings between tokens of text.
// It must be closed. All but plan belongs to one goroutine.
type multimodal struct {
	p     *C.struct_mtmd_context
	clip  *C.struct_clip_ctx
	model *textModel

	edge      int  // of the square picture it takes, pixels
	anySize   bool // or pictures of any size
	mrope     bool // positions in time, height and width
	nonCausal bool // a picture's embeddings see each other in both directions
	windows   bool // attention is masked by windows

	promptPrefix []int32 // tokens before the picture's embeddings
	behind       []int32 // after them, up to where the question begins
	largest      frame   // the picture with the most embeddings, at the engine's detail
}

// Longest edges in pixels for pictures of any size at the details low and high;
// auto stays within half of the latter. The models' own limits hold, too.
const (
	lowEdge  = 448
	highEdge = 2048
)

// narrowest is the shortest edge of a picture as a part of its longest: a
// narrower picture is widened.
const narrowest = 32

// frame is the size in pixels that a picture is brought to, and the embeddings it becomes.
type frame struct{ width, height, tokens int }

// of brings a picture to the size. It is handed over as the encoder takes it:
// clip's own resampling leaves pixels out when it shrinks.
func (f frame) of(p Picture) []byte { return resize(p.Pix, p.Width, p.Height, f.width, f.height) }

// multiJob is what a multimodal model is to do with a picture.
type multiJob struct {
	size    frame
	context []int32 // what is known of the photo, between it and the question
}

// loadMultimodal loads the vision file of a text model. It comes with the end
// of the prompt for each question.
func loadMultimodal(m *textModel, projector string, gpu bool, opt Options, questions []string) (_ *multimodal, promptSuffixes []part, err error) {
	k, err := kindOf(m, projector)
	if err != nil {
		return nil, nil, err
	}
	words, err := newChat(m, k)
	if err != nil {
		return nil, nil, err
	}
	cpath := C.CString(opt.Vision)
	defer C.free(unsafe.Pointer(cpath))
	var msg [512]C.char
	other := visionDevice(gpu)
	p := C.pd_multi_load(cpath, m.p, C.bool(other), C.bool(!other && kernels.Supported()), C.int(opt.Threads), &msg[0], 512)
	if p == nil {
		return nil, nil, fmt.Errorf("llama.cpp cannot load the vision file %q: %s", opt.Vision, C.GoString(&msg[0]))
	}
	handles.Add(1)
	mm := &multimodal{p: p, clip: C.pd_multi_vision(p), model: m}
	defer func() {
		if err != nil {
			mm.close()
		}
	}()
	info := mm.info()
	mm.edge, mm.anySize = int(info.tile), bool(info.any_size)
	mm.mrope, mm.nonCausal, mm.windows = bool(info.mrope), bool(info.non_causal), bool(info.windows)
	mm.largest = mm.mostTokens(opt.Detail)
	if C.pd_vision_reserve(mm.clip, C.int(mm.largest.width), C.int(mm.largest.height)) != 0 {
		return nil, nil, fmt.Errorf("llama.cpp cannot make the buffers for pictures of %d×%d; use a lower --detail", mm.largest.width, mm.largest.height)
	}

	// Which tokens go around a picture is seen on a small one.
	small := mm.fit(1, 1)
	around, err := mm.cut(make([]byte, 3*small.width*small.height), small)
	if err != nil {
		return nil, nil, err
	}
	defer C.mtmd_input_chunks_free(around.p)
	mm.promptPrefix = append(m.begin(words.before), around.before...)
	mm.behind = append(around.after, m.tokenize(words.between, true)...)
	for _, q := range questions {
		// A person's words are words: "<|im_start|>" in them is not a token.
		tokens := append(m.tokenize(q, false), m.tokenize(words.after, true)...)
		promptSuffixes = append(promptSuffixes, part{tokens: tokens, tile: -1})
	}
	return mm, promptSuffixes, nil
}

func (mm *multimodal) close() {
	if mm != nil && mm.p != nil {
		C.pd_multi_free(mm.p)
		mm.p = nil
		handles.Add(-1)
	}
}

func (mm *multimodal) info() (info C.struct_pd_vision_info) {
	C.pd_vision_info(mm.clip, &info)
	return info
}

// computeBytes is what encoding the largest picture takes.
func (mm *multimodal) computeBytes() uint64 {
	bytes := uint64(mm.info().compute_bytes)
	if mm.windows {
		patches := uint64(4 * mm.largest.tokens) // clip writes a number for each pair of them
		bytes += patches * patches * 4
	}
	return bytes
}

// plan is what is to be done with a picture. It is safe for many goroutines.
func (mm *multimodal) plan(p Picture, d Detail, context int) multiJob {
	w, h := p.size()
	j := multiJob{size: mm.scale(w, h, d)}
	if context > 0 {
		j.context = mm.model.tokenize(p.Context, false)
		j.context = j.context[:min(len(j.context), context)]
	}
	return j
}

// scale is what a width×height picture is brought to.
func (mm *multimodal) scale(width, height int, d Detail) frame {
	longest := d.longest(width, height, lowEdge, highEdge)
	scale := float64(longest) / float64(max(width, height))
	side := func(n int) int {
		return max(int(math.Round(float64(n)*scale)), (longest+narrowest-1)/narrowest)
	}
	return mm.fit(side(width), side(height))
}

// fit is the size that the encoder takes for a width×height picture.
func (mm *multimodal) fit(width, height int) frame {
	var w, h C.int
	C.pd_vision_fit(mm.clip, C.int(width), C.int(height), &w, &h)
	return frame{int(w), int(h), int(C.pd_vision_tokens(mm.clip, w, h))}
}

// mostTokens looks for the picture that becomes the most embeddings.
func (mm *multimodal) mostTokens(d Detail) frame {
	longest := d.largest(lowEdge, highEdge)
	most := mm.scale(longest, longest, d)
	for side := 1; side <= longest; side++ {
		for _, p := range []frame{mm.scale(longest, side, d), mm.scale(side, longest, d), mm.scale(side, side, d), mm.scale(side, 1, d)} {
			if p.tokens > most.tokens {
				most = p
			}
		}
	}
	return most
}

// longestEdge is the longest edge in pixels that a picture need have.
func (mm *multimodal) longestEdge(d Detail) int {
	if !mm.anySize {
		return mm.edge
	}
	return min(d.largest(lowEdge, highEdge), max(mm.largest.width, mm.largest.height))
}

// shared is the number of tokens before the question, without any context.
func (mm *multimodal) shared(f frame) int { return len(mm.promptPrefix) + f.tokens + len(mm.behind) }

// chunks are a picture on its way to the encoder, in C memory.
type chunks struct {
	p             *C.struct_mtmd_input_chunks
	image         *C.struct_mtmd_input_chunk
	before, after []int32 // tokens around it
}

// cut prepares a picture (R G B, 8 bit) of the given size for the encoder.
// The chunks must be freed.
func (mm *multimodal) cut(pix []byte, p frame) (c chunks, err error) {
	c.p = C.pd_multi_cut(mm.p, (*C.uint8_t)(&pix[0]), C.int(p.width), C.int(p.height))
	if c.p == nil {
		return c, fmt.Errorf("%w: llama.cpp could not prepare a picture of %d×%d pixels", ErrBroken, p.width, p.height)
	}
	for i := range C.mtmd_input_chunks_size(c.p) {
		chunk := C.mtmd_input_chunks_get(c.p, i)
		if C.mtmd_input_chunk_get_type(chunk) == C.MTMD_INPUT_CHUNK_TYPE_TEXT {
			var n C.size_t
			tokens := C.mtmd_input_chunk_get_tokens_text(chunk, &n)
			text := slices.Clone(unsafe.Slice((*int32)(tokens), int(n)))
			if c.image == nil {
				c.before = append(c.before, text...)
			} else {
				c.after = append(c.after, text...)
			}
			continue
		}
		if c.image != nil {
			err = errors.New("llama.cpp cuts pictures into several for this model, which photodesc does not do")
			break
		}
		c.image = chunk
	}
	if err == nil && (c.image == nil || int(C.mtmd_input_chunk_get_n_tokens(c.image)) != p.tokens) {
		err = fmt.Errorf("%w: llama.cpp did not make %d embeddings of a picture", ErrBroken, p.tokens)
	}
	if err != nil {
		C.mtmd_input_chunks_free(c.p)
	}
	return c, err
}

// pictureEmbedding is an encoded picture: nx columns and ny rows of
// embeddings, or one row where their places do not matter.
type pictureEmbedding struct {
	embd   []float32
	n      int
	nx, ny int
}

// encode turns a picture (R G B, 8 bit) of the given size into embeddings.
func (mm *multimodal) encode(pix []byte, p frame) (*pictureEmbedding, error) {
	c, err := mm.cut(pix, p)
	if err != nil {
		return nil, err
	}
	defer C.mtmd_input_chunks_free(c.p)
	places := C.mtmd_input_chunk_get_tokens_image(c.image)
	out := &pictureEmbedding{
		embd: make([]float32, p.tokens*mm.model.inputs()), n: p.tokens,
		nx: int(C.mtmd_image_tokens_get_nx(places)), ny: int(C.mtmd_image_tokens_get_ny(places)),
	}
	var rc C.int
	kernels.Compute(kernels.Prompts, func() { rc = C.pd_multi_encode(mm.p, c.image, (*C.float)(&out.embd[0])) })
	if rc != 0 {
		return nil, fmt.Errorf("%w: llama.cpp could not encode a picture of %d×%d pixels", ErrBroken, p.width, p.height)
	}
	return out, finite(out.embd)
}

// inputs is the number of values of an embedding that goes in.
func (m *textModel) inputs() int { return int(C.llama_model_n_embd_inp(m.p)) }

// positions is how far the picture moves the position of what follows. With
// M-RoPE all of it is one moment, as long as its longer side.
func (mm *multimodal) positions(p *pictureEmbedding) int {
	if mm.mrope {
		return max(p.nx, p.ny)
	}
	return p.n
}

// prefill decodes what comes before the question into an empty slot: the text
// as tokens, because models may scale their embeddings, and the picture. It
// returns the position behind.
func (mm *multimodal) prefill(c *textContext, slot int, picture *pictureEmbedding) (pos int, err error) {
	b := &entries{tokens: mm.promptPrefix}
	for i := range mm.promptPrefix {
		b.add(i, slot, false, nil)
	}
	if _, err := c.step(b); err != nil {
		return 0, err
	}
	pos = len(mm.promptPrefix)
	if mm.nonCausal {
		C.llama_set_causal_attn(c.p, false)
		defer C.llama_set_causal_attn(c.p, true)
	}
	for from := 0; from < picture.n; from += c.batch {
		if err := mm.prefillRows(c, slot, pos, picture, from, min(from+c.batch, picture.n)); err != nil {
			return 0, err
		}
	}
	return pos + mm.positions(picture), nil
}

// prefillRows decodes some of a picture's embeddings. pos is the position of the first of all.
func (mm *multimodal) prefillRows(c *textContext, slot, pos int, p *pictureEmbedding, from, to int) error {
	n := to - from
	width := len(p.embd) / p.n
	seq, want, picked := make([]int32, n), make([]int8, n), make([]int32, n)
	dims := 1
	if mm.mrope {
		dims = 4 // time, height, width and one that is not used
	}
	places := make([]int32, dims*n)
	for i := range n {
		seq[i] = int32(slot)
		if !mm.mrope {
			places[i] = int32(pos + from + i)
			continue
		}
		at := from + i
		places[i] = int32(pos)
		places[n+i] = int32(pos + at/p.nx)
		places[2*n+i] = int32(pos + at%p.nx)
	}
	var rc C.int
	kernels.Compute(kernels.Prompts, func() {
		rc = C.pd_step(c.p, C.int(n), nil, (*C.float)(&p.embd[from*width]), (*C.int32_t)(&places[0]), (*C.int32_t)(&seq[0]),
			(*C.int8_t)(&want[0]), nil, nil, 0, (*C.int32_t)(&picked[0]))
	})
	switch {
	case rc == 1:
		return errNoRoom
	case rc != 0:
		return fmt.Errorf("%w: llama.cpp could not decode %d of a picture's embeddings (code %d)", ErrBroken, n, int(rc))
	}
	return nil
}

// atOnce is how many embeddings must be decoded in one go; 0: any.
func (mm *multimodal) atOnce() int {
	if mm != nil && mm.nonCausal {
		return mm.largest.tokens
	}
	return 0
}

// encodeMultimodal turns the slot's picture into embeddings.
func (e *Engine) encodeMultimodal(s *slot) (err error) {
	began := time.Now()
	s.picture, err = e.multi.encode(s.job.tiles[0], s.job.multi.size)
	s.job.tiles = nil
	s.job.answer.Encode += time.Since(began)
	e.encoded.Add(1)
	return err
}

// prefillMultimodal brings a slot from what its sequence holds to the end of
// its prompt and picks the first token. Each goes alone: a step has rows of one
// kind and one kind of attention. And the picture apart from what follows it,
// so that the first question is rounded as the others are.
func (e *Engine) prefillMultimodal(s *slot) {
	began := time.Now()
	var err error
	if s.pos == 0 {
		s.pos, err = e.multi.prefill(e.ctx, s.id, s.picture)
		s.pictureEnd = s.pos
		e.prefilled.Add(int64(len(e.multi.promptPrefix) + s.picture.n))
		if len(s.job.put) == 1 || e.canTruncateKV {
			s.picture = nil
		}
	}
	var picked []int32
	if err == nil {
		b := &entries{tokens: slices.Concat(e.multi.behind, s.job.multi.context, e.promptSuffixes[s.question].tokens)}
		for i := range b.tokens {
			b.add(s.pos+i, s.id, i == len(b.tokens)-1, s.sampler)
		}
		e.prefilled.Add(int64(b.len()))
		picked, err = e.ctx.step(b)
		s.pos += b.len()
	}
	s.job.answer.Prefill += time.Since(began)
	switch {
	case err != nil:
		s.end(err)
	case e.ctx.held(s.id) != s.pos:
		s.end(fmt.Errorf("%w: the KV cache ends at position %d and the prompt at %d", ErrBroken, e.ctx.held(s.id), s.pos))
	default:
		e.take(s, picked[len(picked)-1])
	}
}

// sharedEnd is the position up to which a slot's prompts are the same.
func (e *Engine) sharedEnd(s *slot) int {
	if e.multi != nil {
		return s.pictureEnd
	}
	return s.job.shared
}
