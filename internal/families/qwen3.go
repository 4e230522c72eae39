package families

import "fmt"

// Qwen3-VL encodes pictures of any size, with learnt positions beside the turned
// ones. Features of some of the encoder's layers go to the text model's first
// layers ("deepstack"): an embedding holds them behind the picture's own values.
// The reference is transformers' models/qwen3_vl, the names are those of
// llama.cpp's converter (conversion/qwen3vl.py).
var _ = register(Family{
	Name: "Qwen3-VL", Projector: "qwen3vl_merger",
	Text:   []TextArch{archQwen3VL},
	Tokens: qwenTokens,
	Chat:   Chat{First: "<|vision_start|>", Last: "<|vision_end|>"}, // trained without a system message
	// 32 by 32 pixels become one embedding.
	LowEdge: 512, HighEdge: 2048,
	vision: (*validator).qwen3,
})

// qwen3 checks the encoder of Qwen3-VL.
func (v *validator) qwen3() uint64 {
	s := v.visionShape()
	s.merge = 2
	// clip reads this number and then takes two wherever it counts.
	if key := "clip.vision.spatial_merge_size"; v.f.Has(key) {
		v.require(optional[uint32](v, key) == 2, "its header is damaged: %q is not 2", key)
	}
	v.require(optional[uint32](v, "clip.vision.n_wa_pattern") == 0, "its header is damaged: Qwen3-VL has no windows")
	v.require(s.patch >= 2 && s.patch <= 64, "its header is damaged: patches of %d pixels", s.patch)
	if v.err != nil {
		return 0
	}
	v.require(s.hidden/s.heads%4 == 0, "its header is damaged: %d values in %d heads", s.hidden, s.heads)
	side := v.patchesPerSide(s)
	v.patches(s, "v.patch_embd.weight", "v.patch_embd.weight.1")
	v.vector("v.patch_embd.bias", s.hidden)
	v.vector("v.position_embd.weight", s.hidden, side*side) // F32: ggml resizes no other type
	merged := 4 * s.hidden
	between := v.dimension("mm.0.weight", 1)
	embedding := v.dimension("mm.2.weight", 1)
	deep := uint64(0)
	for i := range s.layers {
		if v.err != nil {
			return 0
		}
		p := fmt.Sprintf("v.blk.%d.", i)
		v.linear(p+"attn_qkv", s.hidden, 3*s.hidden)
		v.optionalLinear(p+"attn_out", s.hidden, s.hidden)
		for _, name := range []string{"ln1", "ln2"} {
			v.norm(p+name, s.hidden, true)
		}
		// Unlike in older families, clip does not swap the two if a file has them the
		// other way round.
		v.optionalLinear(p+"ffn_up", s.hidden, s.ffn)
		v.optionalLinear(p+"ffn_down", s.ffn, s.hidden)
		p = fmt.Sprintf("v.deepstack.%d.", i)
		if _, there := v.tensors[p+"fc1.weight"]; there {
			inside := v.dimension(p+"fc1.weight", 1)
			v.norm(p+"norm", merged, true)
			v.linear(p+"fc1", merged, inside)
			v.linear(p+"fc2", inside, embedding)
			deep++
		}
	}
	v.require(deep > 0, "it has no features for the text model's first layers (tensors %q)", "v.deepstack.…")
	v.norm("v.post_ln", s.hidden, true)
	v.linear("mm.0", merged, between)
	v.linear("mm.2", between, embedding)
	v.noOthers()
	if embedding > maxWidth {
		v.fail("its header is damaged: embeddings of %d values", embedding)
	}
	return embedding * (1 + deep)
}
