package main

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/ollama/ollama/fs/ggml"
)

// shape has all that decides a model's speed and memory.
type shape struct {
	vocabulary, context int
	text                textShape
	vision              visionShape
}

type textShape struct{ hidden, layers, heads, kvHeads, ffn int }

type visionShape struct {
	image, patch, hidden, layers, heads, ffn int
	shuffle                                  int // pixel shuffle: shuffle×shuffle patches become one token
	longestEdge                              int // what a photo is resized to before it is cut into tiles
}

var shapes = map[string]shape{
	"tiny": {
		vocabulary: 720, context: 2048,
		text:   textShape{hidden: 64, layers: 2, heads: 2, kvHeads: 1, ffn: 128},
		vision: visionShape{image: 64, patch: 8, hidden: 64, layers: 2, heads: 2, ffn: 128, shuffle: 2, longestEdge: 256},
	},
	"smolvlm-256m": {
		vocabulary: 49280, context: 8192,
		text:   textShape{hidden: 576, layers: 30, heads: 9, kvHeads: 3, ffn: 1536},
		vision: visionShape{image: 512, patch: 16, hidden: 768, layers: 12, heads: 12, ffn: 3072, shuffle: 4, longestEdge: 2048},
	},
	"smolvlm-500m": {
		vocabulary: 49280, context: 8192,
		text:   textShape{hidden: 960, layers: 32, heads: 15, kvHeads: 5, ffn: 2560},
		vision: visionShape{image: 512, patch: 16, hidden: 768, layers: 12, heads: 12, ffn: 3072, shuffle: 4, longestEdge: 2048},
	},
	"smolvlm-2.2b": {
		vocabulary: 49280, context: 8192,
		text:   textShape{hidden: 2048, layers: 24, heads: 32, kvHeads: 32, ffn: 8192},
		vision: visionShape{image: 384, patch: 14, hidden: 1152, layers: 27, heads: 16, ffn: 4304, shuffle: 3, longestEdge: 1536},
	},
}

func shapeNames() []string {
	return slices.Sorted(func(yield func(string) bool) {
		maps.Keys(shapes)(yield)
		maps.Keys(others)(yield)
		maps.Keys(newer)(yield)
	})
}

// chatTemplate is SmolVLM's chat template: the image comes before the text.
const chatTemplate = `{{ '<|im_start|>' }}{% for turn in messages %}{{ turn.role | capitalize }}:` +
	`{% for part in turn.content %}{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}` +
	`<end_of_utterance>{{ '\n' }}{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}`

func textKV(name string, s shape, matrix ggml.FileType) ggml.KV {
	t, v := s.text, newVocabulary(s.vocabulary)
	return ggml.KV{
		"general.architecture":                   "llama",
		"general.name":                           name + " with random weights",
		"general.file_type":                      matrix,
		"llama.vocab_size":                       uint32(s.vocabulary),
		"llama.context_length":                   uint32(s.context),
		"llama.embedding_length":                 uint32(t.hidden),
		"llama.block_count":                      uint32(t.layers),
		"llama.feed_forward_length":              uint32(t.ffn),
		"llama.attention.head_count":             uint32(t.heads),
		"llama.attention.head_count_kv":          uint32(t.kvHeads),
		"llama.attention.layer_norm_rms_epsilon": float32(1e-5),
		"llama.rope.dimension_count":             uint32(t.hidden / t.heads),
		"llama.rope.freq_base":                   float32(100000),
		"tokenizer.ggml.model":                   "gpt2",
		"tokenizer.ggml.pre":                     "smollm",
		"tokenizer.ggml.tokens":                  v.tokens,
		"tokenizer.ggml.token_type":              v.types,
		"tokenizer.ggml.merges":                  v.merges,
		"tokenizer.ggml.bos_token_id":            v.id("<|im_start|>"),
		"tokenizer.ggml.eos_token_id":            v.id("<end_of_utterance>"),
		"tokenizer.ggml.padding_token_id":        v.id("<|im_end|>"),
		"tokenizer.ggml.add_bos_token":           false,
		"tokenizer.chat_template":                chatTemplate,
	}
}

func visionKV(name string, s shape, matrix ggml.FileType) ggml.KV {
	v := s.vision
	half := []float32{0.5, 0.5, 0.5}
	return ggml.KV{
		"general.architecture":                     "clip",
		"general.name":                             name + " with random weights",
		"general.file_type":                        matrix,
		"clip.has_vision_encoder":                  true,
		"clip.projector_type":                      "idefics3",
		"clip.use_gelu":                            true,
		"clip.vision.image_size":                   uint32(v.image),
		"clip.vision.patch_size":                   uint32(v.patch),
		"clip.vision.embedding_length":             uint32(v.hidden),
		"clip.vision.feed_forward_length":          uint32(v.ffn),
		"clip.vision.block_count":                  uint32(v.layers),
		"clip.vision.projection_dim":               uint32(s.text.hidden),
		"clip.vision.attention.head_count":         uint32(v.heads),
		"clip.vision.attention.layer_norm_epsilon": float32(1e-6),
		"clip.vision.image_mean":                   half,
		"clip.vision.image_std":                    half,
		"clip.vision.preproc_image_size":           uint32(v.longestEdge),
		"clip.vision.projector.scale_factor":       uint32(v.shuffle),
	}
}

// embeddingDeviation is small compared with what the layers add (about 1), so that the next token depends on the whole
// prompt and not only on the last token.
const embeddingDeviation = 0.2

// textTensors are those of a llama model. The output matrix is not tied to the embeddings: neither is SmolVLM's.
// The weights of attention are larger than at the start of a training: otherwise the text repeats a few words.
func textTensors(s shape, matrix ggml.FileType, seed uint64) []*ggml.Tensor {
	t, b := s.text, builder{matrix: matrix, seed: seed}
	kv := t.hidden / t.heads * t.kvHeads
	words := newVocabulary(s.vocabulary)

	b.matrixOf("token_embd.weight", embeddingDeviation, t.hidden, s.vocabulary)
	b.ones("output_norm.weight", t.hidden)
	b.matrixOf("output.weight", gain(t.hidden), t.hidden, s.vocabulary).scale = words.outputScale
	for i := range t.layers {
		p := fmt.Sprintf("blk.%d.", i)
		b.ones(p+"attn_norm.weight", t.hidden)
		b.matrixOf(p+"attn_q.weight", 4*gain(t.hidden), t.hidden, t.hidden)
		b.matrixOf(p+"attn_k.weight", 4*gain(t.hidden), t.hidden, kv)
		b.matrixOf(p+"attn_v.weight", 4*gain(t.hidden), t.hidden, kv)
		b.matrixOf(p+"attn_output.weight", 4*gain(t.hidden), t.hidden, t.hidden)
		b.ones(p+"ffn_norm.weight", t.hidden)
		b.matrixOf(p+"ffn_gate.weight", gain(t.hidden), t.hidden, t.ffn)
		b.matrixOf(p+"ffn_up.weight", gain(t.hidden), t.hidden, t.ffn)
		b.matrixOf(p+"ffn_down.weight", gain(t.ffn), t.ffn, t.hidden)
	}
	return b.tensors
}

// visionTensors are those of a SigLIP encoder and the projector behind its pixel shuffle.
func visionTensors(s shape, matrix ggml.FileType, seed uint64) []*ggml.Tensor {
	v, b := s.vision, builder{matrix: matrix, seed: seed}
	patches := (v.image / v.patch) * (v.image / v.patch)
	shuffled := v.hidden * v.shuffle * v.shuffle

	b.add("v.patch_embd.weight", ggml.TensorTypeF16, gain(3*v.patch*v.patch), v.patch, v.patch, 3, v.hidden)
	b.bias("v.patch_embd.bias", v.hidden)
	b.add("v.position_embd.weight", ggml.TensorTypeF32, 0.1, v.hidden, patches)
	for i := range v.layers {
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, n := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
			b.matrixOf(p+n+".weight", gain(v.hidden), v.hidden, v.hidden)
			b.bias(p+n+".bias", v.hidden)
		}
		for _, n := range []string{"ln1", "ln2"} {
			b.ones(p+n+".weight", v.hidden)
			b.bias(p+n+".bias", v.hidden)
		}
		b.matrixOf(p+"ffn_up.weight", gain(v.hidden), v.hidden, v.ffn)
		b.bias(p+"ffn_up.bias", v.ffn)
		b.matrixOf(p+"ffn_down.weight", gain(v.ffn), v.ffn, v.hidden)
		b.bias(p+"ffn_down.bias", v.hidden)
	}
	b.ones("v.post_ln.weight", v.hidden)
	b.bias("v.post_ln.bias", v.hidden)
	b.matrixOf("mm.model.fc.weight", embeddingDeviation*gain(shuffled), shuffled, s.text.hidden)
	return b.tensors
}

// gain is the standard deviation with which a matrix keeps the size of vectors of n elements.
func gain(n int) float64 { return 1 / math.Sqrt(float64(n)) }

// builder collects tensors; their data is computed when they are written.
type builder struct {
	matrix  ggml.FileType
	seed    uint64
	tensors []*ggml.Tensor
}

// add takes the shape in GGUF's order: the length of a row first.
func (b *builder) add(name string, kind ggml.TensorType, deviation float64, dims ...int) *weights {
	w := &weights{name: name, kind: kind, seed: b.seed, deviation: deviation, row: dims[0], rows: 1}
	t := &ggml.Tensor{Name: name, Kind: uint32(kind), WriterTo: w}
	for i, n := range dims {
		t.Shape = append(t.Shape, uint64(n))
		if i > 0 {
			w.rows *= n
		}
	}
	b.tensors = append(b.tensors, t)
	return w
}

func (b *builder) matrixOf(name string, deviation float64, row, rows int) *weights {
	kind := ggml.TensorTypeF16
	if b.matrix == ggml.FileTypeQ8_0 && row%blockSize == 0 {
		kind = ggml.TensorTypeQ8_0
	}
	return b.add(name, kind, deviation, row, rows)
}

func (b *builder) bias(name string, n int) { b.add(name, ggml.TensorTypeF32, 0.02, n) }

func (b *builder) ones(name string, n int) { b.add(name, ggml.TensorTypeF32, 0, n).constant = 1 }
