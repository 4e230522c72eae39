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
	Tiled:  true,
	vision: (*validator).smolVLM,
})

// smolVLM checks SmolVLM's own keys and the tensors.
func (r *validator) smolVLM() uint64 {
	v := r.visionShape()
	v.merge = uint64(r.number("clip.vision.projector.scale_factor", 1<<6))
	if edge := optional[uint32](r, "clip.vision.preproc_image_size"); edge > 1<<14 {
		r.fail("its header is damaged: photos would be resized to %d pixels", edge)
	}
	if r.err != nil {
		return 0
	}
	side := v.image / v.patch // rounded down: 384 pixels are 27 patches of 14
	r.require(side >= 1 && side%v.merge == 0,
		"its header is damaged: tiles of %d, patches of %d, %d to one, %d heads", v.image, v.patch, v.merge, v.heads)
	return r.visionTensors(v)
}

func (r *validator) visionTensors(v visionShape) (embedding uint64) {
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
	projection, there := r.tensors["mm.model.fc.weight"]
	if !there || len(projection.Shape) < 2 {
		r.fail("tensor %q is missing", "mm.model.fc.weight")
		return 0
	}
	r.matrix(projection.Name, v.hidden*v.merge*v.merge, projection.Shape[1])
	return projection.Shape[1]
}
