package main

import (
	"fmt"

	"github.com/ollama/ollama/fs/ggml"
)

// others are tiny models of other families than SmolVLM's, each with the properties that only it has: Qwen2.5-VL has positions of
// several dimensions and pictures of any size, Gemma 3 reads a picture's tokens in both directions, scales the
// embeddings of words and has a SentencePiece vocabulary, InternVL has a class token, Qwen3-VL gives features of its
// encoder's layers to the text model's layers.
var others = map[string]func(name string, matrix ggml.FileType, seed uint64) pair{
	"tiny-qwen2.5vl": tinyQwen,
	"tiny-qwen3vl":   tinyQwen3,
	"tiny-gemma3":    tinyGemma,
	"tiny-internvl":  tinyIntern,
}

// The sizes that all tiny ones share. Rows divide by 32, for Q8_0.
const (
	otherHidden, otherHeads, otherKVHeads, otherHead, otherFFN = 64, 2, 1, 32, 128
	otherContext, otherWords                                   = 4096, 720
	visionHidden, visionHeads, visionFFN                       = 64, 2, 96
)

// otherText has the keys that every text model has, under its architecture's name.
func otherText(name, arch string, layers int, matrix ggml.FileType) ggml.KV {
	return ggml.KV{
		"general.architecture":                     arch,
		"general.name":                             name + " with random weights",
		"general.file_type":                        matrix,
		arch + ".context_length":                   uint32(otherContext),
		arch + ".embedding_length":                 uint32(otherHidden),
		arch + ".block_count":                      uint32(layers),
		arch + ".feed_forward_length":              uint32(otherFFN),
		arch + ".attention.head_count":             uint32(otherHeads),
		arch + ".attention.head_count_kv":          uint32(otherKVHeads),
		arch + ".attention.layer_norm_rms_epsilon": float32(1e-6),
		arch + ".rope.freq_base":                   float32(10000),
	}
}

// otherVision has the keys that every vision file has.
func otherVision(name, projector string, image, patch, layers int, matrix ggml.FileType) ggml.KV {
	half := []float32{0.5, 0.5, 0.5}
	return ggml.KV{
		"general.architecture":                     "clip",
		"general.name":                             name + " with random weights",
		"general.file_type":                        matrix,
		"clip.has_vision_encoder":                  true,
		"clip.projector_type":                      projector,
		"clip.vision.image_size":                   uint32(image),
		"clip.vision.patch_size":                   uint32(patch),
		"clip.vision.embedding_length":             uint32(visionHidden),
		"clip.vision.feed_forward_length":          uint32(visionFFN),
		"clip.vision.block_count":                  uint32(layers),
		"clip.vision.projection_dim":               uint32(otherHidden),
		"clip.vision.attention.head_count":         uint32(visionHeads),
		"clip.vision.attention.layer_norm_epsilon": float32(1e-6),
		"clip.vision.image_mean":                   half,
		"clip.vision.image_std":                    half,
	}
}

// with adds keys to others.
func with(kv, more ggml.KV) ggml.KV {
	for k, v := range more {
		kv[k] = v
	}
	return kv
}

// chatML is the template of many models, Qwen's and InternVL's among them.
const chatML = `{% for message in messages %}<|im_start|>{{ message.role }}{{ '\n' }}{{ message.content }}<|im_end|>{{ '\n' }}{% endfor %}` +
	`{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% endif %}`

func chatMLWords(imageTokens ...string) *vocabulary {
	return bytePairs(otherWords, "<|im_end|>", append([]string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"}, imageTokens...))
}

func (v *vocabulary) bytePairKV() ggml.KV {
	return ggml.KV{
		"tokenizer.ggml.model":            "gpt2",
		"tokenizer.ggml.pre":              "qwen2",
		"tokenizer.ggml.tokens":           v.tokens,
		"tokenizer.ggml.token_type":       v.types,
		"tokenizer.ggml.merges":           v.merges,
		"tokenizer.ggml.bos_token_id":     v.id("<|endoftext|>"),
		"tokenizer.ggml.eos_token_id":     v.id("<|im_end|>"),
		"tokenizer.ggml.padding_token_id": v.id("<|endoftext|>"),
		"tokenizer.ggml.add_bos_token":    false,
		"tokenizer.chat_template":         chatML,
	}
}

func tinyQwen(name string, matrix ggml.FileType, seed uint64) pair {
	const layers, visionLayers, image, patch = 2, 2, 112, 14
	words := chatMLWords("<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
	text, vision := builder{matrix: matrix, seed: seed}, builder{matrix: matrix, seed: seed}
	text.qwen2(layers, words)

	vision.patches("v.patch_embd.weight", patch)
	vision.patches("v.patch_embd.weight.1", patch)
	for i := range visionLayers {
		p := fmt.Sprintf("v.blk.%d.", i)
		vision.attention(p)
		vision.ones(p+"ln1.weight", visionHidden)
		vision.ones(p+"ln2.weight", visionHidden)
		for _, n := range []string{"ffn_gate", "ffn_up"} {
			vision.linear(p+n, gain(visionHidden), visionHidden, visionFFN)
		}
		vision.linear(p+"ffn_down", gain(visionFFN), visionFFN, visionHidden)
	}
	vision.ones("v.post_ln.weight", visionHidden)
	vision.linear("mm.0", gain(4*visionHidden), 4*visionHidden, 4*visionHidden)
	vision.linear("mm.2", embeddingDeviation*gain(4*visionHidden), 4*visionHidden, otherHidden)
	return pair{
		textKV: with(with(otherText(name, "qwen2vl", layers, matrix), words.bytePairKV()), ggml.KV{
			// Each half of a head turns: so much of it by time, height and width.
			"qwen2vl.rope.dimension_sections": []int32{4, 6, 6, 0},
		}),
		visionKV: with(otherVision(name, "qwen2.5vl_merger", image, patch, visionLayers, matrix), ggml.KV{
			"clip.use_silu":            true,
			"clip.vision.n_wa_pattern": uint32(visionLayers), // all layers but the last look into windows only
		}),
		text: text.tensors, vision: vision.tensors,
	}
}

func tinyIntern(name string, matrix ggml.FileType, seed uint64) pair {
	const layers, visionLayers, image, patch, shuffle = 2, 2, 64, 8, 2
	words := chatMLWords("<img>", "</img>", "<IMG_CONTEXT>")
	text, vision := builder{matrix: matrix, seed: seed}, builder{matrix: matrix, seed: seed}
	text.qwen2(layers, words)

	vision.add("v.class_embd", ggml.TensorTypeF32, 0.1, visionHidden)
	vision.patches("v.patch_embd.weight", patch)
	vision.bias("v.patch_embd.bias", visionHidden)
	vision.add("v.position_embd.weight", ggml.TensorTypeF32, 0.1, visionHidden, (image/patch)*(image/patch)+1)
	for i := range visionLayers {
		p := fmt.Sprintf("v.blk.%d.", i)
		vision.siglipLayer(p)
		vision.ones(p+"ls1.weight", visionHidden)
		vision.ones(p+"ls2.weight", visionHidden)
	}
	const shuffled = visionHidden * shuffle * shuffle
	vision.ones("mm.model.mlp.0.weight", shuffled)
	vision.bias("mm.model.mlp.0.bias", shuffled)
	vision.linear("mm.model.mlp.1", gain(shuffled), shuffled, otherHidden)
	vision.linear("mm.model.mlp.3", embeddingDeviation*gain(otherHidden), otherHidden, otherHidden)
	return pair{
		textKV: with(otherText(name, "qwen2", layers, matrix), words.bytePairKV()),
		visionKV: with(otherVision(name, "internvl", image, patch, visionLayers, matrix), ggml.KV{
			"clip.use_gelu":                      true,
			"clip.vision.projector.scale_factor": uint32(shuffle),
		}),
		text: text.tensors, vision: vision.tensors,
	}
}

func tinyGemma(name string, matrix ggml.FileType, seed uint64) pair {
	// Every sixth layer attends to all tokens, the others to a window of the newest ones.
	const layers, window, visionLayers, image, patch, pool = 6, 96, 2, 128, 8, 2
	words := sentencePieces(otherWords, "<end_of_turn>", []string{"<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"})
	text, vision := builder{matrix: matrix, seed: seed}, builder{matrix: matrix, seed: seed}
	kv, all := otherHead*otherKVHeads, otherHead*otherHeads

	// The embeddings of words are multiplied by 8 before they are used.
	text.matrixOf("token_embd.weight", embeddingDeviation/8, otherHidden, otherWords)
	text.ones("output_norm.weight", otherHidden)
	text.matrixOf("output.weight", gain(otherHidden), otherHidden, otherWords).scale = words.outputScale
	for i := range layers {
		p := fmt.Sprintf("blk.%d.", i)
		for _, n := range []string{"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"} {
			text.ones(p+n+".weight", otherHidden)
		}
		// Sharper attention, as the other models have it by the weights of attn_q and attn_k.
		text.add(p+"attn_q_norm.weight", ggml.TensorTypeF32, 0, otherHead).constant = 3
		text.ones(p+"attn_k_norm.weight", otherHead)
		text.matrixOf(p+"attn_q.weight", gain(otherHidden), otherHidden, all)
		text.matrixOf(p+"attn_k.weight", gain(otherHidden), otherHidden, kv)
		text.matrixOf(p+"attn_v.weight", gain(otherHidden), otherHidden, kv)
		text.matrixOf(p+"attn_output.weight", gain(all), all, otherHidden)
		text.matrixOf(p+"ffn_gate.weight", gain(otherHidden), otherHidden, otherFFN)
		text.matrixOf(p+"ffn_up.weight", gain(otherHidden), otherHidden, otherFFN)
		text.matrixOf(p+"ffn_down.weight", gain(otherFFN), otherFFN, otherHidden)
	}

	vision.patches("v.patch_embd.weight", patch)
	vision.bias("v.patch_embd.bias", visionHidden)
	vision.add("v.position_embd.weight", ggml.TensorTypeF32, 0.1, visionHidden, (image/patch)*(image/patch))
	for i := range visionLayers {
		vision.siglipLayer(fmt.Sprintf("v.blk.%d.", i))
	}
	vision.ones("v.post_ln.weight", visionHidden)
	vision.bias("v.post_ln.bias", visionHidden)
	// F16, because the graph transposes it, which ggml does not do with quantised types.
	vision.add("mm.input_projection.weight", ggml.TensorTypeF16, embeddingDeviation*gain(visionHidden), otherHidden, visionHidden)
	vision.ones("mm.soft_emb_norm.weight", visionHidden)
	return pair{
		textKV: with(with(otherText(name, "gemma3", layers, matrix), words.sentencePieceKV()), ggml.KV{
			"gemma3.rope.freq_base":           float32(1e6), // of the layers without a window; the others have 10000
			"gemma3.attention.key_length":     uint32(otherHead),
			"gemma3.attention.value_length":   uint32(otherHead),
			"gemma3.attention.sliding_window": uint32(window),
		}),
		visionKV: with(otherVision(name, "gemma3", image, patch, visionLayers, matrix), ggml.KV{
			"clip.use_gelu":                      true,
			"clip.vision.projector.scale_factor": uint32(pool),
		}),
		text: text.tensors, vision: vision.tensors,
	}
}

// qwen2 adds the tensors of a Qwen2 text model; see textTensors.
func (b *builder) qwen2(layers int, words *vocabulary) {
	const kv = otherHead * otherKVHeads
	b.matrixOf("token_embd.weight", embeddingDeviation, otherHidden, otherWords)
	b.ones("output_norm.weight", otherHidden)
	b.matrixOf("output.weight", gain(otherHidden), otherHidden, otherWords).scale = words.outputScale
	for i := range layers {
		p := fmt.Sprintf("blk.%d.", i)
		b.ones(p+"attn_norm.weight", otherHidden)
		b.linear(p+"attn_q", 4*gain(otherHidden), otherHidden, otherHidden)
		b.linear(p+"attn_k", 4*gain(otherHidden), otherHidden, kv)
		b.linear(p+"attn_v", 4*gain(otherHidden), otherHidden, kv)
		b.matrixOf(p+"attn_output.weight", 4*gain(otherHidden), otherHidden, otherHidden)
		b.ones(p+"ffn_norm.weight", otherHidden)
		b.matrixOf(p+"ffn_gate.weight", gain(otherHidden), otherHidden, otherFFN)
		b.matrixOf(p+"ffn_up.weight", gain(otherHidden), otherHidden, otherFFN)
		b.matrixOf(p+"ffn_down.weight", gain(otherFFN), otherFFN, otherHidden)
	}
}

// siglipLayer adds a layer of a vision encoder with two norms and an MLP.
func (b *builder) siglipLayer(p string) {
	b.attention(p)
	for _, n := range []string{"ln1", "ln2"} {
		b.ones(p+n+".weight", visionHidden)
		b.bias(p+n+".bias", visionHidden)
	}
	b.linear(p+"ffn_up", gain(visionHidden), visionHidden, visionFFN)
	b.linear(p+"ffn_down", gain(visionFFN), visionFFN, visionHidden)
}

func (b *builder) attention(p string) {
	for _, n := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
		b.linear(p+n, gain(visionHidden), visionHidden, visionHidden)
	}
}

func (b *builder) patches(name string, patch int) {
	b.add(name, ggml.TensorTypeF16, gain(3*patch*patch), patch, patch, 3, visionHidden)
}

// linear adds a matrix and its bias.
func (b *builder) linear(name string, deviation float64, row, rows int) {
	b.matrixOf(name+".weight", deviation, row, rows)
	b.bias(name+".bias", rows)
}
