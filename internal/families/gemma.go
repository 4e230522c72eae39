package families

import "photodesc/internal/models/gguf"

// Gemma 3 encodes pictures of one size, and its text model reads the embeddings of
// a picture in both directions.
var _ = register(Family{
	Name: "Gemma 3", Projector: "gemma3",
	Text:   []TextArch{{Name: "gemma3", tokenizer: "llama", headSizeKey: true, headNorms: true, postNorms: true}},
	Tokens: []string{"<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"},
	Marks:  `<start_of_image>|<end_of_image>|<image_soft_token>|\[multimodal\]|<unused\d+>`,
	Chat:   Chat{First: "<start_of_image>", Last: "<end_of_image>", Prefix: "\n\n", Separator: "\n\n"},
	vision: (*validator).gemma3,
})

// gemma3 checks an encoder that averages merge×merge patches and projects the result.
func (v *validator) gemma3() uint64 {
	s := v.visionShape()
	s.merge = 4
	if key := "clip.vision.projector.scale_factor"; v.f.Has(key) {
		s.merge = uint64(v.number(key, 1<<6))
	}
	if v.err != nil {
		return 0
	}
	side := v.patchesPerSide(s)
	v.siglip(s, side*side)
	v.norm("v.post_ln", s.hidden, true)
	v.vector("mm.soft_emb_norm.weight", s.hidden)
	embedding := v.dimension("mm.input_projection.weight", 0)
	v.matrix("mm.input_projection.weight", embedding, s.hidden)
	v.typeIs("mm.input_projection.weight", gguf.F16, gguf.BF16) // llama.cpp transposes it, which ggml does for these types only
	v.noOthers()
	return embedding
}
