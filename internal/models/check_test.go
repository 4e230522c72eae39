package models

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"photodesc/internal/models/gguf"
	"photodesc/internal/models/gguf/gguftest"
)

// tensor is a tensor of a header by its name.
func tensor(f *gguf.File, name string) *gguf.Tensor {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i]
		}
	}
	panic("no tensor " + name)
}

func TestCheck(t *testing.T) {
	text, vision := gguftest.Tiny(t)
	s, err := Check(Files{Name: "tiny", Text: text, Vision: vision}, 0)
	if err != nil || s.Embedding != 64 || s.Layers != 2 || s.Vocabulary != 720 || s.Context != 2048 || s.Type != "Q8_0" || s.Slot != 2048*2*2*2*32 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Check(Files{Name: "tiny", Text: text, Vision: vision}, s.Memory()-1); err == nil ||
		!strings.Contains(err.Error(), "model tiny needs about") || !strings.Contains(err.Error(), "allow more with --memory") {
		t.Error(err)
	}
	set := func(key string, v any) func(*gguf.File) { return func(f *gguf.File) { f.Keys[key] = v } }
	drop := func(key string) func(*gguf.File) { return func(f *gguf.File) { delete(f.Keys, key) } }
	reshape := func(name string, shape ...uint64) func(*gguf.File) {
		return func(f *gguf.File) { tensor(f, name).Shape = shape }
	}
	retype := func(name string, kind gguf.Type, bytes int64) func(*gguf.File) {
		return func(f *gguf.File) { x := tensor(f, name); x.Type, x.Bytes = kind, bytes }
	}
	rename := func(name string) func(*gguf.File) {
		return func(f *gguf.File) { tensor(f, name).Name += "x" }
	}
	tokens := func(change func([]string) []string) func(*gguf.File) {
		return func(f *gguf.File) {
			f.Keys["tokenizer.ggml.tokens"] = change(f.Keys["tokenizer.ggml.tokens"].([]string))
		}
	}
	for _, c := range []struct {
		name   string
		change func(*gguf.File)
		want   string
	}{
		{"another architecture", set("general.architecture", "qwen2"), `architecture "qwen2"`},
		{"no architecture", drop("general.architecture"), "text"},
		{"architecture of a wrong type", set("general.architecture", uint32(1)), "wrong type"},
		{"a part of a model", set("split.count", uint16(3)), "one of 3 parts"},
		{"experts", set("llama.expert_count", uint32(8)), "experts"},
		{"no layers", set("llama.block_count", uint32(0)), "block_count"},
		{"many layers", set("llama.block_count", uint32(513)), "block_count"},
		{"one layer more", set("llama.block_count", uint32(3)), `"blk.2.attn_norm.weight" is missing`},
		{"layers of a wrong type", set("llama.block_count", int32(2)), "wrong type"},
		{"width", set("llama.embedding_length", uint32(128)), "dimension_count"},
		{"heads", set("llama.attention.head_count", uint32(3)), "dimension_count"},
		{"heads that do not divide", func(f *gguf.File) {
			f.Keys["llama.attention.head_count"] = uint32(3)
			delete(f.Keys, "llama.rope.dimension_count")
		}, "in 3 heads of 1"},
		{"no heads", set("llama.attention.head_count", uint32(0)), "head_count"},
		{"heads as a list", set("llama.attention.head_count", []uint32{2, 2}), "wrong type"},
		{"KV heads", set("llama.attention.head_count_kv", uint32(2)), "attn_k"},
		{"key length", set("llama.attention.key_length", uint32(16)), "key_length"},
		{"RoPE", set("llama.rope.dimension_count", uint32(8)), "dimension_count"},
		{"RoPE base", set("llama.rope.freq_base", float32(math.NaN())), "RoPE base"},
		{"RoPE scaling", set("llama.rope.scaling.type", "cubic"), `"cubic"`},
		{"epsilon", set("llama.attention.layer_norm_rms_epsilon", float32(-1)), "epsilon"},
		{"epsilon is no number", set("llama.attention.layer_norm_rms_epsilon", float32(math.NaN())), "epsilon"},
		{"no epsilon", drop("llama.attention.layer_norm_rms_epsilon"), "does not say"},
		{"no context", set("llama.context_length", uint32(0)), "context_length"},
		{"tokenizer", set("tokenizer.ggml.model", "bert"), `"bert"`},
		{"no tokens", drop("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens"},
		{"no types of tokens", drop("tokenizer.ggml.token_type"), "token_type"},
		{"no merges", drop("tokenizer.ggml.merges"), "merges"},
		{"tokens twice", tokens(func(s []string) []string { s[100] = s[101]; return s }), "damaged at token 101"},
		{"tokens twice, as C reads them", tokens(func(s []string) []string { s[101] = s[100] + "\x00x"; return s }), "damaged at token 101"},
		{"tokens not those of SmolVLM", tokens(func(s []string) []string { s[6] = "<end>"; return s }), "no token <end_of_utterance>: it is not a SmolVLM model"},
		{"a token that is plain text", func(f *gguf.File) { f.Keys["tokenizer.ggml.token_type"].([]int32)[6] = 1 }, "no token <end_of_utterance>"},
		{"one token less", tokens(func(s []string) []string { return s[:len(s)-1] }), "not every token has a type"},
		{"end token", set("tokenizer.ggml.eos_token_id", uint32(720)), "720 of 720"},
		{"a tensor less", rename("output_norm.weight"), `"output_norm.weight" is missing`},
		{"a tensor turned", reshape("blk.1.ffn_up.weight", 128, 64), `"blk.1.ffn_up.weight" has the shape [128 64] instead of [64 128]`},
		{"a vector of halves", retype("blk.0.attn_norm.weight", gguf.F16, 128), "of type F16"},
		{"whole numbers", retype("blk.0.attn_q.weight", 24, 64*64), "I8, which is no type for weights"},
	} {
		changed := gguftest.Copy(t, text, c.change)
		if c.want == "text" { // not even known as a text model
			c.want = "architecture"
		}
		_, err := Check(Files{Text: changed, Vision: vision}, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 1 {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*gguf.File)
		want   string
	}{
		{"another projector", set("clip.projector_type", "qwen2vl_merger"), `architecture "llama" and the vision file is for Qwen2-VL, whose text model is "qwen2vl"`},
		{"a projector that is not known", set("clip.projector_type", "resampler"), `it is of the type "resampler"; the vision models that photodesc knows are Gemma 3, `},
		{"no vision encoder", set("clip.has_vision_encoder", false), "no vision encoder"},
		{"an audio encoder", set("clip.has_audio_encoder", true), "sound"},
		{"a name that is a number", set("general.name", uint32(1)), "wrong type"},
		{"gelu as a number", set("clip.use_gelu", uint8(1)), "wrong type"},
		{"two activations", set("clip.use_silu", true), "two activations"},
		{"no mean", drop("clip.vision.image_mean"), "image_mean"},
		{"half a mean", set("clip.vision.image_mean", []float32{0.5}), "1 values"},
		{"mean of texts", set("clip.vision.image_mean", []string{"a", "b", "c"}), "wrong type"},
		{"no deviation", set("clip.vision.image_std", []float32{0.5, 0, 0.5}), "image_std"},
		{"no scale", set("clip.vision.projector.scale_factor", uint32(0)), "scale_factor"},
		{"another scale", set("clip.vision.projector.scale_factor", uint32(4)), "mm.model.fc.weight"},
		{"a scale that does not divide", set("clip.vision.projector.scale_factor", uint32(3)), "3 to one"},
		{"patches", set("clip.vision.patch_size", uint32(7)), "patches of 7"},
		{"smaller patches", set("clip.vision.patch_size", uint32(4)), "patch_embd"},
		{"a larger picture", set("clip.vision.image_size", uint32(128)), "position_embd"},
		{"heads", set("clip.vision.attention.head_count", uint32(5)), "5 heads"},
		{"layers", set("clip.vision.block_count", uint32(1<<31)), "block_count"},
		{"longest edge", set("clip.vision.preproc_image_size", uint32(1<<20)), "resized"},
		{"grid", set("clip.vision.image_grid_pinpoints", []int32{1, 2, 3}), "odd number"},
		{"a tensor less", rename("v.blk.1.ln1.weight"), `"v.blk.1.ln1.weight" is missing`},
		{"no projection", rename("mm.model.fc.weight"), `"mm.model.fc.weight" is missing`},
		{"patches in eighths", retype("v.patch_embd.bias", gguf.F16, 128), "F16"},
		{"another text model's", func(f *gguf.File) {
			x := tensor(f, "mm.model.fc.weight")
			x.Shape, x.Bytes = []uint64{256, 32}, x.Bytes/2
		}, "do not belong together"},
	} {
		changed := gguftest.Copy(t, vision, c.change)
		_, err := Check(Files{Text: text, Vision: changed}, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 1 {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
}

// What real files have and the small model has not.
func TestCheckRealPeculiarities(t *testing.T) {
	text, vision := gguftest.Tiny(t)
	first := gguftest.Copy(t, text, func(f *gguf.File) {
		// SmolVLM-Instruct has no single tokens for the places of tiles.
		for i, tok := range f.Keys["tokenizer.ggml.tokens"].([]string) {
			if strings.HasPrefix(tok, "<row_") || tok == "<global-img>" {
				f.Keys["tokenizer.ggml.tokens"].([]string)[i] = fmt.Sprintf("[PAD%d]", i)
			}
		}
	})
	swapped := gguftest.Copy(t, vision, func(f *gguf.File) {
		// Older conversions have the two the other way round.
		for i := range 2 {
			for _, part := range []string{".weight", ".bias"} {
				up, down := tensor(f, fmt.Sprintf("v.blk.%d.ffn_up%s", i, part)), tensor(f, fmt.Sprintf("v.blk.%d.ffn_down%s", i, part))
				up.Name, down.Name = down.Name, up.Name
			}
		}
	})
	tied := gguftest.Copy(t, text, func(f *gguf.File) {
		for i := range f.Tensors {
			if f.Tensors[i].Name == "output.weight" {
				f.Tensors = append(f.Tensors[:i], f.Tensors[i+1:]...)
				return
			}
		}
	})
	odd := gguftest.Copy(t, vision, func(f *gguf.File) {
		// 384 pixels are 27 patches of 14, and a rest.
		f.Keys["clip.vision.image_size"] = uint32(8*8 + 6)
	})
	for _, f := range []Files{{Text: text, Vision: odd}, {Text: first, Vision: vision}, {Text: text, Vision: swapped}, {Text: tied, Vision: vision}} {
		if _, err := Check(f, 0); err != nil {
			t.Error(err)
		}
	}
}

// No file, however damaged, makes the check panic; and what is cut off is
// always found.
func TestCheckDamaged(t *testing.T) {
	for _, shape := range append([]string{"tiny"}, gguftest.Others...) {
		t.Run(shape, func(t *testing.T) { checkDamaged(t, shape) })
	}
}

func checkDamaged(t *testing.T, shape string) {
	text, vision := gguftest.Model(t, shape)
	dir := t.TempDir()
	for _, path := range []string{text, vision} {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, uint64(len(whole))))
		damaged := filepath.Join(dir, "damaged.gguf")
		for n := range 300 {
			b := append([]byte{}, whole...)
			cut := n%3 == 0
			if cut {
				b = b[:r.IntN(len(b))]
			} else {
				b[r.IntN(min(len(b), 20_000))] ^= 1 << r.IntN(8)
			}
			if err := os.WriteFile(damaged, b, 0o644); err != nil {
				t.Fatal(err)
			}
			f := Files{Text: text, Vision: damaged}
			if path == text {
				f = Files{Text: damaged, Vision: vision}
			}
			if _, err := Check(f, 0); err == nil && cut {
				t.Errorf("%d bytes of %d of %s went through", len(b), len(whole), filepath.Base(path))
			}
		}
	}
}

func FuzzCheck(f *testing.F) { fuzzCheck(f, "tiny", "llama") }

// fuzzCheck alters the header of one file of a model.
func fuzzCheck(f *testing.F, shape, arch string) {
	text, vision := gguftest.Model(f, shape)
	// A small vocabulary and few layers: the fuzzer is quicker with short files.
	text = gguftest.Copy(f, text, func(file *gguf.File) {
		words := 64
		if file.Keys["tokenizer.ggml.model"] == "llama" {
			words = 280 // all bytes
			file.Keys["tokenizer.ggml.scores"] = file.Keys["tokenizer.ggml.scores"].([]float32)[:words]
		} else {
			file.Keys["tokenizer.ggml.merges"] = file.Keys["tokenizer.ggml.merges"].([]string)[:4]
		}
		file.Keys["tokenizer.ggml.tokens"] = file.Keys["tokenizer.ggml.tokens"].([]string)[:words]
		file.Keys["tokenizer.ggml.token_type"] = file.Keys["tokenizer.ggml.token_type"].([]int32)[:words]
		delete(file.Keys, arch+".vocab_size")
		delete(file.Keys, "tokenizer.chat_template")
		for _, name := range []string{"token_embd.weight", "output.weight"} {
			x := tensor(file, name)
			x.Shape[1], x.Bytes = uint64(words), x.Bytes*int64(words)/720
		}
		for i := file.Keys[arch+".block_count"].(uint32) - 1; i >= 1 && !file.Has(arch+".n_deepstack_layers"); i-- {
			fewer(file, arch+".block_count", fmt.Sprintf("blk.%d.", i))
		}
	})
	vision = gguftest.Copy(f, vision, func(file *gguf.File) {
		if file.Keys["clip.projector_type"] != "qwen3vl_merger" { // whose layers belong to those of the text model
			fewer(file, "clip.vision.block_count", "v.blk.1.")
		}
	})
	var sound [2]*gguf.File
	for i, path := range []string{text, vision} {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if sound[i], err = gguf.Open(path); err != nil {
			f.Fatal(err)
		}
		f.Add(i == 1, b[:sound[i].Data])
	}
	if _, err := checkPair(Files{}, sound[0], sound[1]); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, isVision bool, head []byte) {
		// The weights are zeros.
		file, err := gguf.Read(padded(head), int64(len(head))+1<<20)
		if err != nil {
			return
		}
		pair := sound
		if isVision {
			pair[1] = file
		} else {
			pair[0] = file
		}
		if s, err := checkPair(Files{}, pair[0], pair[1]); err == nil && (s.Layers == 0 || s.Embedding == 0 || s.Vocabulary == 0) {
			t.Fatalf("%+v", s)
		}
	})
}

// fewer takes a layer away, so that one is left.
func fewer(f *gguf.File, key, prefix string) {
	f.Keys[key] = uint32(1)
	f.Tensors = slices.DeleteFunc(f.Tensors, func(x gguf.Tensor) bool { return strings.HasPrefix(x.Name, prefix) })
}

// padded has zeros without end behind it.
type padded []byte

func (p padded) ReadAt(b []byte, at int64) (int, error) {
	clear(b)
	if at < int64(len(p)) {
		copy(b, p[at:])
	}
	return len(b), nil
}
