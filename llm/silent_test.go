package llm

import (
	"bytes"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"photodesc/internal/models/gguf/gguftest"
	llamacpp "photodesc/third_party/llama.cpp"
)

// Token types as GGUF numbers them.
const (
	normalType, unknownType, controlType, userType, unusedType, byteType = 1, 2, 3, 4, 5, 6
)

// retype copies a small model and gives tokens other types, and other names of
// the same length.
func retype(t *testing.T, name string, types map[int32]int32, names map[string]string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(tiny, name+".gguf"))
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("tokenizer.ggml.token_type")
	at := bytes.Index(b, key)
	if at < 0 {
		t.Fatal("the model has no token types")
	}
	at += len(key) + 4 + 4 + 8 // the array's type, its elements' type, their number
	for token, kind := range types {
		binary.LittleEndian.PutUint32(b[at+4*int(token):], uint32(kind))
	}
	for from, to := range names {
		length := binary.LittleEndian.AppendUint64(nil, uint64(len(from)))
		old := append(slices.Clone(length), from...)
		if len(from) != len(to) || bytes.Count(b, old) != 1 {
			t.Fatalf("%q cannot become %q: it is there %d times", from, to, bytes.Count(b, old))
		}
		b = bytes.Replace(b, old, append(length, to...), 1)
	}
	path := filepath.Join(t.TempDir(), name+".gguf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSilentTokens(t *testing.T) {
	plain, err := loadText(filepath.Join(tiny, "tiny.gguf"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.close()
	id := func(name string) int32 {
		ids := plain.tokenize(name, true)
		if len(ids) != 1 {
			t.Fatalf("%q is %d tokens", name, len(ids))
		}
		return ids[0]
	}
	for _, c := range []struct {
		token  string
		rename string
		kind   int32
		silent bool
	}{
		{" dog", "", normalType, false},
		{" dog", "", userType, false},
		{" dog", "", controlType, true},
		{" dog", "", unknownType, true},
		{" dog", "", unusedType, true},
		{" dog", "", byteType, !llamacpp.System}, // a byte-pair vocabulary has no text for it; in newer llama.cpp it has
		{"<row_1_col_2>", "", controlType, true},
		{"<row_1_col_2>", "", userType, true}, // so in some conversions
		{"<row_1_col_2>", "<row_1_col_2|", userType, false},
		{"<row_1_col_2>", "<|row_1_col|>", userType, true},
		{"<row_1_col_2>", "<unused10000>", userType, true},
		{"<row_1_col_2>", "<unused_word>", userType, false},
		{"<row_1_col_2>", "<my_own_word>", userType, false},
		{"<image>", "", userType, true},
		{"<global-img>", "", userType, true},
		{"<global-img>", "<IMG_CONTEXT>"[:12], userType, false},
		{"<fake_token_around_image>", "", userType, true},
		{"<|im_start|>", "", controlType, true},
		{"<end_of_utterance>", "", controlType, false}, // ends an answer
		{"<end_of_utterance>", "", userType, false},
		{"<|im_end|>", "", controlType, false},
		{"<|endoftext|>", "", controlType, false},
	} {
		names := map[string]string{}
		if c.rename != "" {
			names[c.token] = c.rename
		}
		token := id(c.token)
		m, err := loadText(retype(t, "tiny", map[int32]int32{token: c.kind}, names), false)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(m.silent, token); got != c.silent {
			t.Errorf("%q as %q, type %d: silent %v, want %v", c.token, c.rename, c.kind, got, c.silent)
		}
		m.close()
	}
	for _, name := range gguftest.Others {
		m, err := loadText(filepath.Join(tiny, name+".gguf"), false)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(m.silent); n < 3 || n > 20 {
			t.Errorf("%s: %d silent tokens", name, n)
		}
		for _, token := range m.silent {
			if m.ends(token) || len(m.piece(token)) > 0 {
				t.Errorf("%s: token %d (%q) is among the silent ones", name, token, m.spell(token, true))
			}
		}
		m.close()
	}
}

// The tokens that the model likes most become control tokens: it must not say
// them any more, however tokens are chosen.
func TestSilentTokensAreNotSampled(t *testing.T) {
	for name, opt := range map[string]Options{
		"greedy":  {},
		"warm":    {Sampling: Sampling{Temperature: 1.2, TopP: 0.95, Seed: 5}},
		"penalty": {Sampling: Sampling{RepeatPenalty: 1.2}},
		"grammar": {Prompts: []Prompt{{Text: DefaultPrompt, Grammar: `root ::= (" " [a-z]+ | "<" [a-z0-9_]+ ">")+` + "\n"}}},
		"both":    {Sampling: Sampling{Temperature: 1.2}, Prompts: []Prompt{{Text: DefaultPrompt, Grammar: `root ::= (" " [a-z]+)+` + "\n"}}},
	} {
		t.Run(name, func(t *testing.T) {
			sampled := func(model string) (liked map[int32]int32, text string) {
				liked = map[int32]int32{}
				e := open(t, func(o *Options) {
					o.Model, o.Sampling = model, opt.Sampling
					if opt.Prompts != nil {
						o.Prompts = opt.Prompts
					}
				})
				for i := range 6 {
					a, err := e.Describe(t.Context(), scene(i, 60, 60))
					if err != nil {
						t.Fatal(err)
					}
					text += a.Text + "\n"
					for _, token := range a.sampled[0].all {
						if !e.model.ends(token) {
							liked[token] = controlType
						}
					}
				}
				return liked, text
			}
			liked, before := sampled(filepath.Join(tiny, "tiny.gguf"))
			if len(liked) < 10 {
				t.Fatalf("only %d tokens: the test shows nothing", len(liked))
			}
			other, text := sampled(retype(t, "tiny", liked, nil))
			for token := range maps.Keys(other) {
				if _, silent := liked[token]; silent {
					t.Errorf("control token %d was sampled", token)
				}
			}
			if len(strings.Fields(text)) < 12 {
				t.Errorf("%q is left of\n%q", text, before)
			}
		})
	}
}
