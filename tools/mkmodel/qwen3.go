package main

import (
	"fmt"

	"github.com/ollama/ollama/fs/ggml"
)

func tinyQwen3(name string, matrix ggml.FileType, seed uint64) pair {
	// Both of the encoder's layers have features for the text model, whose third layer gets none.
	const layers, visionLayers, image, patch = 3, 2, 128, 16
	words := chatMLWords("<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
	text, vision := builder{matrix: matrix, seed: seed}, builder{matrix: matrix, seed: seed}
	text.qwen3(layers, words)

	vision.patches("v.patch_embd.weight", patch)
	vision.patches("v.patch_embd.weight.1", patch)
	vision.bias("v.patch_embd.bias", visionHidden)
	vision.add("v.position_embd.weight", ggml.TensorTypeF32, 1, visionHidden, (image/patch)*(image/patch))
	const merged = 4 * visionHidden
	deep := make([]bool, visionLayers)
	for i := range visionLayers {
		p := fmt.Sprintf("v.blk.%d.", i)
		vision.linear(p+"attn_qkv", 2*gain(visionHidden), visionHidden, 3*visionHidden)
		vision.linear(p+"attn_out", gain(visionHidden), visionHidden, visionHidden)
		for _, n := range []string{"ln1", "ln2"} {
			vision.ones(p+n+".weight", visionHidden)
			vision.bias(p+n+".bias", visionHidden)
		}
		vision.linear(p+"ffn_up", gain(visionHidden), visionHidden, visionFFN)
		vision.linear(p+"ffn_down", gain(visionFFN), visionFFN, visionHidden)
		p = fmt.Sprintf("v.deepstack.%d.", i)
		vision.ones(p+"norm.weight", merged)
		vision.bias(p+"norm.bias", merged)
		vision.linear(p+"fc1", gain(merged), merged, merged)
		vision.linear(p+"fc2", embeddingDeviation*gain(merged), merged, otherHidden)
		deep[i] = true
	}
	vision.ones("v.post_ln.weight", visionHidden)
	vision.bias("v.post_ln.bias", visionHidden)
	vision.linear("mm.0", gain(merged), merged, merged)
	vision.linear("mm.2", embeddingDeviation*gain(merged), merged, otherHidden)
	return pair{
		textKV: with(with(otherText(name, "qwen3vl", layers, matrix), words.bytePairKV()), ggml.KV{
			"qwen3vl.attention.key_length":   uint32(otherHead),
			"qwen3vl.attention.value_length": uint32(otherHead),
			// Pairs of a head take turns: time, height, width, time, …
			"qwen3vl.rope.dimension_sections": []int32{6, 5, 5, 0},
			"qwen3vl.n_deepstack_layers":      uint32(visionLayers),
		}),
		visionKV: with(otherVision(name, "qwen3vl_merger", image, patch, visionLayers, matrix), ggml.KV{
			"clip.use_gelu":                   true,
			"clip.vision.spatial_merge_size":  uint32(2),
			"clip.vision.is_deepstack_layers": deep,
		}),
		text: text.tensors, vision: vision.tensors,
	}
}

// qwen3 adds the tensors of a Qwen3 text model: without biases, with norms of queries and keys.
func (b *builder) qwen3(layers int, words *vocabulary) {
	const kv, all = otherHead * otherKVHeads, otherHead * otherHeads
	b.matrixOf("token_embd.weight", embeddingDeviation, otherHidden, otherWords)
	b.ones("output_norm.weight", otherHidden)
	b.matrixOf("output.weight", gain(otherHidden), otherHidden, otherWords).scale = words.outputScale
	for i := range layers {
		p := fmt.Sprintf("blk.%d.", i)
		b.ones(p+"attn_norm.weight", otherHidden)
		b.ones(p+"ffn_norm.weight", otherHidden)
		// Sharper attention, as in tinyGemma.
		b.add(p+"attn_q_norm.weight", ggml.TensorTypeF32, 0, otherHead).constant = 3
		b.ones(p+"attn_k_norm.weight", otherHead)
		b.matrixOf(p+"attn_q.weight", gain(otherHidden), otherHidden, all)
		b.matrixOf(p+"attn_k.weight", gain(otherHidden), otherHidden, kv)
		b.matrixOf(p+"attn_v.weight", gain(otherHidden), otherHidden, kv)
		b.matrixOf(p+"attn_output.weight", 4*gain(all), all, otherHidden)
		b.matrixOf(p+"ffn_gate.weight", gain(otherHidden), otherHidden, otherFFN)
		b.matrixOf(p+"ffn_up.weight", gain(otherHidden), otherHidden, otherFFN)
		b.matrixOf(p+"ffn_down.weight", gain(otherFFN), otherFFN, otherHidden)
	}
}
