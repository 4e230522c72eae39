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
	v := newValidator(vision)
	// Keys that llama.cpp reads where they are present must have the right type.
	for _, key := range []string{"general.name", "general.description", "clip.projector_type", "clip.vision.projector_type", "clip.vision.mm_patch_merge_type"} {
		optional[string](v, key)
	}
	gelu, silu := optional[bool](v, "clip.use_gelu"), optional[bool](v, "clip.use_silu")
	v.require(!gelu || !silu, "its header is damaged: it names two activations")
	optional[uint32](v, "clip.vision.image_crop_resolution")
	optional[uint32](v, "clip.minicpmv_query_num")
	optional[int32](v, "clip.minicpmv_version")
	v.require(len(optional[[]int32](v, "clip.vision.image_grid_pinpoints"))%2 == 0, "its header is damaged: an odd number of grid sizes")
	optional[[]int32](v, "clip.vision.feature_layer")
	v.number("clip.vision.projection_dim", 1<<20)
	v.epsilon("clip.vision.attention.layer_norm_epsilon")
	for _, key := range []string{"clip.vision.image_mean", "clip.vision.image_std"} {
		three := required[[]float32](v, key)
		v.require(len(three) == 3, "its header is damaged: %q has %d values", key, len(three))
		for _, x := range three {
			v.require(!math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) && (key == "clip.vision.image_mean" || x > 0),
				"its header is damaged: %q is %v", key, three)
		}
	}
	if v.err != nil {
		return 0, v.err
	}
	embedding = f.vision(v)
	return embedding, v.err
}

// visionShape reads the sizes that every vision encoder has.
func (v *validator) visionShape() visionShape {
	s := visionShape{
		image:  uint64(v.number("clip.vision.image_size", 1<<13)),
		patch:  uint64(v.number("clip.vision.patch_size", 1<<10)),
		hidden: uint64(v.number("clip.vision.embedding_length", maxWidth)),
		ffn:    uint64(v.number("clip.vision.feed_forward_length", 1<<20)),
		layers: uint64(v.number("clip.vision.block_count", maxLayers)),
		heads:  uint64(v.number("clip.vision.attention.head_count", maxHeads)),
	}
	v.require(v.err != nil || s.hidden%s.heads == 0, "its header is damaged: %d values in %d heads", s.hidden, s.heads)
	return s
}

// visionShape is the sizes of a vision encoder.
type visionShape struct {
	image, patch uint64 // edge of the square picture and of a patch, pixels
	hidden, ffn  uint64 // values of a patch in a layer, and in its feed-forward
	layers       uint64
	heads        uint64
	merge        uint64 // merge×merge patches become one embedding; set by the family
}

// feedForward returns the names of the feed-forward's two matrices. Files of the first
// converter have the two names swapped, and llama.cpp swaps them back.
func (v *validator) feedForward(p string, s visionShape) (up, down string) {
	up, down = "ffn_up", "ffn_down"
	if t, there := v.tensors[p+down+".weight"]; there && s.ffn != s.hidden && t.Shape[0] == s.hidden {
		up, down = down, up
	}
	return up, down
}

// patches checks the matrices that turn patches into embeddings.
func (v *validator) patches(s visionShape, names ...string) {
	for _, name := range names {
		v.matrix(name, s.patch, s.patch, 3, s.hidden)
		v.typeIs(name, gguf.F16)
	}
}

// norm checks a layer norm of n values: a weight and, if bias is set, a bias.
func (v *validator) norm(name string, n uint64, bias bool) {
	v.vector(name+".weight", n)
	if bias {
		v.vector(name+".bias", n)
	}
}

// linear checks a matrix that maps from values to to values, and its bias.
func (v *validator) linear(name string, from, to uint64) {
	v.matrix(name+".weight", from, to)
	v.vector(name+".bias", to)
}

// optionalLinear is linear with a bias that may be missing.
func (v *validator) optionalLinear(name string, from, to uint64) {
	v.matrix(name+".weight", from, to)
	v.optionalVector(name+".bias", to)
}

// noOthers fails if the file has a tensor of the encoder that was not checked.
func (v *validator) noOthers() {
	for _, t := range v.f.Tensors {
		v.require(v.seen[t.Name] || !strings.HasPrefix(t.Name, "v."), "its header is damaged: tensor %q does not belong there", t.Name)
	}
}

// patchesPerSide returns the number of patches along an edge of the picture, for an encoder
// that takes one size only.
func (v *validator) patchesPerSide(s visionShape) uint64 {
	side := s.image / max(s.patch, 1)
	v.require(side >= 1 && s.merge >= 1 && side%max(s.merge, 1) == 0,
		"its header is damaged: pictures of %d, patches of %d, %d to one", s.image, s.patch, s.merge)
	return side
}

// dimension returns one dimension of a tensor, where no key says its size.
func (v *validator) dimension(name string, i int) uint64 {
	t, there := v.tensors[name]
	if !there || len(t.Shape) <= i {
		v.fail("tensor %q is missing", name)
		return 0
	}
	return t.Shape[i]
}

// siglip checks an encoder with learnt positions, so many of them.
func (v *validator) siglip(s visionShape, positions uint64) {
	v.patches(s, "v.patch_embd.weight")
	v.vector("v.patch_embd.bias", s.hidden)
	v.vector("v.position_embd.weight", s.hidden, positions)
	for i := range s.layers {
		if v.err != nil {
			return
		}
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
			v.optionalLinear(p+name, s.hidden, s.hidden)
		}
		up, down := v.feedForward(p, s)
		v.optionalLinear(p+up, s.hidden, s.ffn)
		v.optionalLinear(p+down, s.ffn, s.hidden)
		for _, name := range []string{"ln1", "ln2"} {
			v.vector(p+name+".weight", s.hidden)
			v.optionalVector(p+name+".bias", s.hidden)
		}
	}
}
