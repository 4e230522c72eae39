//go:build !llama_system

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
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"photodesc/internal/families"
	"photodesc/llm/kernels"
)

// mtmdFrontend shows pictures to models by llama.cpp's own multimodal library
// (mtmd): a picture becomes one chunk of embeddings between tokens of text. It
// must be closed.
type mtmdFrontend struct {
	p     *C.struct_mtmd_context
	clip  *C.struct_clip_ctx
	model *textModel

	family  families.Family
	detail  Detail
	context int // most tokens of a picture's context

	edge      int  // of the square picture it takes, pixels
	anySize   bool // or pictures of any size
	mrope     bool // positions in time, height and width
	nonCausal bool // a picture's embeddings see each other in both directions
	windows   bool // attention is masked by windows
	threads   *computeThreads

	before  []int32 // tokens before the picture's embeddings
	behind  []int32 // tokens after them, up to the picture's context
	after   string  // text after the question
	largest frame   // the picture with the most embeddings, at the engine's detail
}

// narrowest is the longest edge of a picture as a multiple of its shortest, at
// most: a narrower picture is widened.
const narrowest = 32

// frame is the size in pixels that a picture is brought to, and the number of
// embeddings it becomes.
type frame struct{ width, height, tokens int }

// of resamples a picture to the size. The encoder gets it at the size that it
// takes, because clip's own resampling skips pixels when it shrinks.
func (s frame) of(p Picture) []byte { return resize(p.Pix, p.Width, p.Height, s.width, s.height) }

func newMTMDFrontend(m *textModel, family families.Family, gpu bool, opt Options) (_ frontend, err error) {
	if err := checkTokens(m, family); err != nil {
		return nil, err
	}
	words, err := newChat(m, family.Chat)
	if err != nil {
		return nil, err
	}
	cpath := C.CString(opt.Vision)
	defer C.free(unsafe.Pointer(cpath))
	var msg [512]C.char
	other := visionDevice(gpu)
	p := C.pd_multi_load(cpath, m.p, C.bool(other), C.bool(!other && kernels.Supported()), &msg[0], 512)
	if p == nil {
		return nil, fmt.Errorf("llama.cpp cannot load the vision file %q: %s", opt.Vision, C.GoString(&msg[0]))
	}
	handles.Add(1)
	f := &mtmdFrontend{p: p, clip: C.pd_multi_vision(p), model: m, family: family, detail: opt.Detail, context: opt.Context, after: words.after, threads: opt.compute}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	info := f.info()
	f.edge, f.anySize = int(info.tile), bool(info.any_size)
	f.mrope, f.nonCausal, f.windows = bool(info.mrope), bool(info.non_causal), bool(info.windows)
	if f.anySize != (family.HighEdge > 0) {
		return nil, fmt.Errorf("llama.cpp and photodesc disagree on whether %s takes pictures of any size", family.Name)
	}
	f.largest = f.mostTokens()
	if C.pd_vision_reserve(f.clip, C.int(f.largest.width), C.int(f.largest.height)) != 0 {
		return nil, fmt.Errorf("llama.cpp cannot make the buffers for pictures of %d×%d; use a lower --detail", f.largest.width, f.largest.height)
	}

	// Which tokens mtmd puts around a picture is read off a small one.
	small := f.fit(1, 1)
	around, err := f.chunksOf(make([]byte, 3*small.width*small.height), small)
	if err != nil {
		return nil, err
	}
	defer C.mtmd_input_chunks_free(around.p)
	f.before = append(m.begin(words.before), around.before...)
	f.behind = append(around.after, m.tokenize(words.between, true)...)
	return f, nil
}

func (f *mtmdFrontend) close() {
	if f.p != nil {
		C.pd_multi_free(f.p)
		f.p = nil
		handles.Add(-1)
	}
}

func (f *mtmdFrontend) info() (info C.struct_pd_vision_info) {
	C.pd_vision_info(f.clip, &info)
	return info
}

func (f *mtmdFrontend) memory() (weights, compute uint64) {
	info := f.info()
	compute = uint64(info.compute_bytes)
	if f.windows {
		patches := uint64(4 * f.largest.tokens) // clip writes a number for each pair of them
		compute += patches * patches * 4
	}
	return uint64(info.weight_bytes), compute
}

func (f *mtmdFrontend) plan(p Picture, d Detail) (picturePrompt, error) {
	w, h := p.size()
	prompt := &mtmdPrompt{f: f, picture: p, size: f.scale(w, h, d)}
	if f.context > 0 {
		prompt.context = f.model.tokenize(p.Context, false)
		prompt.context = prompt.context[:min(len(prompt.context), f.context)]
	}
	return prompt, nil
}

// promptSuffix tokenises a person's prompt as plain text: "<|im_start|>" in it is
// not a token.
func (f *mtmdFrontend) promptSuffix(question string) (part, error) {
	tokens := append(f.model.tokenize(question, false), f.model.tokenize(f.after, true)...)
	return part{tokens: tokens, tile: -1}, nil
}

func (f *mtmdFrontend) maxTokens() int { return f.shared(f.largest) + f.context }

// shared is the number of tokens before the question, without any context.
func (f *mtmdFrontend) shared(s frame) int { return len(f.before) + s.tokens + len(f.behind) }

func (f *mtmdFrontend) longestEdge() int {
	if !f.anySize {
		return f.edge
	}
	return min(f.detail.largest(f.family.LowEdge, f.family.HighEdge), max(f.largest.width, f.largest.height))
}

func (f *mtmdFrontend) shownAt(width, height int, d Detail) (longest, tiles int) {
	if !f.anySize {
		return f.edge, 1
	}
	return d.longest(width, height, f.family.LowEdge, f.family.HighEdge), 1
}

// minBatch: embeddings that see each other in both directions are decoded in one
// step.
func (f *mtmdFrontend) minBatch() int {
	if f.nonCausal {
		return f.largest.tokens
	}
	return 0
}

// groupsPrompts: a step has rows of one kind and one kind of attention.
func (f *mtmdFrontend) groupsPrompts() bool { return false }

func (f *mtmdFrontend) sameTiles() bool { return false }

// scale is the size that a width×height picture is brought to.
func (f *mtmdFrontend) scale(width, height int, d Detail) frame {
	if !f.anySize {
		return f.fit(width, height)
	}
	longest := d.longest(width, height, f.family.LowEdge, f.family.HighEdge)
	scale := float64(longest) / float64(max(width, height))
	side := func(n int) int {
		return max(int(math.Round(float64(n)*scale)), (longest+narrowest-1)/narrowest)
	}
	return f.fit(side(width), side(height))
}

// fit is the size that the encoder takes for a width×height picture.
func (f *mtmdFrontend) fit(width, height int) frame {
	var w, h C.int
	C.pd_vision_fit(f.clip, C.int(width), C.int(height), &w, &h)
	return frame{int(w), int(h), int(C.pd_vision_tokens(f.clip, w, h))}
}

// mostTokens is the size of the picture that becomes the most embeddings.
func (f *mtmdFrontend) mostTokens() frame {
	if !f.anySize {
		return f.fit(1, 1)
	}
	d, longest := f.detail, f.detail.largest(f.family.LowEdge, f.family.HighEdge)
	most := f.scale(longest, longest, d)
	for side := 1; side <= longest; side++ {
		for _, s := range []frame{f.scale(longest, side, d), f.scale(side, longest, d), f.scale(side, side, d), f.scale(side, 1, d)} {
			if s.tokens > most.tokens {
				most = s
			}
		}
	}
	return most
}

// chunks are a picture on its way to the encoder, in C memory.
type chunks struct {
	p             *C.struct_mtmd_input_chunks
	image         *C.struct_mtmd_input_chunk
	before, after []int32 // tokens around it
}

// chunksOf prepares a picture (R G B, 8 bit) of the given size for the encoder.
// The chunks must be freed.
func (f *mtmdFrontend) chunksOf(pix []byte, p frame) (c chunks, err error) {
	c.p = C.pd_multi_cut(f.p, (*C.uint8_t)(&pix[0]), C.int(p.width), C.int(p.height))
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
func (f *mtmdFrontend) encode(pix []byte, p frame) (*pictureEmbedding, error) {
	c, err := f.chunksOf(pix, p)
	if err != nil {
		return nil, err
	}
	defer C.mtmd_input_chunks_free(c.p)
	places := C.mtmd_input_chunk_get_tokens_image(c.image)
	out := &pictureEmbedding{
		embd: make([]float32, p.tokens*f.model.inputs()), n: p.tokens,
		nx: int(C.mtmd_image_tokens_get_nx(places)), ny: int(C.mtmd_image_tokens_get_ny(places)),
	}
	var rc C.int
	f.threads.compute(kernels.Prompts, func(threads int) {
		rc = C.pd_multi_encode(f.p, C.int(threads), c.image, (*C.float)(&out.embd[0]))
	})
	if rc != 0 {
		return nil, fmt.Errorf("%w: llama.cpp could not encode a picture of %d×%d pixels", ErrBroken, p.width, p.height)
	}
	return out, finite(out.embd)
}

// inputs is the number of values of an embedding that goes in.
func (m *textModel) inputs() int { return int(C.llama_model_n_embd_inp(m.p)) }

// positions is how far the picture moves the position of what follows. With
// M-RoPE all of it is one moment, as long as its longer side.
func (f *mtmdFrontend) positions(p *pictureEmbedding) int {
	if f.mrope {
		return max(p.nx, p.ny)
	}
	return p.n
}

// mtmdPrompt is one picture's part of its prompts for mtmdFrontend.
type mtmdPrompt struct {
	f         *mtmdFrontend
	picture   Picture // until cut
	size      frame
	pix       []byte  // from cut to encode
	context   []int32 // what is known of the photo, between it and the question
	embedding *pictureEmbedding
	endPos    int // position after the picture
}

func (p *mtmdPrompt) tokens() int { return p.f.shared(p.size) + len(p.context) }

func (p *mtmdPrompt) cut() int {
	p.pix, p.picture = p.size.of(p.picture), Picture{}
	return 1
}

func (p *mtmdPrompt) encode(context.Context) (err error) {
	p.embedding, err = p.f.encode(p.pix, p.size)
	p.pix = nil
	return err
}

// start decodes the text before the picture as tokens, because models may scale
// their embeddings, and then the picture. The picture is decoded apart from what
// follows it, so that the first question is rounded as the others are.
func (p *mtmdPrompt) start(c *textContext, sequence int) (rows int, err error) {
	b := &entries{tokens: p.f.before}
	for i := range p.f.before {
		b.add(i, sequence, false, nil)
	}
	if _, err := c.step(b); err != nil {
		return 0, err
	}
	pos := len(p.f.before)
	if err := p.f.prefillPicture(c, sequence, pos, p.embedding); err != nil {
		return 0, err
	}
	p.endPos = pos + p.f.positions(p.embedding)
	return pos + p.embedding.n, nil
}

func (p *mtmdPrompt) end() int { return p.endPos }

func (p *mtmdPrompt) addRows(b *entries, sequence, pos int, suffix part, s *sampler) (padding int) {
	tokens := slices.Concat(p.f.behind, p.context, suffix.tokens)
	b.tokens = append(b.tokens, tokens...)
	for i := range tokens {
		b.add(pos+i, sequence, i == len(tokens)-1, s)
	}
	return 0
}

func (p *mtmdPrompt) release() { p.embedding = nil }

// prefillPicture decodes a picture's embeddings from position pos on.
func (f *mtmdFrontend) prefillPicture(c *textContext, sequence, pos int, p *pictureEmbedding) error {
	if f.nonCausal {
		C.llama_set_causal_attn(c.p, false)
		defer C.llama_set_causal_attn(c.p, true)
	}
	for from := 0; from < p.n; from += c.batch {
		if err := f.prefillRows(c, sequence, pos, p, from, min(from+c.batch, p.n)); err != nil {
			return err
		}
	}
	return nil
}

// prefillRows decodes some of a picture's embeddings. pos is the position of the first of all.
func (f *mtmdFrontend) prefillRows(c *textContext, sequence, pos int, p *pictureEmbedding, from, to int) error {
	n := to - from
	width := len(p.embd) / p.n
	seq, want, picked := make([]int32, n), make([]int8, n), make([]int32, n)
	dims := 1
	if f.mrope {
		dims = 4 // time, height, width and one that is not used
	}
	places := make([]int32, dims*n)
	for i := range n {
		seq[i] = int32(sequence)
		if !f.mrope {
			places[i] = int32(pos + from + i)
			continue
		}
		at := from + i
		places[i] = int32(pos)
		places[n+i] = int32(pos + at/p.nx)
		places[2*n+i] = int32(pos + at%p.nx)
	}
	var rc C.int
	c.compute(kernels.Prompts, func() {
		rc = C.pd_step(c.p, C.int(n), nil, (*C.float)(&p.embd[from*width]), (*C.int32_t)(&places[0]), (*C.int32_t)(&seq[0]),
			(*C.int8_t)(&want[0]), nil, nil, 0, (*C.int32_t)(&picked[0]))
	})
	switch {
	case rc == 1:
		return errCacheFull
	case rc != 0:
		return fmt.Errorf("%w: llama.cpp could not decode %d of a picture's embeddings (code %d)", ErrBroken, n, int(rc))
	}
	return nil
}
