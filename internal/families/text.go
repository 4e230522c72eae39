package families

import (
	"fmt"
	"math"
	"strings"

	"photodesc/internal/models/gguf"
)

// Bounds beyond which a value in a file's header is taken for damage. maxLayers
// is llama.cpp's own.
const (
	maxLayers = 512
	maxWidth  = 1 << 18
	maxHeads  = 1 << 12
	maxTokens = 1 << 21
)

// slotTokens is the number of tokens in a slot that memory is estimated for: a prompt
// with 17 tiles and its answer, rounded up. 17 tiles are 4×4 and the whole picture, the
// most of SmolVLM-500M (longest edge 2048, tiles of 512).
const slotTokens = 2048

// TextShape is what a text model's file says of it.
type TextShape struct {
	Embedding  uint32 // values of one embedding of a token
	Input      uint32 // values of one embedding of a picture: more than Embedding with deepstack
	Layers     uint32
	Vocabulary int    // tokens
	Context    uint32 // tokens that the model was trained for
	Type       string // in which most of the weights are stored: "Q4_K_M"
	Slot       uint64 // bytes of KV cache for one photo
}

// CheckText checks that llama.cpp can load a text model of the family. The error
// says what is wrong with the file, without its name.
func (f Family) CheckText(text *gguf.File) (TextShape, error) {
	v := newValidator(text)
	arch := v.architecture(f)
	key := func(end string) string { return arch.Name + "." + end }
	if parts := optional[uint16](v, "split.count"); parts > 1 {
		v.fail("it is one of %d parts; get the model in one file", parts)
	}
	optional[uint32](v, "general.file_type")
	s := TextShape{
		Layers:    v.number(key("block_count"), maxLayers),
		Embedding: v.number(key("embedding_length"), maxWidth),
		Context:   v.number(key("context_length"), math.MaxInt32),
		Type:      mostly(text),
	}
	ffn := v.number(key("feed_forward_length"), 1<<20)
	heads := v.number(key("attention.head_count"), maxHeads)
	kvHeads := heads
	if text.Has(key("attention.head_count_kv")) {
		kvHeads = v.number(key("attention.head_count_kv"), maxHeads)
	}
	v.epsilon(key("attention.layer_norm_rms_epsilon"))
	v.rope(arch.Name)
	for _, end := range []string{"expert_count", "expert_used_count", "expert_group_count", "expert_group_used_count"} {
		v.require(optional[uint32](v, key(end)) == 0, "it is a mixture of experts, which photodesc does not know")
	}
	v.require(optional[uint32](v, key("pooling_type")) == 0, "it is an embedding model and answers no questions")
	v.require(!text.Has(key("classifier.output_labels")), "it is a classifier and answers no questions")
	optional[uint32](v, key("attention.sliding_window"))
	v.require(optional[float32](v, key("final_logit_softcapping")) >= 0, "its header is damaged: %q is negative", key("final_logit_softcapping"))
	if v.err != nil {
		return s, v.err
	}
	head := s.Embedding / heads
	own := arch.headSizeKey && text.Has(key("attention.key_length")) // the file says the size of a head
	if own {
		head = v.number(key("attention.key_length"), 1<<12)
	}
	for _, end := range []string{"attention.key_length", "attention.value_length", "rope.dimension_count"} {
		if text.Has(key(end)) {
			v.require(optional[uint32](v, key(end)) == head, "its header is damaged: %q does not fit the other sizes", key(end))
		}
	}
	v.require(!own || text.Has(key("attention.value_length")), "it does not say its %q", key("attention.value_length"))
	v.require((own || s.Embedding%heads == 0) && heads%kvHeads == 0 && head >= 2 && head%2 == 0,
		"its header is damaged: %d values in %d heads of %d", s.Embedding, heads, kvHeads)
	if arch.sections {
		v.sections(key("rope.dimension_sections"), head)
	}
	s.Input = s.Embedding
	if arch.deepstack {
		s.Input *= 1 + v.deepstack(key("n_deepstack_layers"), s.Layers)
	}
	s.Vocabulary = v.vocabulary(arch, f)
	v.textTensors(s, arch, textSizes{uint64(ffn), uint64(head), uint64(head) * uint64(heads), uint64(head) * uint64(kvHeads)})
	s.Slot = slotTokens * 2 * 2 * uint64(s.Layers) * uint64(head) * uint64(kvHeads)
	return s, v.err
}

// rope checks the keys of RoPE, the encoding of positions.
func (v *validator) rope(name string) {
	if key := name + ".rope.freq_base"; v.f.Has(key) {
		base := required[float32](v, key)
		v.require(base > 0 && !math.IsInf(float64(base), 0), "its header is damaged: the RoPE base is %v", base)
	}
	switch kind := optional[string](v, name+".rope.scaling.type"); kind {
	case "", "none", "linear", "yarn", "longrope":
		v.require(kind != "" || !v.f.Has(name+".rope.scaling.type"), "its header is damaged: the RoPE scaling has no type")
	default:
		v.fail("its RoPE scaling is of the type %q, which llama.cpp does not know", kind)
	}
}

// sections checks how an attention head is divided among time, height and width (M-RoPE).
func (v *validator) sections(key string, head uint32) {
	parts := required[[]int32](v, key)
	v.require(len(parts) == 4, "its header is damaged: %q has %d values", key, len(parts))
	sum := int64(0)
	for _, n := range parts {
		v.require(n >= 0, "its header is damaged: %q is %v", key, parts)
		sum += int64(n)
	}
	v.require(sum >= 1 && sum <= int64(head/2) && len(parts) > 0 && (parts[0] > 0 || sum > int64(parts[len(parts)-1])),
		"its header is damaged: %q is %v for heads of %d", key, parts, head)
}

// deepstack returns how many layers a picture has features of their own for.
// llama.cpp takes a missing number for 0, and so words for a picture without them.
func (v *validator) deepstack(key string, layers uint32) uint32 {
	n := required[uint32](v, key)
	v.require(n >= 1 && n <= layers, "its header is damaged: %q is %d of %d layers", key, n, layers)
	return min(n, layers)
}

// vocabulary checks the tokenizer and returns its number of tokens.
func (v *validator) vocabulary(arch TextArch, fam Family) int {
	if kind := required[string](v, "tokenizer.ggml.model"); v.err == nil && kind != arch.tokenizer {
		v.fail("its tokenizer is of the type %q; %s's is %q", kind, fam.Name, arch.tokenizer)
	}
	optional[string](v, "tokenizer.ggml.pre")
	tokens := required[[]string](v, "tokenizer.ggml.tokens")
	n := len(tokens)
	// llama.cpp ends the process with fewer tokens than its default special ones.
	v.require(n >= 16 && n <= maxTokens, "its vocabulary has %d tokens", n)
	known := make(map[string]int, n)
	for i, t := range tokens {
		// llama.cpp reads a token up to its first zero byte, and ends the process
		// if two tokens are equal.
		if _, twice := known[t]; twice || t == "" || strings.ContainsRune(t, 0) {
			v.fail("its vocabulary is damaged at token %d, %q", i, t)
			break
		}
		known[t] = i
	}
	types := required[[]int32](v, "tokenizer.ggml.token_type")
	v.require(len(types) == n, "its header is damaged: not every token has a type")
	for _, t := range fam.Tokens {
		i, there := known[t]
		if there && i < len(types) {
			there = types[i] >= 2 && types[i] <= 4 // unknown, control or user-defined: never tokenised as plain text
		}
		v.require(there, "its vocabulary has no token %s: it is not a %s model", t, fam.Name)
	}
	if arch.tokenizer == "llama" {
		v.sentencePiece(tokens, types, known)
	} else {
		for _, m := range required[[]string](v, "tokenizer.ggml.merges") {
			v.require(!strings.ContainsRune(m, 0), "its vocabulary is damaged at the merge %q", m)
		}
	}
	if v.f.Has("tokenizer.ggml.scores") {
		v.require(len(optional[[]float32](v, "tokenizer.ggml.scores")) == n, "its header is damaged: not every token has a score")
	}
	for _, name := range []string{"bos", "eos", "padding", "unknown", "eot"} {
		key := "tokenizer.ggml." + name + "_token_id"
		if v.f.Has(key) {
			id := required[uint32](v, key)
			v.require(uint64(id) < uint64(n), "its header is damaged: %q is %d of %d tokens", key, id, n)
		}
	}
	return n
}

// byteToken is the GGUF type of a token that stands for one byte.
const byteToken = 6

// sentencePiece checks that a SentencePiece vocabulary has a score for each token
// and a token for each byte, which characters without a token are made of.
func (v *validator) sentencePiece(tokens []string, types []int32, known map[string]int) {
	required[[]float32](v, "tokenizer.ggml.scores")
	if v.err != nil {
		return
	}
	bytes := map[string]bool{}
	for b := range 256 {
		name := fmt.Sprintf("<0x%02X>", b)
		bytes[name] = true
		i, there := known[name]
		v.require(there && i < len(types) && types[i] == byteToken, "its vocabulary has no token %s for a byte", name)
	}
	for i, kind := range types {
		v.require(kind != byteToken || bytes[tokens[i]], "its vocabulary is damaged at token %d", i)
	}
}

// textSizes are the dimensions of a text model's tensors, in values.
type textSizes struct {
	ffn     uint64
	head    uint64 // of one head
	queries uint64 // of all heads
	kv      uint64 // of all KV heads: keys, or values
}

func (v *validator) textTensors(s TextShape, arch TextArch, n textSizes) {
	width, vocabulary := uint64(s.Embedding), uint64(s.Vocabulary)
	v.matrix("token_embd.weight", width, vocabulary)
	v.vector("output_norm.weight", width)
	v.tensor(false, "output.weight", width, vocabulary)
	v.optionalVector("output.bias", vocabulary)
	v.optionalVector("rope_freqs.weight", n.head/2)
	for i := range s.Layers {
		if v.err != nil {
			return
		}
		p := fmt.Sprintf("blk.%d.", i)
		v.vector(p+"attn_norm.weight", width)
		v.matrix(p+"attn_q.weight", width, n.queries)
		v.matrix(p+"attn_k.weight", width, n.kv)
		v.matrix(p+"attn_v.weight", width, n.kv)
		v.matrix(p+"attn_output.weight", n.queries, width)
		v.vector(p+"ffn_norm.weight", width)
		v.matrix(p+"ffn_gate.weight", width, n.ffn)
		v.matrix(p+"ffn_up.weight", width, n.ffn)
		v.matrix(p+"ffn_down.weight", n.ffn, width)
		if arch.headNorms {
			v.vector(p+"attn_q_norm.weight", n.head)
			v.vector(p+"attn_k_norm.weight", n.head)
		}
		if arch.postNorms {
			v.vector(p+"post_attention_norm.weight", width)
			v.vector(p+"post_ffw_norm.weight", width)
		}
		for name, length := range map[string]uint64{"attn_q": n.queries, "attn_k": n.kv, "attn_v": n.kv} {
			if arch.biases {
				v.vector(p+name+".bias", length)
			}
			v.optionalVector(p+name+".bias", length)
		}
		for name, length := range map[string]uint64{"attn_output": width, "ffn_gate": n.ffn, "ffn_up": n.ffn, "ffn_down": width} {
			v.optionalVector(p+name+".bias", length)
		}
	}
}

// mostly names the type that takes the most bytes of a file.
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

// architecture checks that a text model is of an architecture of the family.
func (v *validator) architecture(fam Family) TextArch {
	name := required[string](v, "general.architecture")
	for _, a := range fam.Text {
		if a.Name == name {
			return a
		}
	}
	if v.err != nil {
		return TextArch{}
	}
	if !knownArch(name) {
		v.err = &UnknownError{fmt.Sprintf("it is of the architecture %q; of vision models, photodesc knows %s (architectures %s)", name, Names(), strings.Join(architectures(), ", "))}
		return TextArch{}
	}
	var want []string
	for _, a := range fam.Text {
		want = append(want, a.Name)
	}
	v.fail("it is of the architecture %q and the vision file is for %s, whose text model is \"%s\"", name, fam.Name, strings.Join(want, `" or "`))
	return TextArch{}
}
