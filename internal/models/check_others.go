package models

import (
	"fmt"
	"math"
	"strings"

	"photodesc/internal/models/gguf"
)

// What llama.cpp's clip builds for vision models other than SmolVLM. It checks
// nothing itself: every tensor that it multiplies must have the right shape,
// and none that it uses where there is one may be there unexpectedly.

// patches checks the matrix, or matrices, that make patches to embeddings.
func (r *validator) patches(v visionShape, names ...string) {
	for _, name := range names {
		r.matrix(name, v.patch, v.patch, 3, v.hidden)
		r.plain(name, gguf.F16)
	}
}

// norm is a layer norm: a weight, and with bias an offset.
func (r *validator) norm(name string, n uint64, bias bool) {
	r.vector(name+".weight", n)
	if bias {
		r.vector(name+".bias", n)
	}
}

// linear is a matrix from so many numbers to so many, and its offset.
func (r *validator) linear(name string, from, to uint64) {
	r.matrix(name+".weight", from, to)
	r.vector(name+".bias", to)
}

// optionalLinear has an offset or not.
func (r *validator) optionalLinear(name string, from, to uint64) {
	r.matrix(name+".weight", from, to)
	r.optionalVector(name+".bias", to)
}

// noOthers says that no tensor of the encoder is there but those asked for.
func (r *validator) noOthers() {
	for _, t := range r.f.Tensors {
		r.require(r.seen[t.Name] || !strings.HasPrefix(t.Name, "v."), "its header is damaged: tensor %q does not belong there", t.Name)
	}
}

// side is the number of patches on an edge of the only size of picture that an
// encoder takes.
func (r *validator) side(v visionShape) uint64 {
	side := v.image / max(v.patch, 1)
	r.require(side >= 1 && v.merge >= 1 && side%max(v.merge, 1) == 0,
		"its header is damaged: pictures of %d, patches of %d, %d to one", v.image, v.patch, v.merge)
	return side
}

// given is the length of one side of a tensor, for what nothing else says.
func (r *validator) given(name string, dimension int) uint64 {
	t, there := r.tensors[name]
	if !there || len(t.Shape) <= dimension {
		r.fail("tensor %q is missing", name)
		return 0
	}
	return t.Shape[dimension]
}

// qwen2VL and qwen25VL take pictures of any size: two patches by two become one
// embedding.
func (r *validator) qwen2VL() uint64  { return r.qwen(false) }
func (r *validator) qwen25VL() uint64 { return r.qwen(true) }

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
	r.require(v.hidden/v.heads%4 == 0, "its header is damaged: %d numbers in %d heads", v.hidden, v.heads)
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
	between := r.given("mm.0.weight", 1)
	gives := r.given("mm.2.weight", 1)
	r.linear("mm.0", 4*v.hidden, between)
	r.linear("mm.2", between, gives)
	r.require(uint64(optional[uint32](r, "clip.vision.projection_dim")) == gives, "its header is damaged: %q does not fit the other sizes", "clip.vision.projection_dim")
	r.noOthers()
	return gives
}

// siglip checks an encoder with positions that are learnt.
func (r *validator) siglip(v visionShape, positions uint64) {
	r.patches(v, "v.patch_embd.weight")
	r.vector("v.patch_embd.bias", v.hidden)
	r.vector("v.position_embd.weight", v.hidden, positions)
	for i := range v.layers {
		if r.err != nil {
			return
		}
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
			r.optionalLinear(p+name, v.hidden, v.hidden)
		}
		up, down := r.upDown(p, v)
		r.optionalLinear(p+up, v.hidden, v.ffn)
		r.optionalLinear(p+down, v.ffn, v.hidden)
		for _, name := range []string{"ln1", "ln2"} {
			r.vector(p+name+".weight", v.hidden)
			r.optionalVector(p+name+".bias", v.hidden)
		}
	}
}

// gemma3 averages so many patches by so many, and projects the rest.
func (r *validator) gemma3() uint64 {
	v := r.visionShape()
	v.merge = 4
	if key := "clip.vision.projector.scale_factor"; r.f.Has(key) {
		v.merge = uint64(r.number(key, 1<<6))
	}
	if r.err != nil {
		return 0
	}
	side := r.side(v)
	r.siglip(v, side*side)
	r.norm("v.post_ln", v.hidden, true)
	r.vector("mm.soft_emb_norm.weight", v.hidden)
	gives := r.given("mm.input_projection.weight", 0)
	r.matrix("mm.input_projection.weight", gives, v.hidden)
	r.plain("mm.input_projection.weight", gguf.F16, gguf.BF16) // it is turned round, which ggml does with plain numbers only
	r.noOthers()
	return gives
}

// internVL has a class token and may scale what each layer adds.
func (r *validator) internVL() uint64 {
	v := r.visionShape()
	v.merge = uint64(r.number("clip.vision.projector.scale_factor", 1<<6))
	if r.err != nil {
		return 0
	}
	side := r.side(v)
	r.vector("v.class_embd", v.hidden)
	r.siglip(v, side*side+1)
	for i := range v.layers {
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"ls1", "ls2", "attn_q_norm", "attn_k_norm"} {
			r.optionalVector(p+name+".weight", v.hidden)
		}
	}
	for _, name := range []string{"v.pre_ln", "v.post_ln"} {
		r.optionalVector(name+".weight", v.hidden)
		r.optionalVector(name+".bias", v.hidden)
	}
	if v.hidden > math.MaxUint32/(v.merge*v.merge) {
		r.fail("its header is damaged: %d numbers, %d to one", v.hidden, v.merge)
	}
	shuffled := v.hidden * v.merge * v.merge
	between, gives := r.given("mm.model.mlp.1.weight", 1), r.given("mm.model.mlp.3.weight", 1)
	r.norm("mm.model.mlp.0", shuffled, true)
	r.linear("mm.model.mlp.1", shuffled, between)
	r.linear("mm.model.mlp.3", between, gives)
	r.noOthers()
	return gives
}
