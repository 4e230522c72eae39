//go:build llama_system

package llm

/*
#include <stdlib.h>
#include "bridge.h"
#include "system.h"
#include "llama.h"
#include "mtmd.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"photodesc/internal/families"
	"photodesc/llm/kernels"
)

// systemFrontend shows pictures to models by the system's libmtmd. It cuts, resizes
// and encodes them, and decodes their embeddings. It must be closed.
type systemFrontend struct {
	p      *C.struct_mtmd_context
	model  *textModel
	family families.Family // the zero value if photodesc does not know it
	detail Detail
	file   string // the vision file

	tile      int // edge of the square picture or tile that the encoder takes, pixels
	align     int // sides of a picture of any size are multiples of it
	reference int // longest edge that a tiled picture is brought to, pixels

	before  []int32 // tokens before the picture and what mtmd puts around it
	between []int32 // tokens after it, up to the picture's context
	after   string  // text after the question
	context int     // most tokens of a picture's context
	largest int     // most tokens that a picture becomes, at the engine's detail
	bidi    int     // most tokens of a picture that see each other in both directions
	embd    int     // values of an embedding that goes in
}

// newFrontend loads the vision file with mtmd.
func newFrontend(m *textModel, gpu bool, opt Options) (_ frontend, err error) {
	projector, err := projectorOf(opt.Vision)
	if err != nil {
		return nil, err
	}
	family, known := families.ByProjector(projector)
	if !known && !opt.Unchecked {
		return nil, fmt.Errorf("the vision file is of the type %q, which photodesc does not know", projector)
	}
	if family.Tiled && !m.single(tokenTile(1, 1)) {
		return nil, errors.New(FirstSmolVLM)
	}
	f := &systemFrontend{model: m, family: family, detail: opt.Detail, file: opt.Vision, context: opt.Context, embd: int(C.llama_model_n_embd_inp(m.p))}
	if err := f.words(known); err != nil {
		return nil, err
	}
	if err := f.shape(); err != nil {
		return nil, err
	}
	path := C.CString(opt.Vision)
	defer C.free(unsafe.Pointer(path))
	if f.p = C.pd_system_load(path, m.p, C.bool(gpu), C.int(opt.Threads)); f.p == nil {
		return nil, fmt.Errorf("llama.cpp cannot load the vision file %q; the log says why", opt.Vision)
	}
	handles.Add(1)
	if err := f.measure(); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// words finds the text around picture and question.
func (f *systemFrontend) words(known bool) error {
	if f.family.Tiled {
		f.before, f.after = f.model.begin(tokenStart+"User:"), tokenEnd+"\nAssistant:"
		return nil
	}
	if known {
		if err := checkTokens(f.model, f.family); err != nil {
			return err
		}
	}
	words, err := newChat(f.model, f.family.Chat)
	if err != nil {
		return err
	}
	f.before, f.between, f.after = f.model.begin(words.before), f.model.tokenize(words.between, true), words.after
	return nil
}

// shape reads how large pictures are to be from the vision file.
func (f *systemFrontend) shape() error {
	var failed error
	number := func(key string) int {
		cpath, ckey := C.CString(f.file), C.CString("clip.vision."+key)
		defer C.free(unsafe.Pointer(cpath))
		defer C.free(unsafe.Pointer(ckey))
		var bad C.bool
		n := C.pd_system_number(cpath, ckey, &bad)
		if bad {
			failed = fmt.Errorf("llama.cpp cannot load the vision file %q; the log says why", f.file)
		}
		return int(n)
	}
	f.tile, f.reference = number("image_size"), number("preproc_image_size")
	// Families of pictures of any size merge two by two patches, whatever the file says.
	f.align = 2 * number("patch_size")
	if f.tile == 0 {
		f.tile = 448
	}
	if f.reference == 0 {
		f.reference = 4 * f.tile
	}
	if f.align == 0 {
		f.align = 1
	}
	return failed
}

// measure finds how many tokens a picture becomes at most, by having mtmd cut
// pictures of many shapes.
func (f *systemFrontend) measure() error {
	const huge = 1 << 14
	for _, side := range []int{huge, huge * 3 / 4, huge * 2 / 3, huge / 2, huge / 3, huge / 4, huge / 8, huge / narrowest, 1} {
		for _, s := range [][2]int{{huge, side}, {side, huge}} {
			c, err := f.cut(nil, f.scale(s[0], s[1], f.detail))
			if err != nil {
				return err
			}
			f.largest = max(f.largest, c.tokens())
			for i := range c.len() {
				chunk := c.at(i)
				if !isPicture(chunk) && slices.Contains(textOf(chunk), noToken) {
					c.free()
					return fmt.Errorf("the text model lacks tokens that llama.cpp puts around a picture of the type of %q: they do not belong together", f.file)
				}
				if isPicture(chunk) && bool(C.pd_system_non_causal(f.p, chunk)) {
					f.bidi = max(f.bidi, int(C.mtmd_input_chunk_get_n_tokens(chunk)))
				}
			}
			c.free()
		}
	}
	return nil
}

func (f *systemFrontend) close() {
	if f.p != nil {
		C.mtmd_free(f.p)
		f.p = nil
		handles.Add(-1)
	}
}

// scale is the size that a width×height picture is handed to mtmd at.
func (f *systemFrontend) scale(width, height int, d Detail) [2]int {
	longest := f.longest(width, height, d)
	if f.family.Tiled {
		// The pixels of the tiles are the reference's: mtmd finds nothing left to resize.
		g := PlanTiles(width, height, longest, f.tile)
		return [2]int{g.FullW, g.FullH}
	}
	if f.family.Projector != "" && f.family.HighEdge == 0 {
		return [2]int{f.tile, f.tile}
	}
	side := func(n int) int {
		scaled := max(n*longest/max(width, height), (longest+narrowest-1)/narrowest)
		return max((scaled+f.align/2)/f.align*f.align, f.align)
	}
	return [2]int{side(width), side(height)}
}

// longest is the longest edge in pixels that a picture is brought to. mtmd always
// brings tiled pictures to the reference's.
func (f *systemFrontend) longest(width, height int, d Detail) int {
	switch {
	case f.family.Tiled:
		return f.reference
	case f.family.HighEdge > 0:
		return d.longest(width, height, f.family.LowEdge, f.family.HighEdge)
	case f.family.Projector != "":
		return f.tile
	}
	return d.longest(width, height, unknownLow, unknownHigh)
}

// The longest edges in pixels that --detail low and high mean for a model of an
// unknown family.
const unknownLow, unknownHigh = 448, 1344

// noToken is what mtmd writes for a token that the vocabulary lacks.
const noToken = -1

// narrowest is the longest edge of a picture as a multiple of its shortest, at
// most: a narrower picture is widened.
const narrowest = 32

func (f *systemFrontend) plan(p Picture, d Detail) (picturePrompt, error) {
	w, h := p.size()
	prompt := &systemPrompt{f: f, picture: p, size: f.scale(w, h, d)}
	c, err := f.cut(nil, prompt.size)
	if err != nil {
		return nil, err
	}
	prompt.length = len(f.before) + c.tokens() + len(f.between)
	c.free()
	if f.context > 0 {
		prompt.context = f.model.tokenize(p.Context, false)
		prompt.context = prompt.context[:min(len(prompt.context), f.context)]
		prompt.length += len(prompt.context)
	}
	return prompt, nil
}

// promptSuffix tokenises a person's prompt as plain text: "<|im_start|>" in it is
// not a token.
func (f *systemFrontend) promptSuffix(question string) (part, error) {
	tokens := append(f.model.tokenize(question, false), f.model.tokenize(f.after, true)...)
	return part{tokens: tokens, tile: -1}, nil
}

func (f *systemFrontend) maxTokens() int {
	return len(f.before) + f.largest + len(f.between) + f.context
}

func (f *systemFrontend) longestEdge() int {
	const huge = 1 << 20
	return f.longest(huge, huge, f.detail)
}

func (f *systemFrontend) shownAt(width, height int, d Detail) (longest, tiles int) {
	tiles = 1
	if f.family.Tiled {
		tiles = PlanTiles(width, height, f.reference, f.tile).Tiles()
	}
	return f.longest(width, height, d), tiles
}

// minBatch: embeddings that see each other in both directions are decoded in one
// step.
func (f *systemFrontend) minBatch() int { return f.bidi }

// groupsPrompts: a step has rows of one kind and one kind of attention.
func (f *systemFrontend) groupsPrompts() bool { return false }

func (f *systemFrontend) sameTiles() bool { return false }

// memory is the vision file's size: the public headers tell no more.
func (f *systemFrontend) memory() (weights, compute uint64) {
	if info, err := os.Stat(f.file); err == nil {
		weights = uint64(info.Size())
	}
	return weights, 0
}

// chunks are what mtmd makes of a picture: tokens of text and tiles, in C memory.
type chunks struct{ p *C.struct_mtmd_input_chunks }

// cut has mtmd cut a picture (R G B, 8 bit) of the given size. Without pixels, the
// chunks tell their numbers of tokens only. It is safe for concurrent use.
func (f *systemFrontend) cut(pix []byte, size [2]int) (chunks, error) {
	p := C.pd_system_cut(f.p, (*C.uint8_t)(unsafe.SliceData(pix)), C.int(size[0]), C.int(size[1]))
	if p == nil {
		return chunks{}, fmt.Errorf("%w: llama.cpp could not prepare a picture of %d×%d pixels", ErrBroken, size[0], size[1])
	}
	return chunks{p}, nil
}

func (c chunks) len() int { return int(C.mtmd_input_chunks_size(c.p)) }

func (c chunks) at(i int) *C.struct_mtmd_input_chunk {
	return C.mtmd_input_chunks_get(c.p, C.size_t(i))
}

func (c chunks) tokens() (n int) {
	for i := range c.len() {
		n += int(C.mtmd_input_chunk_get_n_tokens(c.at(i)))
	}
	return n
}

func (c chunks) free() { C.mtmd_input_chunks_free(c.p) }

func isPicture(c *C.struct_mtmd_input_chunk) bool {
	return C.mtmd_input_chunk_get_type(c) == C.MTMD_INPUT_CHUNK_TYPE_IMAGE
}

func textOf(c *C.struct_mtmd_input_chunk) []int32 {
	var n C.size_t
	tokens := C.mtmd_input_chunk_get_tokens_text(c, &n)
	return slices.Clone(unsafe.Slice((*int32)(tokens), int(n)))
}

// systemPrompt is one picture's part of its prompts for systemFrontend.
type systemPrompt struct {
	f       *systemFrontend
	picture Picture // until cut
	size    [2]int
	length  int     // tokens
	pix     []byte  // from cut to encode
	context []int32 // what is known of the photo, between it and the question
	encoded *encodedChunks
	tail    []int32 // tokens of text after the last tile
	endPos  int     // position after the last tile
}

// encodedChunks are chunks with the embeddings of their tiles, nil for text.
type encodedChunks struct {
	chunks
	embd [][]float32
}

func (p *systemPrompt) tokens() int { return p.length }

func (p *systemPrompt) cut() int {
	pic := p.picture
	tiles := 1
	if f := p.f; f.family.Tiled {
		w, h := pic.size()
		g := PlanTiles(w, h, f.reference, f.tile)
		tiles = g.Tiles()
		pic.Pix = resize(pic.Pix, pic.Width, pic.Height, g.FitW, g.FitH)
		pic.Width, pic.Height = g.FitW, g.FitH
	}
	p.pix, p.picture = resize(pic.Pix, pic.Width, pic.Height, p.size[0], p.size[1]), Picture{}
	return tiles
}

func (p *systemPrompt) encode(ctx context.Context) error {
	c, err := p.f.cut(p.pix, p.size)
	p.pix = nil
	if err != nil {
		return err
	}
	e := &encodedChunks{chunks: c, embd: make([][]float32, c.len())}
	// The chunks are freed with the last use of e, whatever becomes of the prompt.
	runtime.AddCleanup(e, func(c chunks) { c.free() }, c)
	for i := range e.embd {
		chunk := c.at(i)
		if !isPicture(chunk) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		e.embd[i] = make([]float32, int(C.mtmd_input_chunk_get_n_tokens(chunk))*p.f.embd)
		var rc C.int
		kernels.Compute(kernels.Prompts, func() {
			rc = C.pd_system_encode(p.f.p, chunk, C.int(p.f.embd), (*C.float)(&e.embd[i][0]))
		})
		if rc != 0 {
			return fmt.Errorf("%w: llama.cpp could not encode a picture of %d×%d pixels", ErrBroken, p.size[0], p.size[1])
		}
		if err := finite(e.embd[i]); err != nil {
			return err
		}
	}
	p.encoded = e
	return nil
}

// start decodes all up to the last tile. It is decoded apart from what follows it,
// so that the first question is rounded as the others are.
func (p *systemPrompt) start(c *textContext, sequence int) (rows int, err error) {
	pos, text := 0, slices.Clone(p.f.before)
	for i, embd := range p.encoded.embd {
		chunk := p.encoded.at(i)
		if embd == nil {
			text = append(text, textOf(chunk)...)
			continue
		}
		b := &entries{tokens: text}
		for k := range text {
			b.add(pos+k, sequence, false, nil)
		}
		if len(text) > 0 {
			if _, err := c.step(b); err != nil {
				return rows, err
			}
		}
		pos, rows, text = pos+len(text), rows+len(text)+len(embd)/p.f.embd, nil
		var rc, end C.int
		c.compute(kernels.Prompts, func() {
			rc = C.pd_system_decode(p.f.p, c.p, chunk, (*C.float)(&embd[0]), C.int(pos), C.int(sequence), C.int(c.batch), &end)
		})
		if rc != 0 {
			return rows, fmt.Errorf("%w: llama.cpp could not decode a picture's embeddings (code %d)", ErrBroken, int(rc))
		}
		pos = int(end)
	}
	runtime.KeepAlive(p.encoded)
	p.tail, p.endPos = append(text, p.f.between...), pos
	return rows, nil
}

func (p *systemPrompt) end() int { return p.endPos }

func (p *systemPrompt) addRows(b *entries, sequence, pos int, suffix part, s *sampler) (padding int) {
	tokens := slices.Concat(p.tail, p.context, suffix.tokens)
	b.tokens = append(b.tokens, tokens...)
	for i := range tokens {
		b.add(pos+i, sequence, i == len(tokens)-1, s)
	}
	return 0
}

func (p *systemPrompt) release() { p.encoded = nil }
