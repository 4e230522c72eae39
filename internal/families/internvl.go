package families

import (
	"fmt"
	"math"
)

// InternVL encodes pictures of one size, with a class token.
var _ = register(Family{
	Name: "InternVL", Projector: "internvl",
	Text:   []TextArch{archQwen2, archQwen3},
	Tokens: []string{"<|im_start|>", "<|im_end|>", "<img>", "</img>"},
	Marks:  `<img>|</img>|<IMG_CONTEXT>`,
	Chat:   Chat{First: "<img>", Last: "</img>", Separator: "\n"},
	vision: (*validator).internVL,
})

// internVL checks an encoder with a class token, whose layers may scale what they add.
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
		r.fail("its header is damaged: %d values, %d to one", v.hidden, v.merge)
	}
	shuffled := v.hidden * v.merge * v.merge
	between, embedding := r.dimension("mm.model.mlp.1.weight", 1), r.dimension("mm.model.mlp.3.weight", 1)
	r.norm("mm.model.mlp.0", shuffled, true)
	r.linear("mm.model.mlp.1", shuffled, between)
	r.linear("mm.model.mlp.3", between, embedding)
	r.noOthers()
	return embedding
}
