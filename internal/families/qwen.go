package families

import "fmt"

// Qwen2-VL and Qwen2.5-VL encode pictures of any size: two patches by two become
// one embedding, and the text model has positions in height and width.

var qwenChat = Chat{First: "<|vision_start|>", Last: "<|vision_end|>", System: "You are a helpful assistant."}

var qwenTokens = []string{"<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"}

var _ = register(Family{
	Name: "Qwen2-VL", Projector: "qwen2vl_merger",
	Text:   []TextArch{archQwen2VL},
	Tokens: qwenTokens, Chat: qwenChat,
	LowEdge: 448, HighEdge: 2048,
	vision: func(v *validator) uint64 { return v.qwen(false) },
})

var _ = register(Family{
	Name: "Qwen2.5-VL", Projector: "qwen2.5vl_merger",
	Text:   []TextArch{archQwen2VL},
	Tokens: qwenTokens, Chat: qwenChat,
	LowEdge: 448, HighEdge: 2048,
	vision: func(v *validator) uint64 { return v.qwen(true) },
})

// qwen checks the encoder of Qwen2-VL, or of Qwen2.5-VL, which is newer.
func (v *validator) qwen(newer bool) uint64 {
	s := v.visionShape()
	// clip reads this number and then takes two wherever it counts.
	if key := "clip.vision.spatial_merge_size"; v.f.Has(key) {
		v.require(optional[uint32](v, key) == 2, "its header is damaged: %q is not 2", key)
	}
	pattern := optional[uint32](v, "clip.vision.n_wa_pattern")
	v.require(!newer || v.f.Has("clip.vision.n_wa_pattern"), "it does not say its %q", "clip.vision.n_wa_pattern")
	v.require(newer || pattern == 0, "its header is damaged: Qwen2-VL has no windows")
	v.require(pattern <= maxLayers, "its header is damaged: %q is %d", "clip.vision.n_wa_pattern", pattern)
	// A window has 112 pixels, and there must be two patches in it.
	v.require(s.patch >= 2 && s.patch <= 56, "its header is damaged: patches of %d pixels", s.patch)
	if v.err != nil {
		return 0
	}
	v.require(s.hidden/s.heads%4 == 0, "its header is damaged: %d values in %d heads", s.hidden, s.heads)
	v.patches(s, "v.patch_embd.weight", "v.patch_embd.weight.1")
	for i := range s.layers {
		if v.err != nil {
			return 0
		}
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"attn_q", "attn_k", "attn_v"} {
			v.linear(p+name, s.hidden, s.hidden)
		}
		v.optionalLinear(p+"attn_out", s.hidden, s.hidden)
		for _, name := range []string{"ln1", "ln2"} {
			v.norm(p+name, s.hidden, !newer)
			v.optionalVector(p+name+".bias", s.hidden)
		}
		up, down := v.feedForward(p, s)
		v.optionalLinear(p+up, s.hidden, s.ffn)
		v.optionalLinear(p+down, s.ffn, s.hidden)
		if newer {
			v.optionalLinear(p+"ffn_gate", s.hidden, s.ffn)
		}
	}
	if _, there := v.tensors["v.post_ln.weight"]; there {
		v.norm("v.post_ln", s.hidden, !newer)
		v.optionalVector("v.post_ln.bias", s.hidden)
	}
	between := v.dimension("mm.0.weight", 1)
	embedding := v.dimension("mm.2.weight", 1)
	v.linear("mm.0", 4*s.hidden, between)
	v.linear("mm.2", between, embedding)
	v.require(uint64(optional[uint32](v, "clip.vision.projection_dim")) == embedding, "its header is damaged: %q does not fit the other sizes", "clip.vision.projection_dim")
	v.noOthers()
	return embedding
}
