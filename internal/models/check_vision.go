package models

import (
	"fmt"
	"math"

	"photodesc/internal/kinds"
	"photodesc/internal/models/gguf"
)

// projector is what llama.cpp calls the connector of SmolVLM.
const projector = kinds.SmolVLM

// checkVision says whether llama.cpp can load the vision file, and how many
// numbers its embeddings have.
func checkVision(f *gguf.File, fam family) (gives uint64, err error) {
	r := newValidator(f)
	// What llama.cpp reads if it is there must be of the right type.
	for _, key := range []string{"general.name", "general.description", "clip.projector_type", "clip.vision.projector_type", "clip.vision.mm_patch_merge_type"} {
		optional[string](r, key)
	}
	gelu, silu := optional[bool](r, "clip.use_gelu"), optional[bool](r, "clip.use_silu")
	r.require(!gelu || !silu, "its header is damaged: it names two activations")
	optional[uint32](r, "clip.vision.image_crop_resolution")
	optional[uint32](r, "clip.minicpmv_query_num")
	optional[int32](r, "clip.minicpmv_version")
	r.require(len(optional[[]int32](r, "clip.vision.image_grid_pinpoints"))%2 == 0, "its header is damaged: an odd number of grid sizes")
	optional[[]int32](r, "clip.vision.feature_layer")
	r.number("clip.vision.projection_dim", 1<<20)
	r.small("clip.vision.attention.layer_norm_epsilon")
	for _, key := range []string{"clip.vision.image_mean", "clip.vision.image_std"} {
		three := required[[]float32](r, key)
		r.require(len(three) == 3, "its header is damaged: %q has %d numbers", key, len(three))
		for _, x := range three {
			r.require(!math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) && (key == "clip.vision.image_mean" || x > 0),
				"its header is damaged: %q is %v", key, three)
		}
	}
	if r.err != nil {
		return 0, r.err
	}
	gives = fam.vision(r)
	return gives, r.err
}

// visionShape reads the sizes that every vision encoder has.
func (r *validator) visionShape() visionShape {
	v := visionShape{
		image:  uint64(r.number("clip.vision.image_size", 1<<13)),
		patch:  uint64(r.number("clip.vision.patch_size", 1<<10)),
		hidden: uint64(r.number("clip.vision.embedding_length", maxWidth)),
		ffn:    uint64(r.number("clip.vision.feed_forward_length", 1<<20)),
		layers: uint64(r.number("clip.vision.block_count", maxLayers)),
		heads:  uint64(r.number("clip.vision.attention.head_count", maxHeads)),
	}
	r.require(r.err != nil || v.hidden%v.heads == 0, "its header is damaged: %d numbers in %d heads", v.hidden, v.heads)
	return v
}

// smolVLM checks what is SmolVLM's own in a vision file.
func (r *validator) smolVLM() uint64 {
	v := r.visionShape()
	v.merge = uint64(r.number("clip.vision.projector.scale_factor", 1<<6))
	if edge := optional[uint32](r, "clip.vision.preproc_image_size"); edge > 1<<14 {
		r.fail("its header is damaged: photos would be resized to %d pixels", edge)
	}
	if r.err != nil {
		return 0
	}
	side := v.image / v.patch // a rest is left out: 384 pixels are 27 patches of 14
	r.require(side >= 1 && side%v.merge == 0,
		"its header is damaged: tiles of %d, patches of %d, %d to one, %d heads", v.image, v.patch, v.merge, v.heads)
	return r.visionTensors(v)
}

type visionShape struct{ image, patch, hidden, ffn, layers, heads, merge uint64 }

func (r *validator) visionTensors(v visionShape) (gives uint64) {
	side := v.image / v.patch
	r.matrix("v.patch_embd.weight", v.patch, v.patch, 3, v.hidden)
	r.plain("v.patch_embd.weight", gguf.F16)
	r.vector("v.patch_embd.bias", v.hidden)
	r.matrix("v.position_embd.weight", v.hidden, side*side)
	r.plain("v.position_embd.weight")
	for i := range v.layers {
		if r.err != nil {
			return 0
		}
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
			r.matrix(p+name+".weight", v.hidden, v.hidden)
			r.vector(p+name+".bias", v.hidden)
		}
		for _, name := range []string{"ln1", "ln2"} {
			r.vector(p+name+".weight", v.hidden)
			r.vector(p+name+".bias", v.hidden)
		}
		up, down := r.upDown(p, v)
		r.matrix(p+up+".weight", v.hidden, v.ffn)
		r.vector(p+up+".bias", v.ffn)
		r.matrix(p+down+".weight", v.ffn, v.hidden)
		r.vector(p+down+".bias", v.hidden)
	}
	r.vector("v.post_ln.weight", v.hidden)
	r.vector("v.post_ln.bias", v.hidden)
	last, there := r.tensors["mm.model.fc.weight"]
	if !there || len(last.Shape) < 2 {
		r.fail("tensor %q is missing", "mm.model.fc.weight")
		return 0
	}
	r.matrix(last.Name, v.hidden*v.merge*v.merge, last.Shape[1])
	return last.Shape[1]
}

// upDown are the names of the feed-forward's two matrices: files of the first
// converter have them the other way round, and llama.cpp turns them.
func (r *validator) upDown(p string, v visionShape) (up, down string) {
	up, down = "ffn_up", "ffn_down"
	if t, there := r.tensors[p+down+".weight"]; there && v.ffn != v.hidden && t.Shape[0] == v.hidden {
		up, down = down, up
	}
	return up, down
}
