package bench

import (
	"math"
	"testing"

	"photodesc/internal/models/gguf"
)

// SmolVLM-500M's encoder by hand: 1024 patches, 12 layers.
//
//	a layer: 4·2·1024·768² + 4·1024²·768 + 4·1024·768·3072 = 4.832 + 3.221 + 9.664 = 17.717 GFLOP
//	patches: 2·1024·768·768 = 1.208, projector: 2·64·12288·960 = 1.510
func TestTileFLOP(t *testing.T) {
	tests := []struct {
		name string
		v    Vision
		want float64
	}{
		{"smolvlm-500m", Vision{Image: 512, Patch: 16, Hidden: 768, FFN: 3072, Layers: 12, Out: 960}, 215.318e9},
		// 27×27 patches of 14, which leave 6 pixels over: 27·24.647 + 0.988 + 3.440.
		{"smolvlm-2.2b", Vision{Image: 384, Patch: 14, Hidden: 1152, FFN: 4304, Layers: 27, Out: 2048}, 669.888e9},
		// 2·4·1·3·1 + 1·(8·4 + 4·16 + 4·4·2) + 2·4·1·5
		{"by hand", Vision{Image: 2, Patch: 1, Hidden: 1, FFN: 2, Layers: 1, Out: 5}, 24 + 32 + 64 + 32 + 40},
		{"unknown", Vision{}, 0},
	}
	for _, test := range tests {
		if got := test.v.TileFLOP(); math.Abs(got-test.want) > test.want/1e4 {
			t.Errorf("%s: %.6g, want %.6g", test.name, got, test.want)
		}
	}
}

func TestTextFLOP(t *testing.T) {
	x := Text{Hidden: 3, KV: 2, FFN: 5, Layers: 7, Vocabulary: 11}
	token, attend, head := 7.*2*(2*9+2*6+3*15), 7.*4*3, 2.*3*11
	if got, want := x.PrefillFLOP(10), 10*token+attend*50+head; got != want {
		t.Errorf("prefill: %v, want %v", got, want)
	}
	if got, want := x.GenerateFLOP(10, 4), 4*(token+head)+attend*(4*10+8); got != want {
		t.Errorf("generate: %v, want %v", got, want)
	}
	// 500M: as many weights as the name says, two FLOP each.
	x = Text{Hidden: 960, KV: 320, FFN: 2560, Layers: 32, Vocabulary: 49280}
	if got := x.GenerateFLOP(0, 1) / 2; got < 360e6 || got > 410e6 {
		t.Errorf("a token multiplies %.3g weights", got)
	}
}

func TestSizesOfFiles(t *testing.T) {
	text := &gguf.File{
		Keys: map[string]any{
			"general.architecture": "llama", "llama.embedding_length": uint32(3),
			"llama.feed_forward_length": uint32(5), "llama.block_count": uint32(7),
		},
		Tensors: []gguf.Tensor{
			{Name: "token_embd.weight", Shape: []uint64{3, 11}, Bytes: 1000},
			{Name: "blk.0.attn_k.weight", Shape: []uint64{3, 2}, Bytes: 30},
			{Name: "blk.6.ffn_up.weight", Shape: []uint64{3, 5}, Bytes: 4},
			{Name: "output_norm.weight", Shape: []uint64{3}, Bytes: 12},
		},
	}
	got, ok := TextOf(text)
	want := Text{Hidden: 3, KV: 2, FFN: 5, Layers: 7, Vocabulary: 11, StepBytes: 1034}
	if !ok || got != want {
		t.Errorf("%+v, %v, want %+v", got, ok, want)
	}
	text.Tensors = append(text.Tensors, gguf.Tensor{Name: "output.weight", Shape: []uint64{3, 11}, Bytes: 500})
	if got, _ := TextOf(text); got.StepBytes != 534 {
		t.Errorf("with an output of its own a step reads %d bytes", got.StepBytes)
	}
	text.Keys["general.architecture"] = "mamba"
	if _, ok := TextOf(text); ok {
		t.Error("a mamba is taken for a llama")
	}

	vision := &gguf.File{
		Keys: map[string]any{
			"clip.projector_type": "idefics3", "clip.vision.image_size": uint32(512), "clip.vision.patch_size": uint32(16),
			"clip.vision.embedding_length": uint32(768), "clip.vision.feed_forward_length": uint32(3072), "clip.vision.block_count": uint32(12),
		},
		Tensors: []gguf.Tensor{{Name: "mm.model.fc.weight", Shape: []uint64{12288, 960}}},
	}
	v, ok := VisionOf(vision)
	if want := (Vision{Image: 512, Patch: 16, Hidden: 768, FFN: 3072, Layers: 12, Out: 960}); !ok || v != want {
		t.Errorf("%+v, %v, want %+v", v, ok, want)
	}
	vision.Keys["clip.projector_type"] = "gemma3"
	if _, ok := VisionOf(vision); ok {
		t.Error("gemma is taken for SmolVLM")
	}
}
