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
func (v *validator) internVL() uint64 {
	s := v.visionShape()
	s.merge = uint64(v.number("clip.vision.projector.scale_factor", 1<<6))
	if v.err != nil {
		return 0
	}
	side := v.patchesPerSide(s)
	v.vector("v.class_embd", s.hidden)
	v.siglip(s, side*side+1)
	for i := range s.layers {
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"ls1", "ls2", "attn_q_norm", "attn_k_norm"} {
			v.optionalVector(p+name+".weight", s.hidden)
		}
	}
	for _, name := range []string{"v.pre_ln", "v.post_ln"} {
		v.optionalVector(name+".weight", s.hidden)
		v.optionalVector(name+".bias", s.hidden)
	}
	if s.hidden > math.MaxUint32/(s.merge*s.merge) {
		v.fail("its header is damaged: %d values, %d to one", s.hidden, s.merge)
	}
	shuffled := s.hidden * s.merge * s.merge
	between, embedding := v.dimension("mm.model.mlp.1.weight", 1), v.dimension("mm.model.mlp.3.weight", 1)
	v.norm("mm.model.mlp.0", shuffled, true)
	v.linear("mm.model.mlp.1", shuffled, between)
	v.linear("mm.model.mlp.3", between, embedding)
	v.noOthers()
	return embedding
}
