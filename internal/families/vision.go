package families

import (
	"fmt"
	"math"
	"strings"

	"photodesc/internal/models/gguf"
)

// CheckVision checks that llama.cpp can load a vision file of the family, and
// returns the number of values of an embedding that it gives. llama.cpp's clip
// checks nothing itself: every tensor that it multiplies must have the right
// shape, and no tensor may be there that it would use without expecting it. The
// error says what is wrong with the file, without its name.
func (f Family) CheckVision(vision *gguf.File) (embedding uint64, err error) {
	r := newValidator(vision)
	// Keys that llama.cpp reads where they are present must have the right type.
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
		r.require(len(three) == 3, "its header is damaged: %q has %d values", key, len(three))
		for _, x := range three {
			r.require(!math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) && (key == "clip.vision.image_mean" || x > 0),
				"its header is damaged: %q is %v", key, three)
		}
	}
	if r.err != nil {
		return 0, r.err
	}
	embedding = f.vision(r)
	return embedding, r.err
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
	r.require(r.err != nil || v.hidden%v.heads == 0, "its header is damaged: %d values in %d heads", v.hidden, v.heads)
	return v
}

// visionShape is the sizes of a vision encoder.
type visionShape struct {
	image, patch uint64 // edge of the square picture and of a patch, pixels
	hidden, ffn  uint64 // values of a patch in a layer, and in its feed-forward
	layers       uint64
	heads        uint64
	merge        uint64 // merge×merge patches become one embedding; set by the family
}

// upDown returns the names of the feed-forward's two matrices. Files of the first
// converter have the two names swapped, and llama.cpp swaps them back.
func (r *validator) upDown(p string, v visionShape) (up, down string) {
	up, down = "ffn_up", "ffn_down"
	if t, there := r.tensors[p+down+".weight"]; there && v.ffn != v.hidden && t.Shape[0] == v.hidden {
		up, down = down, up
	}
	return up, down
}

// patches checks the matrices that turn patches into embeddings.
func (r *validator) patches(v visionShape, names ...string) {
	for _, name := range names {
		r.matrix(name, v.patch, v.patch, 3, v.hidden)
		r.plain(name, gguf.F16)
	}
}

// norm checks a layer norm of n values: a weight and, if bias is set, a bias.
func (r *validator) norm(name string, n uint64, bias bool) {
	r.vector(name+".weight", n)
	if bias {
		r.vector(name+".bias", n)
	}
}

// linear checks a matrix that maps from values to to values, and its bias.
func (r *validator) linear(name string, from, to uint64) {
	r.matrix(name+".weight", from, to)
	r.vector(name+".bias", to)
}

// optionalLinear is linear with a bias that may be missing.
func (r *validator) optionalLinear(name string, from, to uint64) {
	r.matrix(name+".weight", from, to)
	r.optionalVector(name+".bias", to)
}

// noOthers fails if the file has a tensor of the encoder that was not checked.
func (r *validator) noOthers() {
	for _, t := range r.f.Tensors {
		r.require(r.seen[t.Name] || !strings.HasPrefix(t.Name, "v."), "its header is damaged: tensor %q does not belong there", t.Name)
	}
}

// side returns the number of patches along an edge of the picture, for an encoder
// that takes one size only.
func (r *validator) side(v visionShape) uint64 {
	side := v.image / max(v.patch, 1)
	r.require(side >= 1 && v.merge >= 1 && side%max(v.merge, 1) == 0,
		"its header is damaged: pictures of %d, patches of %d, %d to one", v.image, v.patch, v.merge)
	return side
}

// dimension returns one dimension of a tensor, where no key says its size.
func (r *validator) dimension(name string, i int) uint64 {
	t, there := r.tensors[name]
	if !there || len(t.Shape) <= i {
		r.fail("tensor %q is missing", name)
		return 0
	}
	return t.Shape[i]
}

// siglip checks an encoder with learnt positions, so many of them.
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
