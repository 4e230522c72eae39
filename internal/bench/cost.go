// Package bench has what measurements need besides the program itself: the number
// of arithmetic operations of a model, generated photos, and a client that has a
// server describe the same photos.
package bench

import (
	"strings"

	"photodesc/internal/families"
	"photodesc/internal/models/gguf"
)

// Vision holds the sizes of a SigLIP encoder and of the projector after its pixel
// shuffle.
type Vision struct {
	Image, Patch        int // edges of the tile and of a patch, pixels
	Hidden, FFN, Layers int
	Out                 int // values in one embedding for the text model
}

// TileFLOP returns the floating-point operations for encoding one tile. A
// multiplication and an addition count as two. Only products of matrices are
// counted; the rest is less than a hundredth.
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

// Text holds the sizes of a llama text model.
type Text struct {
	Hidden, KV, FFN, Layers int // KV: values in one token's keys
	Vocabulary              int
	StepBytes               int64 // weights that picking one token reads
}

// PrefillFLOP returns the operations for a prompt, up to the first sampled token.
func (t Text) PrefillFLOP(tokens float64) float64 {
	// A token attends to half of the prompt on average.
	return tokens*(t.tokenFLOP()+t.attendFLOP()*tokens/2) + t.headFLOP()
}

// GenerateFLOP returns the operations for generating tokens after a prompt.
func (t Text) GenerateFLOP(prompt, tokens float64) float64 {
	return tokens * (t.tokenFLOP() + t.headFLOP() + t.attendFLOP()*(prompt+tokens/2))
}

// tokenFLOP returns the operations of one token in all layers, without attention.
func (t Text) tokenFLOP() float64 {
	h, kv, f := float64(t.Hidden), float64(t.KV), float64(t.FFN)
	return float64(t.Layers) * 2 * (2*h*h + 2*h*kv + 3*h*f)
}

// attendFLOP returns the operations of one token for each token that it attends to.
func (t Text) attendFLOP() float64 { return float64(t.Layers) * 4 * float64(t.Hidden) }

// headFLOP returns the operations for the logits of the vocabulary.
func (t Text) headFLOP() float64 { return 2 * float64(t.Hidden) * float64(t.Vocabulary) }

// VisionOf returns an encoder's sizes; ok is false if it is not SmolVLM's.
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

// TextOf returns a text model's sizes; ok is false if it is not a llama.
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
