// Package bench is what measuring needs beside the program itself: what a
// model's sizes cost in arithmetic, photos to measure with, and a client that
// asks a server to describe the same ones.
package bench

import (
	"strings"

	"photodesc/internal/families"
	"photodesc/internal/models/gguf"
)

// Vision is the sizes of a SigLIP encoder with the projector behind its pixel
// shuffle.
type Vision struct {
	Image, Patch        int // edges of the tile and of a patch, pixels
	Hidden, FFN, Layers int
	Out                 int // values in one embedding for the text model
}

// TileFLOP is the floating-point operations that encoding one tile takes, a
// multiplication and an addition being two. What is not a product of matrices
// is left out; it is less than a hundredth.
func (v Vision) TileFLOP() float64 {
	if v.Patch == 0 {
		return 0
	}
	side := v.Image / v.Patch
	n, h, f := float64(side*side), float64(v.Hidden), float64(v.FFN)
	embed := 2 * n * h * 3 * float64(v.Patch*v.Patch)
	projections := 4 * 2 * n * h * h // query, key, value, output
	attention := 2 * 2 * n * n * h   // scores, and what they pick
	feedForward := 2 * 2 * n * h * f
	project := 2 * n * h * float64(v.Out) // n/s² rows of h·s² values
	return embed + float64(v.Layers)*(projections+attention+feedForward) + project
}

// Text is the sizes of a llama text model.
type Text struct {
	Hidden, KV, FFN, Layers int // KV: values in one token's keys
	Vocabulary              int
	StepBytes               int64 // weights that picking one token reads
}

// PrefillFLOP is what reading a prompt takes, up to its first picked token.
func (t Text) PrefillFLOP(tokens float64) float64 {
	// A token attends to half of the prompt on average.
	return tokens*(t.tokenFLOP()+t.attendFLOP()*tokens/2) + t.headFLOP()
}

// GenerateFLOP is what so many tokens take after a prompt of the given length.
func (t Text) GenerateFLOP(prompt, tokens float64) float64 {
	return tokens * (t.tokenFLOP() + t.headFLOP() + t.attendFLOP()*(prompt+tokens/2))
}

// tokenFLOP is of one token through all layers, without attention's products.
func (t Text) tokenFLOP() float64 {
	h, kv, f := float64(t.Hidden), float64(t.KV), float64(t.FFN)
	return float64(t.Layers) * 2 * (2*h*h + 2*h*kv + 3*h*f)
}

// attendFLOP is of one token for each token it attends to.
func (t Text) attendFLOP() float64 { return float64(t.Layers) * 4 * float64(t.Hidden) }

// headFLOP is of the scores of all tokens of the vocabulary.
func (t Text) headFLOP() float64 { return 2 * float64(t.Hidden) * float64(t.Vocabulary) }

// VisionOf reads an encoder's sizes; false for one that is not SmolVLM's.
func VisionOf(f *gguf.File) (Vision, bool) {
	kind, _ := gguf.Get[string](f, "clip.projector_type")
	v := Vision{
		Image: number(f, "clip.vision.image_size"), Patch: number(f, "clip.vision.patch_size"),
		Hidden: number(f, "clip.vision.embedding_length"), FFN: number(f, "clip.vision.feed_forward_length"),
		Layers: number(f, "clip.vision.block_count"),
	}
	for _, t := range f.Tensors {
		if t.Name == "mm.model.fc.weight" && len(t.Shape) >= 2 {
			v.Out = int(t.Shape[1])
		}
	}
	return v, kind == families.SmolVLM && v.Patch > 0 && v.Out > 0
}

// TextOf reads a text model's sizes; false for one that is no llama.
func TextOf(f *gguf.File) (Text, bool) {
	arch, _ := gguf.Get[string](f, "general.architecture")
	t := Text{
		Hidden: number(f, "llama.embedding_length"), FFN: number(f, "llama.feed_forward_length"),
		Layers: number(f, "llama.block_count"),
	}
	var words, output int64
	for _, w := range f.Tensors {
		switch {
		case w.Name == "token_embd.weight" && len(w.Shape) == 2:
			words, t.Vocabulary = w.Bytes, int(w.Shape[1])
		case w.Name == "output.weight":
			output = w.Bytes
		case w.Name == "blk.0.attn_k.weight" && len(w.Shape) == 2:
			t.KV = int(w.Shape[1])
		}
		if strings.HasPrefix(w.Name, "blk.") {
			t.StepBytes += w.Bytes
		}
	}
	if output == 0 {
		output = words // one table for both ends
	}
	t.StepBytes += output
	return t, arch == "llama" && t.KV > 0 && t.Vocabulary > 0
}

func number(f *gguf.File, key string) int {
	n, _ := gguf.Get[uint32](f, key)
	return int(n)
}
