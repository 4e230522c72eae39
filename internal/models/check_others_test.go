package models

import (
	"strings"
	"testing"

	"photodesc/internal/models/gguf"
	"photodesc/internal/models/gguf/gguftest"
)

// What must be there is there, in the right shape; nothing else is.
func TestCheckOthers(t *testing.T) {
	files := map[string]Files{}
	for _, shape := range append([]string{"tiny"}, gguftest.Others...) {
		text, vision := gguftest.Model(t, shape)
		files[shape] = Files{Name: shape, Text: text, Vision: vision}
		s, err := Check(files[shape], 0)
		if err != nil || s.Embedding != 64 || s.Vocabulary != 720 || s.Slot == 0 {
			t.Errorf("%s: %+v, %v", shape, s, err)
		}
	}
	set := func(key string, v any) func(*gguf.File) { return func(f *gguf.File) { f.Keys[key] = v } }
	drop := func(key string) func(*gguf.File) { return func(f *gguf.File) { delete(f.Keys, key) } }
	rename := func(name, to string) func(*gguf.File) { return func(f *gguf.File) { tensor(f, name).Name = to } }
	reshape := func(name string, bytes int64, shape ...uint64) func(*gguf.File) {
		return func(f *gguf.File) { x := tensor(f, name); x.Shape, x.Bytes = shape, bytes }
	}
	token := func(name, to string) func(*gguf.File) {
		return func(f *gguf.File) {
			tokens := f.Keys["tokenizer.ggml.tokens"].([]string)
			for i, x := range tokens {
				if x == name {
					tokens[i] = to
				}
			}
		}
	}
	const qwen, qwen3, gemma, intern = "tiny-qwen2.5vl", "tiny-qwen3vl", "tiny-gemma3", "tiny-internvl"
	for _, c := range []struct {
		name, shape string
		text        bool
		change      func(*gguf.File)
		want        string
	}{
		{"no biases", qwen, true, rename("blk.1.attn_k.bias", "blk.1.attn_k.bios"), `"blk.1.attn_k.bias" is missing`},
		{"no sections", qwen, true, drop("qwen2vl.rope.dimension_sections"), "dimension_sections"},
		{"three sections", qwen, true, set("qwen2vl.rope.dimension_sections", []int32{4, 6, 6}), "3 values"},
		{"sections of nothing", qwen, true, set("qwen2vl.rope.dimension_sections", []int32{0, 0, 0, 0}), "is [0 0 0 0]"},
		{"sections of the last only", qwen, true, set("qwen2vl.rope.dimension_sections", []int32{0, 0, 0, 16}), "is [0 0 0 16]"},
		{"sections below zero", qwen, true, set("qwen2vl.rope.dimension_sections", []int32{-4, 6, 6, 0}), "is [-4 6 6 0]"},
		{"sections too long", qwen, true, set("qwen2vl.rope.dimension_sections", []int32{4, 6, 7, 0}), "heads of 32"},
		{"sections as fractions", qwen, true, set("qwen2vl.rope.dimension_sections", []float32{4, 6, 6, 0}), "wrong type"},
		{"another head size", qwen, true, set("qwen2vl.attention.key_length", uint32(16)), "key_length"},
		{"no token before pictures", qwen, true, token("<|vision_start|>", "<|x|>"), "no token <|vision_start|>: it is not a Qwen2.5-VL model"},
		{"no features said", qwen3, true, drop("qwen3vl.n_deepstack_layers"), "n_deepstack_layers"},
		{"no features", qwen3, true, set("qwen3vl.n_deepstack_layers", uint32(0)), "is 0 of 3 layers"},
		{"features for layers that are not there", qwen3, true, set("qwen3vl.n_deepstack_layers", uint32(4)), "is 4 of 3 layers"},
		{"more features than the encoder has", qwen3, true, set("qwen3vl.n_deepstack_layers", uint32(3)), "takes embeddings of 256 values, the other gives 192"},
		{"no sections", qwen3, true, drop("qwen3vl.rope.dimension_sections"), "dimension_sections"},
		{"no norms of heads", qwen3, true, rename("blk.2.attn_k_norm.weight", "blk.2.x"), `"blk.2.attn_k_norm.weight" is missing`},
		{"not for answers", intern, true, set("qwen2.pooling_type", uint32(1)), "an embedding model"},
		{"experts", intern, true, set("qwen2.expert_count", uint32(4)), "experts"},
		{"layers of another kind", intern, true, set("general.architecture", "qwen3"), "qwen3.block_count"},
		{"no norms of heads", gemma, true, rename("blk.5.attn_q_norm.weight", "blk.5.x"), `"blk.5.attn_q_norm.weight" is missing`},
		{"no norms after attention", gemma, true, rename("blk.0.post_ffw_norm.weight", "blk.0.x"), `"blk.0.post_ffw_norm.weight" is missing`},
		{"key but no value length", gemma, true, drop("gemma3.attention.value_length"), "value_length"},
		{"byte pairs", gemma, true, set("tokenizer.ggml.model", "gpt2"), `of the type "gpt2"; Gemma 3's is "llama"`},
		{"a byte less", gemma, true, token("<0x0A>", "<0x0a>"), "no token <0x0A> for a byte"},
		{"no scores", gemma, true, drop("tokenizer.ggml.scores"), "scores"},
		{"no tokens", gemma, true, drop("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens"},
		{"tokens of another type", gemma, true, set("tokenizer.ggml.tokens", []uint32{1, 2}), "wrong type"},
		{"a score less", gemma, true, set("tokenizer.ggml.scores", []float32{1}), "not every token has a score"},
		{"a byte of no number", gemma, true, func(f *gguf.File) { f.Keys["tokenizer.ggml.token_type"].([]int32)[700] = 6 }, "damaged at token 700"},
		{"window of a wrong type", gemma, true, set("gemma3.attention.sliding_window", int32(5)), "wrong type"},

		{"no windows said", qwen, false, drop("clip.vision.n_wa_pattern"), "n_wa_pattern"},
		{"merges of three", qwen, false, set("clip.vision.spatial_merge_size", uint32(3)), "spatial_merge_size"},
		{"large patches", qwen, false, set("clip.vision.patch_size", uint32(64)), "patches of 64"},
		{"one matrix for patches", qwen, false, rename("v.patch_embd.weight.1", "v.patch_embd.weight.2"), `"v.patch_embd.weight.1" is missing`},
		{"an offset of patches", qwen, false, rename("v.blk.0.attn_out.bias", "v.patch_embd.bias"), `"v.patch_embd.bias" does not belong`},
		{"no offset of queries", qwen, false, rename("v.blk.1.attn_q.bias", "v.blk.1.attn_x.bias"), `"v.blk.1.attn_q.bias" is missing`},
		{"one matrix for all", qwen, false, rename("v.blk.1.attn_out.bias", "v.blk.1.attn_qkv.weight"), `"v.blk.1.attn_qkv.weight" does not belong`},
		{"another dimension", qwen, false, set("clip.vision.projection_dim", uint32(128)), "projection_dim"},
		{"the older kind", qwen, false, set("clip.projector_type", "qwen2vl_merger"), "Qwen2-VL has no windows"},
		{"heads of two", qwen, false, set("clip.vision.attention.head_count", uint32(32)), "32 heads"},
		{"a layer less", qwen, false, set("clip.vision.block_count", uint32(1)), `"v.blk.1.`},
		{"three matrices for queries, keys and values", qwen3, false, rename("v.blk.1.attn_qkv.weight", "v.blk.1.attn_q.weight"), `"v.blk.1.attn_qkv.weight" is missing`},
		{"no offset of patches", qwen3, false, rename("v.patch_embd.bias", "v.x"), `"v.patch_embd.bias" is missing`},
		{"no positions", qwen3, false, rename("v.position_embd.weight", "v.x"), `"v.position_embd.weight" is missing`},
		{"positions in halves", qwen3, false, func(f *gguf.File) { x := tensor(f, "v.position_embd.weight"); x.Type, x.Bytes = gguf.F16, x.Bytes/2 }, "of type F16, which llama.cpp cannot use there"},
		{"fewer positions", qwen3, false, set("clip.vision.image_size", uint32(96)), "v.position_embd.weight"},
		{"swapped", qwen3, false, func(f *gguf.File) {
			up, down := tensor(f, "v.blk.0.ffn_up.weight"), tensor(f, "v.blk.0.ffn_down.weight")
			up.Name, down.Name = down.Name, up.Name
		}, `"v.blk.0.ffn_up.weight" has the shape`},
		{"a gate", qwen3, false, rename("v.blk.1.ffn_down.bias", "v.blk.1.ffn_gate.weight"), `"v.blk.1.ffn_gate.weight" does not belong`},
		{"features without a norm", qwen3, false, rename("v.deepstack.1.norm.weight", "v.x"), `"v.deepstack.1.norm.weight" is missing`},
		{"features of a layer that is not there", qwen3, false, func(f *gguf.File) {
			for _, end := range []string{"norm.weight", "norm.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"} {
				tensor(f, "v.deepstack.1."+end).Name = "v.deepstack.2." + end
			}
		}, "does not belong there"},
		{"features of one layer only", qwen3, false, func(f *gguf.File) {
			for _, end := range []string{"norm.weight", "norm.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"} {
				tensor(f, "v.deepstack.1."+end).Name = "x.1." + end
			}
		}, "takes embeddings of 192 values, the other gives 128"},
		{"windows", qwen3, false, set("clip.vision.n_wa_pattern", uint32(2)), "Qwen3-VL has no windows"},
		{"merges of three", qwen3, false, set("clip.vision.spatial_merge_size", uint32(3)), "spatial_merge_size"},
		{"no class", intern, false, rename("v.class_embd", "v.class"), `"v.class_embd" is missing`},
		{"positions", intern, false, set("clip.vision.image_size", uint32(72)), "pictures of 72"}, // 9 patches, which two does not divide
		{"a larger picture", intern, false, set("clip.vision.image_size", uint32(128)), "v.position_embd.weight"},
		{"no scale", intern, false, drop("clip.vision.projector.scale_factor"), "scale_factor"},
		{"no projection", intern, false, rename("mm.model.mlp.3.weight", "mm.model.mlp.4.weight"), `"mm.model.mlp.3.weight" is missing`},
		{"pools that do not divide", gemma, false, set("clip.vision.projector.scale_factor", uint32(3)), "3 to one"},
		{"pools of four where the file says nothing", gemma, false, set("clip.vision.projector.scale_factor", uint32(0)), "scale_factor"},
		{"no norm before the projection", gemma, false, rename("mm.soft_emb_norm.weight", "mm.x"), `"mm.soft_emb_norm.weight" is missing`},
		{"a projection in eighths", gemma, false, func(f *gguf.File) {
			x := tensor(f, "mm.input_projection.weight")
			x.Type, x.Bytes = gguf.Q8_0, 64*64/32*34
		}, "of type Q8_0, which llama.cpp cannot use there"},
		{"another text model's", gemma, false, reshape("mm.input_projection.weight", 32*64*2, 32, 64), "do not belong together"},
		{"an audio encoder", gemma, false, set("clip.has_audio_encoder", true), "for sound"},
		{"an audio encoder only", gemma, false, drop("clip.has_vision_encoder"), "no vision encoder"},
	} {
		f := files[c.shape]
		if c.text {
			f.Text = gguftest.Copy(t, f.Text, c.change)
		} else {
			f.Vision = gguftest.Copy(t, f.Vision, c.change)
		}
		_, err := Check(f, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 1 {
			t.Errorf("%s, %s: error %v, want %q in it", c.shape, c.name, err, c.want)
		}
	}
	for _, c := range []struct{ text, vision, want string }{
		{"tiny", gemma, `architecture "llama" and the vision file is for Gemma 3, whose text model is "gemma3"`},
		{gemma, "tiny", `architecture "gemma3" and the vision file is for SmolVLM, whose text model is "llama"`},
		{qwen3, qwen, `architecture "qwen3vl" and the vision file is for Qwen2.5-VL, whose text model is "qwen2vl"`},
		{qwen, intern, `architecture "qwen2vl" and the vision file is for InternVL, whose text model is "qwen2" or "qwen3"`},
	} {
		_, err := Check(Files{Text: files[c.text].Text, Vision: files[c.vision].Vision}, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("text model %s with the vision file of %s: %v", c.text, c.vision, err)
		}
	}
	unknown := gguftest.Copy(t, files[intern].Text, set("general.architecture", "mamba"))
	if _, err := check(Files{Text: unknown, Vision: files[intern].Vision}, 0, true); err != nil {
		t.Errorf("text model of another architecture, which is allowed: %v", err)
	}
	if _, err := Check(Files{Text: unknown, Vision: files[intern].Vision}, 0); err == nil || !strings.Contains(err.Error(), `of the architecture "mamba"; of vision models, photodesc knows Gemma 3, InternVL,`) {
		t.Error(err)
	}
}

func FuzzCheckQwen(f *testing.F)   { fuzzCheck(f, "tiny-qwen2.5vl", "qwen2vl") }
func FuzzCheckQwen3(f *testing.F)  { fuzzCheck(f, "tiny-qwen3vl", "qwen3vl") }
func FuzzCheckGemma(f *testing.F)  { fuzzCheck(f, "tiny-gemma3", "gemma3") }
func FuzzCheckIntern(f *testing.F) { fuzzCheck(f, "tiny-internvl", "qwen2") }
