package models

import (
	"fmt"
	"math"
	"strings"

	"photodesc/models/gguf"
)

// Bounds beyond which a number in a file's head is taken for damage. The
// first is llama.cpp's own.
const (
	maxLayers = 512
	maxWidth  = 1 << 18
	maxHeads  = 1 << 12
	maxTokens = 1 << 21
)

// promptTokens are those that SmolVLM's prompt cannot do without. The names of
// tiles (<row_1_col_1>, <global-img>) are single tokens in most of the family;
// SmolVLM-Instruct, the first, writes them as words.
var promptTokens = []string{"<|im_start|>", "<fake_token_around_image>", "<end_of_utterance>"}

// checkText says whether llama.cpp can load the text model.
func checkText(f *gguf.File) (Shape, error) {
	r := newRuler(f)
	arch := need[string](r, "general.architecture")
	if r.err == nil && arch != "llama" {
		r.fail("it is of the architecture %q; SmolVLM's is \"llama\"", arch)
	}
	if parts := may[uint16](r, "split.count"); parts > 1 {
		r.fail("it is one of %d parts; get the model in one file", parts)
	}
	may[uint32](r, "general.file_type")
	s := Shape{
		Layers:    r.number("llama.block_count", maxLayers),
		Embedding: r.number("llama.embedding_length", maxWidth),
		Context:   r.number("llama.context_length", math.MaxInt32),
		Type:      mostly(f),
	}
	ffn := r.number("llama.feed_forward_length", 1<<20)
	heads := r.number("llama.attention.head_count", maxHeads)
	kvHeads := heads
	if f.Has("llama.attention.head_count_kv") {
		kvHeads = r.number("llama.attention.head_count_kv", maxHeads)
	}
	r.small("llama.attention.layer_norm_rms_epsilon")
	r.rope()
	for _, key := range []string{"llama.expert_count", "llama.expert_used_count", "llama.expert_group_count", "llama.expert_group_used_count"} {
		r.must(may[uint32](r, key) == 0, "it is a mixture of experts, which SmolVLM is not")
	}
	if r.err != nil {
		return s, r.err
	}
	head := s.Embedding / heads
	for _, key := range []string{"llama.attention.key_length", "llama.attention.value_length", "llama.rope.dimension_count"} {
		if f.Has(key) {
			r.must(may[uint32](r, key) == head, "its head is damaged: %q does not fit the other sizes", key)
		}
	}
	r.must(s.Embedding%heads == 0 && heads%kvHeads == 0 && head%2 == 0,
		"its head is damaged: %d numbers in %d heads of %d", s.Embedding, heads, kvHeads)
	s.Vocabulary = r.vocabulary()
	r.textTensors(s, uint64(ffn), uint64(head)*uint64(kvHeads))
	s.Slot = slotTokens * 2 * 2 * uint64(s.Layers) * uint64(head) * uint64(kvHeads)
	return s, r.err
}

// rope checks what says how positions are written.
func (r *ruler) rope() {
	if r.f.Has("llama.rope.freq_base") {
		base := need[float32](r, "llama.rope.freq_base")
		r.must(base > 0 && !math.IsInf(float64(base), 0), "its head is damaged: the RoPE base is %v", base)
	}
	switch kind := may[string](r, "llama.rope.scaling.type"); kind {
	case "", "none", "linear", "yarn", "longrope":
		r.must(kind != "" || !r.f.Has("llama.rope.scaling.type"), "its head is damaged: the RoPE scaling has no type")
	default:
		r.fail("its RoPE scaling is of the type %q, which llama.cpp does not know", kind)
	}
}

// vocabulary checks the tokenizer and returns how many tokens it has.
func (r *ruler) vocabulary() int {
	if kind := need[string](r, "tokenizer.ggml.model"); r.err == nil && kind != "gpt2" {
		r.fail("its tokenizer is of the kind %q; SmolVLM's is \"gpt2\"", kind)
	}
	may[string](r, "tokenizer.ggml.pre")
	tokens := need[[]string](r, "tokenizer.ggml.tokens")
	n := len(tokens)
	r.must(n >= 1 && n <= maxTokens, "its vocabulary has %d tokens", n)
	known := make(map[string]int, n)
	for i, t := range tokens {
		// llama.cpp ends the process on a token that is there twice, and reads
		// each up to its first zero.
		if _, twice := known[t]; twice || t == "" || strings.ContainsRune(t, 0) {
			r.fail("its vocabulary is damaged at token %d, %q", i, t)
			break
		}
		known[t] = i
	}
	types := need[[]int32](r, "tokenizer.ggml.token_type")
	r.must(len(types) == n, "its head is damaged: not every token has a type")
	for _, t := range promptTokens {
		i, there := known[t]
		if there && i < len(types) {
			there = types[i] >= 2 && types[i] <= 4 // unknown, control, user-defined: never made of letters
		}
		r.must(there, "its vocabulary has no token %s: it is not a SmolVLM model", t)
	}
	for _, m := range need[[]string](r, "tokenizer.ggml.merges") {
		r.must(!strings.ContainsRune(m, 0), "its vocabulary is damaged at the merge %q", m)
	}
	if r.f.Has("tokenizer.ggml.scores") {
		r.must(len(may[[]float32](r, "tokenizer.ggml.scores")) == n, "its head is damaged: not every token has a score")
	}
	for _, name := range []string{"bos", "eos", "padding", "unknown", "eot"} {
		key := "tokenizer.ggml." + name + "_token_id"
		if r.f.Has(key) {
			id := need[uint32](r, key)
			r.must(uint64(id) < uint64(n), "its head is damaged: %q is %d of %d tokens", key, id, n)
		}
	}
	return n
}

func (r *ruler) textTensors(s Shape, ffn, kv uint64) {
	width, words := uint64(s.Embedding), uint64(s.Vocabulary)
	r.matrix("token_embd.weight", width, words)
	r.vector("output_norm.weight", width)
	r.tensor(false, "output.weight", width, words)
	for i := range s.Layers {
		if r.err != nil {
			return
		}
		p := fmt.Sprintf("blk.%d.", i)
		r.vector(p+"attn_norm.weight", width)
		r.matrix(p+"attn_q.weight", width, width)
		r.matrix(p+"attn_k.weight", width, kv)
		r.matrix(p+"attn_v.weight", width, kv)
		r.matrix(p+"attn_output.weight", width, width)
		r.vector(p+"ffn_norm.weight", width)
		r.matrix(p+"ffn_gate.weight", width, ffn)
		r.matrix(p+"ffn_up.weight", width, ffn)
		r.matrix(p+"ffn_down.weight", ffn, width)
		for name, length := range map[string]uint64{"attn_q": width, "attn_k": kv, "attn_v": kv, "attn_output": width, "ffn_gate": ffn, "ffn_up": ffn, "ffn_down": width} {
			r.mayVector(p+name+".bias", length)
		}
	}
}

// mostly names the type that takes the most bytes.
func mostly(f *gguf.File) string {
	bytes := map[gguf.Type]int64{}
	most := gguf.F32
	for _, t := range f.Tensors {
		bytes[t.Type] += t.Bytes
		if bytes[t.Type] > bytes[most] {
			most = t.Type
		}
	}
	return most.String()
}
