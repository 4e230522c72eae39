package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/ollama/ollama/fs/ggml"
)

// published are the models of the catalogue as they lie on the hub: names, shapes and types of all tensors, keys and
// numbers of tokens. Written with -published, their weights are zeros that take no space on a disk. The sizes of the files
// say that nothing is missing and nothing is of another type (TestPublishedSizes).
//
// Shapes are those of the models' config.json; how types are mixed is llama.cpp's rule for Q4_K_M (llama-quant.cpp) and its
// converter's for Q8_0, which falls back to F16 where rows do not divide into blocks.
var published = map[string]publishedModel{
	"smolvlm":       {text: smol2B, q4: true, vision: siglip384, vocabulary: 49155, noTileTokens: true, noKVHeads: true},
	"smolvlm2":      {text: smol2B, q4: true, vision: siglip384, vocabulary: 49280, swapped: true},
	"smolvlm-500m":  {text: smol500M, vision: siglip512, vocabulary: 49280},
	"smolvlm2-500m": {text: smol500M, vision: siglip512, vocabulary: 49280, swapped: true},
	"smolvlm-256m":  {text: smol256M, vision: siglip512, vocabulary: 49280},
	"smolvlm2-256m": {text: smol256M, vision: siglip512, vocabulary: 49280, swapped: true},
	"qwen3-vl-2b":   {qwen3: true, q4: true, text: textShape{2048, 28, 16, 8, 6144}, vision: visionShape{image: 768, patch: 16, hidden: 1024, layers: 24, heads: 16, ffn: 4096}, vocabulary: 151936, deepstack: []int{5, 11, 17}},
	"qwen3-vl-4b":   {qwen3: true, q4: true, text: textShape{2560, 36, 32, 8, 9728}, vision: visionShape{image: 768, patch: 16, hidden: 1024, layers: 24, heads: 16, ffn: 4096}, vocabulary: 151936, deepstack: []int{5, 11, 17}},
	"qwen3-vl-8b":   {qwen3: true, q4: true, untied: true, text: textShape{4096, 36, 32, 8, 12288}, vision: visionShape{image: 768, patch: 16, hidden: 1152, layers: 27, heads: 16, ffn: 4304}, vocabulary: 151936, deepstack: []int{8, 16, 24}},
}

var (
	smol2B, siglip384   = shapes["smolvlm-2.2b"].text, shapes["smolvlm-2.2b"].vision
	smol500M, siglip512 = shapes["smolvlm-500m"].text, shapes["smolvlm-500m"].vision
	smol256M            = shapes["smolvlm-256m"].text
)

type publishedModel struct {
	text       textShape
	vision     visionShape
	vocabulary int
	q4         bool // the text model is in Q4_K_M, else in Q8_0

	noTileTokens bool // no tokens for the names of tiles: SmolVLM-Instruct
	noKVHeads    bool // no head_count_kv, where all heads have their own
	swapped      bool // ffn_up and ffn_down of the vision file have each other's names

	qwen3, untied bool
	deepstack     []int // layers of the encoder with features for the text model
}

func publishedNames() []string { return slices.Sorted(maps.Keys(published)) }

// zeros are the data of a tensor, so many bytes of which only the last is written.
type zeros int64

// WriteTo implements io.WriterTo. w must be an io.WriterAt, as ggml's are.
func (z zeros) WriteTo(w io.Writer) (int64, error) {
	_, err := w.(io.WriterAt).WriteAt([]byte{0}, int64(z)-1)
	return int64(z), err
}

// layout collects tensors in the types of published files.
type layout struct{ tensors []*ggml.Tensor }

func (l *layout) add(kind ggml.TensorType, name string, dims ...int) {
	t := &ggml.Tensor{Name: name, Kind: uint32(kind)}
	for _, n := range dims {
		t.Shape = append(t.Shape, uint64(n))
	}
	t.WriterTo = zeros(t.Size())
	l.tensors = append(l.tensors, t)
}

// f32 adds vectors of n elements.
func (l *layout) f32(n int, names ...string) {
	for _, name := range names {
		l.add(ggml.TensorTypeF32, name, n)
	}
}

// linear adds a matrix in Q8_0, or F16 where its rows do not divide, and its bias.
func (l *layout) linear(name string, row, rows int) {
	kind := ggml.TensorTypeQ8_0
	if row%blockSize != 0 {
		kind = ggml.TensorTypeF16
	}
	l.add(kind, name+".weight", row, rows)
	l.f32(rows, name+".bias")
}

func newPublished(name string) pair {
	m := published[name]
	return pair{textKV: m.textKV(name), visionKV: m.visionKV(name), text: m.textTensors(), vision: m.visionTensors()}
}

// fine is llama.cpp's rule of which layers keep attn_v and ffn_down in Q6_K in a file of Q4_K_M.
func fine(i, n int) bool { return i < n/8 || i >= 7*n/8 || (i-n/8)%3 == 2 }

func (m publishedModel) textTensors() []*ggml.Tensor {
	t, l := m.text, layout{}
	head := t.hidden / t.heads
	if m.qwen3 {
		head = 128
	}
	usual, finer := ggml.TensorTypeQ8_0, ggml.TensorTypeQ8_0
	if m.q4 {
		usual, finer = ggml.TensorTypeQ4_K, ggml.TensorTypeQ6_K
	}
	tied := m.qwen3 && !m.untied
	embeddings := usual
	if tied {
		embeddings = finer // they are the output matrix, too
	}
	l.add(embeddings, "token_embd.weight", t.hidden, m.vocabulary)
	l.f32(t.hidden, "output_norm.weight")
	if !tied {
		l.add(finer, "output.weight", t.hidden, m.vocabulary)
	}
	for i := range t.layers {
		p, kind := fmt.Sprintf("blk.%d.", i), usual
		if fine(i, t.layers) {
			kind = finer
		}
		l.f32(t.hidden, p+"attn_norm.weight", p+"ffn_norm.weight")
		l.add(usual, p+"attn_q.weight", t.hidden, head*t.heads)
		l.add(usual, p+"attn_k.weight", t.hidden, head*t.kvHeads)
		l.add(kind, p+"attn_v.weight", t.hidden, head*t.kvHeads)
		l.add(usual, p+"attn_output.weight", head*t.heads, t.hidden)
		l.add(usual, p+"ffn_gate.weight", t.hidden, t.ffn)
		l.add(usual, p+"ffn_up.weight", t.hidden, t.ffn)
		l.add(kind, p+"ffn_down.weight", t.ffn, t.hidden)
		if m.qwen3 {
			l.f32(head, p+"attn_q_norm.weight", p+"attn_k_norm.weight")
		}
	}
	return l.tensors
}

func (m publishedModel) visionTensors() []*ggml.Tensor {
	v, l := m.vision, layout{}
	l.add(ggml.TensorTypeF32, "v.patch_embd.weight", v.patch, v.patch, 3, v.hidden)
	if m.qwen3 {
		l.add(ggml.TensorTypeF32, "v.patch_embd.weight.1", v.patch, v.patch, 3, v.hidden)
	}
	l.f32(v.hidden, "v.patch_embd.bias")
	side := v.image / v.patch
	l.add(ggml.TensorTypeF32, "v.position_embd.weight", v.hidden, side*side)
	up, down := "ffn_up", "ffn_down"
	if m.swapped {
		up, down = down, up
	}
	for i := range v.layers {
		p := fmt.Sprintf("v.blk.%d.", i)
		if m.qwen3 {
			l.linear(p+"attn_qkv", v.hidden, 3*v.hidden)
		} else {
			for _, n := range []string{"attn_q", "attn_k", "attn_v"} {
				l.linear(p+n, v.hidden, v.hidden)
			}
		}
		l.linear(p+"attn_out", v.hidden, v.hidden)
		l.linear(p+up, v.hidden, v.ffn)
		l.linear(p+down, v.ffn, v.hidden)
		l.f32(v.hidden, p+"ln1.weight", p+"ln1.bias", p+"ln2.weight", p+"ln2.bias")
	}
	l.f32(v.hidden, "v.post_ln.weight", "v.post_ln.bias")
	if !m.qwen3 {
		l.add(ggml.TensorTypeQ8_0, "mm.model.fc.weight", v.hidden*v.shuffle*v.shuffle, m.text.hidden)
		return l.tensors
	}
	merged := 4 * v.hidden
	for _, i := range m.deepstack {
		p := fmt.Sprintf("v.deepstack.%d.", i)
		l.f32(merged, p+"norm.weight", p+"norm.bias")
		l.linear(p+"fc1", merged, merged)
		l.linear(p+"fc2", merged, m.text.hidden)
	}
	l.linear("mm.0", merged, merged)
	l.linear("mm.2", merged, m.text.hidden)
	return l.tensors
}

// words are the tokens of a published vocabulary: the special ones by name, others made up in their number. Each made-up word has a
// merge, because a real vocabulary has about as many merges as tokens, which take memory.
func (m publishedModel) words() *vocabulary {
	var v *vocabulary
	switch {
	case m.qwen3:
		v = bytePairs(m.vocabulary, "<|im_end|>", []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"})
	case m.noTileTokens:
		v = bytePairs(m.vocabulary, endOfUtterance, []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<fake_token_around_image>", "<image>", endOfUtterance})
	default:
		v = newVocabulary(m.vocabulary)
	}
	for id := len(v.merges); id < len(v.tokens); id++ {
		if letters := []rune(v.tokens[id]); v.types[id] == normalToken && len(letters) > 2 && v.has(string(letters[:len(letters)-1])) {
			continue
		} else if v.types[id] == normalToken && len(letters) > 2 {
			v.merges = append(v.merges, string(letters[:len(letters)-1])+" "+string(letters[len(letters)-1]))
		}
	}
	return v
}

func (m publishedModel) textKV(name string) ggml.KV {
	matrix := ggml.FileTypeQ8_0
	if m.q4 {
		matrix = ggml.FileTypeQ4_K_M
	}
	words := m.words()
	if m.qwen3 {
		kv := with(otherText(name, "qwen3vl", m.text.layers, matrix), words.bytePairKV())
		return with(kv, ggml.KV{
			"general.name":                             name + " with zeros for weights",
			"qwen3vl.context_length":                   uint32(262144),
			"qwen3vl.embedding_length":                 uint32(m.text.hidden),
			"qwen3vl.feed_forward_length":              uint32(m.text.ffn),
			"qwen3vl.attention.head_count":             uint32(m.text.heads),
			"qwen3vl.attention.head_count_kv":          uint32(m.text.kvHeads),
			"qwen3vl.attention.key_length":             uint32(128),
			"qwen3vl.attention.value_length":           uint32(128),
			"qwen3vl.rope.freq_base":                   float32(5e6),
			"qwen3vl.rope.dimension_sections":          []int32{24, 20, 20, 0},
			"qwen3vl.n_deepstack_layers":               uint32(len(m.deepstack)),
			"tokenizer.ggml.pre":                       "qwen2",
			"tokenizer.ggml.add_bos_token":             false,
			"general.quantization_version":             uint32(2),
			"qwen3vl.attention.layer_norm_rms_epsilon": float32(1e-6),
		})
	}
	kv := textKV(name, shape{vocabulary: 720, context: 8192, text: m.text}, matrix)
	kv = with(kv, ggml.KV{
		"general.name":                    name + " with zeros for weights",
		"llama.vocab_size":                uint32(m.vocabulary),
		"tokenizer.ggml.tokens":           words.tokens,
		"tokenizer.ggml.token_type":       words.types,
		"tokenizer.ggml.merges":           words.merges,
		"tokenizer.ggml.bos_token_id":     words.id("<|im_start|>"),
		"tokenizer.ggml.eos_token_id":     words.id(endOfUtterance),
		"tokenizer.ggml.padding_token_id": words.id("<|im_end|>"),
	})
	if m.noKVHeads {
		delete(kv, "llama.attention.head_count_kv")
	}
	return kv
}

func (m publishedModel) visionKV(name string) ggml.KV {
	kv := visionKV(name, shape{text: m.text, vision: m.vision}, ggml.FileTypeQ8_0)
	kv["general.name"] = name + " with zeros for weights"
	if !m.qwen3 {
		return kv
	}
	deep := make([]bool, m.vision.layers)
	for _, i := range m.deepstack {
		deep[i] = true
	}
	delete(kv, "clip.vision.preproc_image_size")
	delete(kv, "clip.vision.projector.scale_factor")
	return with(kv, ggml.KV{
		"clip.projector_type":             "qwen3vl_merger",
		"clip.vision.spatial_merge_size":  uint32(2),
		"clip.vision.is_deepstack_layers": deep,
	})
}
