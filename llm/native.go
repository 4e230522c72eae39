package llm

/*
#include <stdlib.h>
#include <string.h>
#include "bridge.h"
#include "ggml-backend.h"
#include "ggml.h"
#include "llama.h"
#include "step.h"

#if defined(__GLIBC__)
#include <malloc.h>
// By default each thread that allocates gets an arena of its own and keeps it, and
// once a picture has been freed, glibc allocates further ones from the arenas, which
// do not shrink.
static void careful_malloc(void) {
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
}
static void trim(void) { malloc_trim(0); }
#else
static void careful_malloc(void) {}
static void trim(void) {}
#endif
*/
import "C"

import (
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"unsafe"

	"photodesc/internal/families"
	"photodesc/llm/kernels"
)

// handles counts the C objects alive: models, contexts, encoders, samplers.
var handles atomic.Int64

// Trim returns memory that C code has freed to the system. It takes one or two
// milliseconds.
func Trim() { C.trim() }

func carefulMalloc() { C.careful_malloc() }

// Device is a compute device that llama.cpp found.
type Device struct {
	Name, Description string
	Kind              string // "CPU", "GPU", "ACCEL"
	Free, Total       uint64 // bytes
}

// Devices lists the compute devices of this machine.
func Devices() []Device {
	start()
	var out []Device
	for i := range C.ggml_backend_dev_count() {
		d := C.ggml_backend_dev_get(i)
		var free, total C.size_t
		C.ggml_backend_dev_memory(d, &free, &total)
		kind := "ACCEL"
		switch C.ggml_backend_dev_type(d) {
		case C.GGML_BACKEND_DEVICE_TYPE_CPU:
			kind = "CPU"
		case C.GGML_BACKEND_DEVICE_TYPE_GPU, C.GGML_BACKEND_DEVICE_TYPE_IGPU:
			kind = "GPU"
		}
		out = append(out, Device{
			Name:        C.GoString(C.ggml_backend_dev_name(d)),
			Description: C.GoString(C.ggml_backend_dev_description(d)),
			Kind:        kind, Free: uint64(free), Total: uint64(total),
		})
	}
	return out
}

func hasGPU() bool {
	for _, d := range Devices() {
		if d.Kind == "GPU" {
			return true
		}
	}
	return false
}

func hasBLAS() bool {
	for _, d := range Devices() {
		if d.Name == "BLAS" {
			return true
		}
	}
	return false
}

// textModel is a loaded GGUF text model. It must be closed.
type textModel struct {
	p     *C.struct_llama_model
	vocab *C.struct_llama_vocab
	embd  int // values in one embedding
	train int // tokens of context that the model was trained for
	// silent are tokens that an answer never has, see silentTokens.
	silent []int32
	gpu    bool
}

func loadText(path string, gpu bool) (*textModel, error) {
	start()
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	p := C.pd_text_load(cpath, C.bool(gpu))
	if p == nil {
		return nil, fmt.Errorf("llama.cpp cannot load the text model %q; the log says why", path)
	}
	handles.Add(1)
	m := &textModel{
		p:     p,
		vocab: C.llama_model_get_vocab(p),
		embd:  int(C.llama_model_n_embd(p)),
		train: int(C.llama_model_n_ctx_train(p)),
		gpu:   gpu,
	}
	m.silent = m.silentTokens()
	return m, nil
}

// silentTokens lists the tokens without text and those that only mark something in
// a prompt, such as the place of a picture, in order. Tokens that end an answer are
// not among them.
func (m *textModel) silentTokens() []int32 {
	vocabulary := int(C.llama_vocab_n_tokens(m.vocab))
	if vocabulary == 0 {
		return nil
	}
	silent, named := make([]int32, vocabulary), make([]int32, vocabulary)
	var nSilent, nNamed C.int
	C.pd_list_tokens(m.vocab, (*C.int32_t)(&silent[0]), &nSilent, (*C.int32_t)(&named[0]), &nNamed)
	silent = slices.Clone(silent[:nSilent])
	for _, t := range named[:nNamed] {
		if families.IsMark(C.GoString(C.llama_vocab_get_text(m.vocab, C.llama_token(t)))) {
			silent = append(silent, t)
		}
	}
	slices.Sort(silent)
	return silent
}

func (m *textModel) close() {
	if m != nil && m.p != nil {
		C.llama_model_free(m.p)
		m.p = nil
		handles.Add(-1)
	}
}

// tokenize turns text into tokens. With special, names of special tokens in
// the text become those tokens.
func (m *textModel) tokenize(text string, special bool) []int32 {
	if text == "" {
		return nil
	}
	ctext := C.CString(text)
	defer C.free(unsafe.Pointer(ctext))
	out := make([]int32, len(text)+8)
	n := C.llama_tokenize(m.vocab, ctext, C.int32_t(len(text)), (*C.llama_token)(&out[0]), C.int32_t(len(out)), false, C.bool(special))
	if n < 0 { // minus the number of tokens
		out = make([]int32, -n)
		n = C.llama_tokenize(m.vocab, ctext, C.int32_t(len(text)), (*C.llama_token)(&out[0]), C.int32_t(len(out)), false, C.bool(special))
	}
	return out[:max(n, 0)]
}

// piece is the text of a token; special tokens have none.
func (m *textModel) piece(token int32) []byte { return m.spell(token, false) }

// spell is the text of a token; with special, special tokens are named.
func (m *textModel) spell(token int32, special bool) []byte {
	buf := make([]byte, 64)
	n := C.llama_token_to_piece(m.vocab, C.llama_token(token), (*C.char)(unsafe.Pointer(&buf[0])), C.int32_t(len(buf)), 0, C.bool(special))
	if n < 0 {
		buf = make([]byte, -n)
		n = C.llama_token_to_piece(m.vocab, C.llama_token(token), (*C.char)(unsafe.Pointer(&buf[0])), C.int32_t(len(buf)), 0, C.bool(special))
	}
	return buf[:max(n, 0)]
}

// ends tells whether a token ends a generation.
func (m *textModel) ends(token int32) bool {
	return bool(C.llama_vocab_is_eog(m.vocab, C.llama_token(token)))
}

// textContext is the KV cache and compute buffers of a text model: slots
// sequences of perSlot tokens each. It belongs to one goroutine.
type textContext struct {
	p       *C.struct_llama_context
	embd    int
	slots   int
	perSlot int
	batch   int     // entries one step may hold
	never   []int32 // tokens that are not picked
	threads *computeThreads
	set     int // threads that llama.cpp was told
}

// newContext allocates a context. A step can hold at least minBatch entries.
func newContext(m *textModel, slots, perSlot, threads, minBatch int) (*textContext, error) {
	slots = max(slots, 2) // see Engine.generate
	const align = 256     // llama.cpp rounds a sequence's cells to it
	perSlot = (perSlot + align - 1) / align * align
	params := C.llama_context_default_params()
	params.n_ctx = C.uint32_t(slots * perSlot)
	params.n_seq_max = C.uint32_t(slots)
	params.n_batch = C.uint32_t(max(2048, minBatch))
	params.n_ubatch = C.uint32_t(max(512, minBatch))
	if m.gpu {
		// A GPU takes hardly longer for more rows.
		params.n_ubatch = params.n_batch
	}
	params.n_threads = C.int32_t(threads)
	params.n_threads_batch = C.int32_t(threads)
	params.kv_unified = false
	p := C.pd_text_new(m.p, &params)
	if p == nil {
		return nil, fmt.Errorf("llama.cpp cannot make a context of %d slots of %d tokens; the log says why, and fewer slots (--parallel) need less memory", slots, perSlot)
	}
	handles.Add(1)
	return &textContext{p: p, embd: m.embd, slots: slots, perSlot: int(C.llama_n_ctx_seq(p)), batch: int(C.llama_n_batch(p)), never: m.silent, threads: fixedThreads(threads), set: threads}, nil
}

func (c *textContext) close() {
	if c != nil && c.p != nil {
		C.pd_text_free(c.p)
		c.p = nil
		handles.Add(-1)
	}
}

// forget empties a slot's part of the KV cache.
func (c *textContext) forget(slot int) {
	C.llama_memory_seq_rm(C.llama_get_memory(c.p), C.llama_seq_id(slot), -1, -1)
}

// held is the number of positions a slot holds in the KV cache.
func (c *textContext) held(slot int) int {
	return int(C.llama_memory_seq_pos_max(C.llama_get_memory(c.p), C.llama_seq_id(slot))) + 1
}

// logits copies the logits after a row of the last step, vocab values. Tests compare
// them with the reference.
func (c *textContext) logits(row, vocab int) []float32 {
	p := C.llama_get_logits_ith(c.p, C.int32_t(row))
	if p == nil {
		return nil
	}
	return slices.Clone(unsafe.Slice((*float32)(p), vocab))
}

func (c *textContext) memory() (weights, kv, compute uint64) {
	var w, k, b C.uint64_t
	C.pd_text_memory(c.p, &w, &k, &b)
	return uint64(w), uint64(k), uint64(b)
}

// unwritten is about the bytes that the compute buffers have for logits that no step asks for. The values of a layer lie in
// the same memory before: of them the feed-forward ones are the most.
func (c *textContext) unwritten() uint64 {
	model := C.llama_get_model(c.p)
	layer := 2*feedForward(model) + 3*c.embd
	vocabulary := int(C.llama_vocab_n_tokens(C.llama_model_get_vocab(model)))
	rows := int(C.llama_n_ubatch(c.p))
	return uint64(max(rows-c.slots, 0)) * uint64(max(vocabulary-layer, 0)) * 4 // floats
}

// feedForward is the number of values between the two feed-forward matrices of a layer.
func feedForward(model *C.struct_llama_model) int {
	var text [64]C.char
	for _, key := range []string{"general.architecture", ".feed_forward_length"} {
		if key[0] == '.' {
			key = C.GoString(&text[0]) + key
		}
		name := C.CString(key)
		n := C.llama_model_meta_val_str(model, name, &text[0], C.size_t(len(text)))
		C.free(unsafe.Pointer(name))
		if n < 0 {
			return 0
		}
	}
	n, _ := strconv.Atoi(C.GoString(&text[0]))
	return n
}

// errCacheFull means that a step does not fit the KV cache.
var errCacheFull = fmt.Errorf("%w: the KV cache is full", ErrBroken)

// entries is the input of one step: a row for each token or embedding.
type entries struct {
	work     kernels.Work
	tokens   []int32   // either tokens
	embd     []float32 // or embeddings, embd values for each row
	pos, seq []int32
	want     []int8 // 1: pick a token after this row
	samplers []*C.struct_pd_sampler
}

func (b *entries) len() int { return len(b.pos) }

func (b *entries) slice(from, to, embd int) *entries {
	s := &entries{work: b.work, pos: b.pos[from:to], seq: b.seq[from:to], want: b.want[from:to], samplers: b.samplers[from:to]}
	if b.embd != nil {
		s.embd = b.embd[from*embd : to*embd]
	} else {
		s.tokens = b.tokens[from:to]
	}
	return s
}

func (b *entries) add(pos, seq int, want bool, s *sampler) {
	b.pos = append(b.pos, int32(pos))
	b.seq = append(b.seq, int32(seq))
	b.want = append(b.want, 0)
	if want {
		b.want[len(b.want)-1] = 1
	}
	b.samplers = append(b.samplers, s.pointer())
}

// compute runs f, which decodes.
func (c *textContext) compute(w kernels.Work, f func()) {
	c.threads.compute(w, func(threads int) {
		if threads != c.set { // each call writes to the log
			C.llama_set_n_threads(c.p, C.int32_t(threads), C.int32_t(threads))
			c.set = threads
		}
		f()
	})
}

// step decodes the entries and returns the token sampled for each that wants one,
// -1 for the others. A step that is too large is split in two.
func (c *textContext) step(b *entries) ([]int32, error) {
	n := b.len()
	if n > c.batch {
		return c.halves(b)
	}
	picked := make([]int32, n)
	var tokens *C.int32_t
	var embd *C.float
	if b.embd != nil {
		embd = (*C.float)(&b.embd[0])
	} else {
		tokens = (*C.int32_t)(&b.tokens[0])
	}
	var rc C.int
	c.compute(b.work, func() {
		C.pd_steps_alike(c.p, C.bool(b.work == kernels.NextTokens))
		rc = C.pd_step(c.p, C.int(n), tokens, embd, (*C.int32_t)(&b.pos[0]), (*C.int32_t)(&b.seq[0]),
			(*C.int8_t)(&b.want[0]), &b.samplers[0],
			(*C.int32_t)(unsafe.SliceData(c.never)), C.int(len(c.never)), (*C.int32_t)(&picked[0]))
	})
	switch {
	case rc == 0:
		return picked, nil
	case rc == 1 && n > 1:
		return c.halves(b)
	case rc == 1:
		return nil, errCacheFull
	}
	return nil, fmt.Errorf("%w: llama.cpp could not decode %d entries (code %d)", ErrBroken, n, int(rc))
}

func (c *textContext) halves(b *entries) ([]int32, error) {
	mid := b.len() / 2
	first, err := c.step(b.slice(0, mid, c.embd))
	if err != nil {
		return nil, err
	}
	second, err := c.step(b.slice(mid, b.len(), c.embd))
	return append(first, second...), err
}
