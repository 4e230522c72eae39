package families

import (
	"slices"
	"testing"
)

// What package llm and the checks rely on, for each family.
func TestTable(t *testing.T) {
	if len(byProjector) < 5 {
		t.Errorf("only %d families: %s", len(byProjector), Names())
	}
	names := map[string]bool{}
	for projector, f := range byProjector {
		if f.Name == "" || f.Projector != projector || projector == "" || names[f.Name] {
			t.Errorf("family %q, projector %q in the table as %q", f.Name, f.Projector, projector)
		}
		names[f.Name] = true
		if len(f.Text) == 0 || f.vision == nil {
			t.Errorf("%s: no text model or no check of the vision file", f.Name)
		}
		for _, a := range f.Text {
			if a.tokenizer != "gpt2" && a.tokenizer != "llama" {
				t.Errorf("%s: text model %q has the tokenizer %q", f.Name, a.Name, a.tokenizer)
			}
			for _, other := range byProjector {
				for _, b := range other.Text {
					if a.Name == b.Name && a != b {
						t.Errorf("%s and %s differ in what they say of %q", f.Name, other.Name, a.Name)
					}
				}
			}
		}
		if f.Tiled != (f.Chat == Chat{}) {
			t.Errorf("%s: tiled %v, chat %+v", f.Name, f.Tiled, f.Chat)
		}
		if f.LowEdge < 0 || f.HighEdge < f.LowEdge || (f.LowEdge == 0) != (f.HighEdge == 0) || f.Tiled && f.HighEdge > 0 {
			t.Errorf("%s: edges of %d and %d pixels", f.Name, f.LowEdge, f.HighEdge)
		}
		// An answer that had a picture's token would show it.
		for _, token := range []string{f.Chat.First, f.Chat.Last} {
			if token != "" && !slices.Contains(f.Tokens, token) {
				t.Errorf("%s: %s is not among the tokens that a vocabulary must have", f.Name, token)
			}
			if token != "" && !IsMark(token) {
				t.Errorf("%s: %s is no mark", f.Name, token)
			}
		}
	}
}

func TestIsMark(t *testing.T) {
	for token, want := range map[string]bool{
		"<image>": true, "</image>": true, "<global-img>": true, "<fake_token_around_image>": true,
		"<row_1_col_2>": true, "<row_12_col_12>": true, "<row_1_col_2": false, "<row_1_col_>": false,
		"<img>": true, "</img>": true, "<IMG_CONTEXT>": true, "<IMG_CONTEXT": false,
		"<start_of_image>": true, "<end_of_image>": true, "<image_soft_token>": true, "[multimodal]": true,
		"<unused7>": true, "<unused>": false, "<unused_word>": false,
		"<|im_start|>": true, "<|a\nb|>": true, "<||>": false, "<|x": false,
		"": false, " <image>": false, "<image>s": false, "image": false, "<i>": false, "m": false,
	} {
		if IsMark(token) != want {
			t.Errorf("%q: %v", token, !want)
		}
	}
}

func TestNames(t *testing.T) {
	if got, want := Names(), "Gemma 3, InternVL, Qwen2-VL, Qwen2.5-VL, Qwen3-VL and SmolVLM"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if f, known := ByProjector(SmolVLM); !known || f.Name != "SmolVLM" || !f.Tiled {
		t.Errorf("%+v", f)
	}
	if _, known := ByProjector("resampler"); known {
		t.Error("a projector without a family is known")
	}
}

func TestRegisterTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two families with one projector went through")
		}
	}()
	register(Family{Name: "another", Projector: SmolVLM})
}
