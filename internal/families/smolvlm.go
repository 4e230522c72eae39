package families

import (
	"fmt"

	"photodesc/internal/models/gguf"
)

// SmolVLM is the projector of SmolVLM, SmolVLM2 and Idefics3.
const SmolVLM = "idefics3"

var _ = register(Family{
	Name: "SmolVLM", Projector: SmolVLM,
	Text:   []TextArch{{Name: "llama", tokenizer: "gpt2"}},
	Tokens: []string{"<|im_start|>", "<fake_token_around_image>", "<end_of_utterance>"},
	Marks:  `<image>|</image>|<global-img>|<fake_token_around_image>|<row_\d+_col_\d+>`,
	Tiled:  true, English: true,
	vision: (*validator).smolVLM,
})

// smolVLM checks SmolVLM's own keys and the tensors.
func (v *validator) smolVLM() uint64 {
	s := v.visionShape()
	s.merge = uint64(v.number("clip.vision.projector.scale_factor", 1<<6))
	if edge := optional[uint32](v, "clip.vision.preproc_image_size"); edge > 1<<14 {
		v.fail("its header is damaged: photos would be resized to %d pixels", edge)
	}
	if v.err != nil {
		return 0
	}
	side := s.image / s.patch // rounded down: 384 pixels are 27 patches of 14
	v.require(side >= 1 && side%s.merge == 0,
		"its header is damaged: tiles of %d, patches of %d, %d to one, %d heads", s.image, s.patch, s.merge, s.heads)
	return v.visionTensors(s)
}

func (v *validator) visionTensors(s visionShape) (embedding uint64) {
	side := s.image / s.patch
	v.matrix("v.patch_embd.weight", s.patch, s.patch, 3, s.hidden)
	v.typeIs("v.patch_embd.weight", gguf.F16)
	v.vector("v.patch_embd.bias", s.hidden)
	v.matrix("v.position_embd.weight", s.hidden, side*side)
	v.typeIs("v.position_embd.weight")
	for i := range s.layers {
		if v.err != nil {
			return 0
		}
		p := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
			v.matrix(p+name+".weight", s.hidden, s.hidden)
			v.vector(p+name+".bias", s.hidden)
		}
		for _, name := range []string{"ln1", "ln2"} {
			v.vector(p+name+".weight", s.hidden)
			v.vector(p+name+".bias", s.hidden)
		}
		up, down := v.feedForward(p, s)
		v.matrix(p+up+".weight", s.hidden, s.ffn)
		v.vector(p+up+".bias", s.ffn)
		v.matrix(p+down+".weight", s.ffn, s.hidden)
		v.vector(p+down+".bias", s.hidden)
	}
	v.vector("v.post_ln.weight", s.hidden)
	v.vector("v.post_ln.bias", s.hidden)
	projection, there := v.tensors["mm.model.fc.weight"]
	if !there || len(projection.Shape) < 2 {
		v.fail("tensor %q is missing", "mm.model.fc.weight")
		return 0
	}
	v.matrix(projection.Name, s.hidden*s.merge*s.merge, projection.Shape[1])
	return projection.Shape[1]
}
