package main

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ollama/ollama/fs/ggml"

	"photodesc/internal/models/gguf/gguftest"
)

func TestFilesReadBack(t *testing.T) {
	for _, typeName := range []string{"q8_0", "f16"} {
		t.Run(typeName, func(t *testing.T) {
			dir := t.TempDir()
			if err := run([]string{"-o", dir, "-type", typeName, "tiny"}); err != nil {
				t.Fatal(err)
			}
			want := shapes["tiny"]

			text := decode(t, filepath.Join(dir, "tiny.gguf"))
			kv := text.KV()
			if kv.Architecture() != "llama" || kv.EmbeddingLength() != uint64(want.text.hidden) ||
				kv.BlockCount() != uint64(want.text.layers) || kv.ContextLength() != uint64(want.context) {
				t.Errorf("text model's shape is %v", kv)
			}
			tokens := kv.Strings("tokenizer.ggml.tokens")
			if len(tokens) != want.vocabulary || len(kv.Ints("tokenizer.ggml.token_type")) != want.vocabulary {
				t.Errorf("%d tokens, want %d", len(tokens), want.vocabulary)
			}
			if eos := tokens[kv.Uint("tokenizer.ggml.eos_token_id")]; eos != endOfUtterance {
				t.Errorf("text ends with %q", eos)
			}
			if kv.Bool("tokenizer.ggml.add_bos_token", true) {
				t.Error("a token would be put before the prompt")
			}
			if got := text.Tensors().Items()[0].Kind; typeName == "q8_0" && got != uint32(ggml.TensorTypeQ8_0) && got != uint32(ggml.TensorTypeF32) {
				t.Errorf("first tensor's type is %d", got)
			}

			vision := decode(t, filepath.Join(dir, "mmproj-tiny.gguf")).KV()
			if vision.String("projector_type") != "idefics3" || vision.Uint("vision.image_size") != uint32(want.vision.image) ||
				len(vision.Floats("vision.image_mean")) != 3 || !vision.Bool("has_vision_encoder") {
				t.Errorf("vision file's keys are %v", vision)
			}
		})
	}
}

// The vision file for another longest edge differs in that alone.
func TestLongestEdge(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"-o", dir, "tiny"}, {"-o", dir, "-longest-edge", "128", "tiny"}} {
		if err := run(args); err != nil {
			t.Fatal(err)
		}
	}
	own, err := os.ReadFile(filepath.Join(dir, "mmproj-tiny.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(dir, "mmproj-tiny-128.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	kv := decode(t, filepath.Join(dir, "mmproj-tiny-128.gguf")).KV()
	if got := kv.Uint("vision.preproc_image_size"); got != 128 {
		t.Errorf("the longest edge is %d", got)
	}
	differ := 0
	for i := range min(len(own), len(other)) {
		if own[i] != other[i] {
			differ++
		}
	}
	if len(own) != len(other) || differ != 2 { // 256 becomes 128
		t.Errorf("%d and %d bytes, of which %d differ", len(own), len(other), differ)
	}
	if err := run([]string{"-o", dir, "-longest-edge", "99999", "tiny"}); err == nil {
		t.Error("an edge of 99,999 pixels is taken")
	}
}

// decode reads a file's head and checks that its tensors fill the rest of it, one after another.
func decode(t *testing.T, path string) *ggml.GGML {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	model, err := ggml.Decode(f, -1)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	tensors := model.Tensors().Items()
	slices.SortFunc(tensors, func(a, b *ggml.Tensor) int { return int(a.Offset) - int(b.Offset) })
	end := uint64(0)
	for _, tensor := range tensors {
		if tensor.Offset < end {
			t.Errorf("%s: %q begins at %d, inside the tensor before it", path, tensor.Name, tensor.Offset)
		}
		end = tensor.Offset + tensor.Size()
	}
	if size := uint64(info.Size()); model.Tensors().Offset+end != size {
		t.Errorf("%s: tensors end at %d, the file at %d", path, model.Tensors().Offset+end, size)
	}
	return model
}

func TestSeedDecidesTheBytes(t *testing.T) {
	write := func(seed string) []byte {
		dir := t.TempDir()
		if err := run([]string{"-o", dir, "-seed", seed, "tiny"}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "tiny.gguf"))
		if err != nil {
			t.Fatal(err)
		}
		vision, err := os.ReadFile(filepath.Join(dir, "mmproj-tiny.gguf"))
		if err != nil {
			t.Fatal(err)
		}
		return append(text, vision...)
	}
	first := write("1")
	if !bytes.Equal(first, write("1")) {
		t.Error("the same seed gave other bytes")
	}
	if bytes.Equal(first, write("2")) {
		t.Error("another seed gave the same bytes")
	}
}

// The published models' parameter counts, which say that no tensor is missing or of the wrong size.
func TestParameterCounts(t *testing.T) {
	for name, millions := range map[string]float64{"smolvlm-256m": 256, "smolvlm-500m": 508, "smolvlm-2.2b": 2246} {
		s := shapes[name]
		n := uint64(0)
		for _, tensor := range append(textTensors(s, ggml.FileTypeQ8_0, 0), visionTensors(s, ggml.FileTypeQ8_0, 0)...) {
			n += tensor.Elements()
		}
		if got := float64(n) / 1e6; math.Abs(got-millions) > 0.005*millions {
			t.Errorf("%s has %.1f million parameters, want about %.0f", name, got, millions)
		}
	}
}

func TestWeightsHaveTheirDeviation(t *testing.T) {
	w := &weights{name: "w", kind: ggml.TensorTypeF32, row: 64, rows: 200, deviation: 0.25}
	var data bytes.Buffer
	if _, err := w.WriteTo(&data); err != nil {
		t.Fatal(err)
	}
	sum, squares := 0.0, 0.0
	for b := range slices.Chunk(data.Bytes(), 4) {
		x := float64(math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24))
		sum += x
		squares += x * x
	}
	n := float64(64 * 200)
	if mean := sum / n; math.Abs(mean) > 0.01 {
		t.Errorf("mean is %.3f", mean)
	}
	if deviation := math.Sqrt(squares / n); math.Abs(deviation-0.25) > 0.01 {
		t.Errorf("deviation is %.3f, want 0.25", deviation)
	}
}

// The tiny models of other families: every tensor once, every matrix of the pair's own sizes, an end to their texts.
func TestOthers(t *testing.T) {
	if listed := slices.Sorted(slices.Values(gguftest.Others)); !slices.Equal(listed, slices.Sorted(maps.Keys(others))) {
		t.Errorf("gguftest.Others lists %q", listed)
	}
	for name := range others {
		dir := t.TempDir()
		if err := run([]string{"-o", dir, name}); err != nil {
			t.Fatal(err)
		}
		text, vision := decode(t, filepath.Join(dir, name+".gguf")), decode(t, filepath.Join(dir, "mmproj-"+name+".gguf"))
		kv := text.KV()
		tokens, types := kv.Strings("tokenizer.ggml.tokens"), kv.Ints("tokenizer.ggml.token_type")
		if len(tokens) != otherWords || len(types) != otherWords || kv.EmbeddingLength() != otherHidden {
			t.Errorf("%s: %d tokens of %d types, embeddings of %d", name, len(tokens), len(types), kv.EmbeddingLength())
		}
		seen := map[string]bool{}
		for _, token := range tokens {
			if seen[token] {
				t.Errorf("%s: token %q is there twice", name, token)
			}
			seen[token] = true
		}
		names := map[string]bool{}
		for _, tensor := range append(text.Tensors().Items(), vision.Tensors().Items()...) {
			if names[tensor.Name] {
				t.Errorf("%s: tensor %q is there twice", name, tensor.Name)
			}
			names[tensor.Name] = true
		}
		if vision.KV().Uint("vision.projection_dim") != otherHidden {
			t.Errorf("%s: the vision file does not fit the text model", name)
		}
	}
}

func TestVocabulary(t *testing.T) {
	for name, s := range shapes {
		v := newVocabulary(s.vocabulary)
		if len(v.tokens) != s.vocabulary || len(v.ids) != s.vocabulary {
			t.Errorf("%s: %d tokens, %d of them different, want %d", name, len(v.tokens), len(v.ids), s.vocabulary)
		}
		for _, token := range []string{"<|im_start|>", endOfUtterance, "<fake_token_around_image>", "<global-img>", "<row_6_col_6>"} {
			if v.types[v.id(token)] != controlToken {
				t.Errorf("%s: %q is not a control token", name, token)
			}
		}
		for _, word := range []string{"User", "Assistant", "Describe", " this", " image", " in", " detail", "\n\n"} {
			v.id(byteString(word))
		}
		for _, m := range v.merges {
			left, right, _ := strings.Cut(m, " ")
			if !v.has(left) || !v.has(right) || !v.has(left+right) {
				t.Errorf("%s: merge %q is not of tokens", name, m)
			}
		}
	}
}

func TestWrongArguments(t *testing.T) {
	for _, args := range [][]string{{}, {"huge"}, {"-type", "q4_0", "tiny"}} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) went through", args)
		}
	}
}
