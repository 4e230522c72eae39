package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"photodesc/internal/kinds"

	"photodesc/internal/models/gguf"
)

// A family is a kind of vision model that is known to every detail: llama.cpp
// loads more, and ends the process on what it does not expect in them.
type family struct {
	name   string   // for people
	archs  []string // the architectures its text models have
	tokens []string // special tokens that its prompt cannot do without
	vision func(*validator) (gives uint64)
}

// families by what llama.cpp calls their connector of vision and text.
var families = map[string]family{
	projector: {"SmolVLM", []string{"llama"}, []string{"<|im_start|>", "<fake_token_around_image>", "<end_of_utterance>"}, (*validator).smolVLM},
	kinds.Qwen2VL: {"Qwen2-VL", []string{"qwen2vl"},
		[]string{"<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"}, (*validator).qwen2VL},
	kinds.Qwen25VL: {"Qwen2.5-VL", []string{"qwen2vl"},
		[]string{"<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"}, (*validator).qwen25VL},
	kinds.Gemma3: {"Gemma 3", []string{"gemma3"},
		[]string{"<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"}, (*validator).gemma3},
	kinds.InternVL: {"InternVL", []string{"qwen2", "qwen3"},
		[]string{"<|im_start|>", "<|im_end|>", "<img>", "</img>"}, (*validator).internVL},
}

// familyOf tells what a vision file is of.
func familyOf(f *gguf.File) (family, error) {
	r := newValidator(f)
	r.require(optional[bool](r, "clip.has_vision_encoder"), "it has no vision encoder")
	r.require(!optional[bool](r, "clip.has_audio_encoder"), "it is for sound, too, which photodesc does not know")
	kind := optional[string](r, "clip.projector_type")
	if kind == "" {
		kind = optional[string](r, "clip.vision.projector_type")
	}
	if r.err != nil {
		return family{}, r.err
	}
	fam, known := families[kind]
	if !known {
		return fam, fmt.Errorf("it is of the type %q; the vision models that photodesc knows are %s", kind, familyNames())
	}
	return fam, nil
}

// familyNames are those of all families, as a person reads them.
func familyNames() string {
	var names []string
	for _, f := range families {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// A textArch is what differs between the text models of the families.
type textArch struct {
	tokenizer string // "gpt2": byte pairs; "llama": SentencePiece
	headSize  bool   // heads may have another size than the embedding's part
	biases    bool   // attention has them; llama.cpp loads a file without and ends the process
	headNorms bool   // of queries and keys
	postNorms bool   // after attention and feed-forward
	sections  bool   // positions in time, height and width
}

var textArchs = map[string]textArch{
	"llama":   {tokenizer: "gpt2"},
	"qwen2":   {tokenizer: "gpt2", biases: true},
	"qwen2vl": {tokenizer: "gpt2", biases: true, sections: true},
	"qwen3":   {tokenizer: "gpt2", headSize: true, headNorms: true},
	"gemma3":  {tokenizer: "llama", headSize: true, headNorms: true, postNorms: true},
}

// architecture says whether a text model goes with a family's vision file.
func (r *validator) architecture(fam family) (name string, arch textArch) {
	name = required[string](r, "general.architecture")
	if r.err != nil || slices.Contains(fam.archs, name) {
		return name, textArchs[name]
	}
	if _, known := textArchs[name]; !known {
		all := slices.Sorted(maps.Keys(textArchs))
		r.fail("it is of the architecture %q; of vision models, photodesc knows %s (architectures %s)", name, familyNames(), strings.Join(all, ", "))
	}
	r.fail("it is of the architecture %q and the vision file is for %s, whose text model is \"%s\"", name, fam.name, strings.Join(fam.archs, `" or "`))
	return name, textArch{}
}
