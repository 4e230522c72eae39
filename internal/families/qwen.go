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
	vision: func(r *validator) uint64 { return r.qwen(false) },
})

var _ = register(Family{
	Name: "Qwen2.5-VL", Projector: "qwen2.5vl_merger",
	Text:   []TextArch{archQwen2VL},
	Tokens: qwenTokens, Chat: qwenChat,
	LowEdge: 448, HighEdge: 2048,
	vision: func(r *validator) uint64 { return r.qwen(true) },
})

// qwen checks the encoder of Qwen2-VL, or of Qwen2.5-VL, which is newer.
func (r *validator) qwen(newer bool) uint64 {
	v := r.visionShape()
	// clip reads this number and then takes two wherever it counts.
	if key := "clip.vision.spatial_merge_size"; r.f.Has(key) {
		r.require(optional[uint32](r, key) == 2, "its header is damaged: %q is not 2", key)
	}
	pattern := optional[uint32](r, "clip.vision.n_wa_pattern")
	r.require(!newer || r.f.Has("clip.vision.n_wa_pattern"), "it does not say its %q", "clip.vision.n_wa_pattern")
	r.require(newer || pattern == 0, "its header is damaged: Qwen2-VL has no windows")
	r.require(pattern <= maxLayers, "its header is damaged: %q is %d", "clip.vision.n_wa_pattern", pattern)
	// A window has 112 pixels, and there must be two patches in it.
	r.require(v.patch >= 2 && v.patch <= 56, "its header is damaged: patches of %d pixels", v.patch)
	if r.err != nil {
		return 0
	}
	r.require(v.hidden/v.heads%4 == 0, "its header is damaged: %d values in %d heads", v.hidden, v.heads)
	r.patches(v, "v.patch_embd.weight", "v.patch_embd.weight.1")
	for i := range v.layers {
		if r.err != nil {
			return 0
		}
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"attn_q", "attn_k", "attn_v"} {
			r.linear(p+name, v.hidden, v.hidden)
		}
		r.optionalLinear(p+"attn_out", v.hidden, v.hidden)
		for _, name := range []string{"ln1", "ln2"} {
			r.norm(p+name, v.hidden, !newer)
			r.optionalVector(p+name+".bias", v.hidden)
		}
		up, down := r.upDown(p, v)
		r.optionalLinear(p+up, v.hidden, v.ffn)
		r.optionalLinear(p+down, v.ffn, v.hidden)
		if newer {
			r.optionalLinear(p+"ffn_gate", v.hidden, v.ffn)
		}
	}
	if _, there := r.tensors["v.post_ln.weight"]; there {
		r.norm("v.post_ln", v.hidden, !newer)
		r.optionalVector("v.post_ln.bias", v.hidden)
	}
	between := r.dimension("mm.0.weight", 1)
	embedding := r.dimension("mm.2.weight", 1)
	r.linear("mm.0", 4*v.hidden, between)
	r.linear("mm.2", between, embedding)
	r.require(uint64(optional[uint32](r, "clip.vision.projection_dim")) == embedding, "its header is damaged: %q does not fit the other sizes", "clip.vision.projection_dim")
	r.noOthers()
	return embedding
}
