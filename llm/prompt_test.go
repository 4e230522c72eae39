//go:build !llama_system

package llm

import (
	"strings"
	"testing"
)

// show writes a layout as the reference's string, a tile as [n].
func show(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.tile >= 0 {
			b.WriteString("[" + string(rune('0'+s.tile)) + "]")
		} else {
			b.WriteString(s.text)
		}
	}
	return b.String()
}

func TestLayout(t *testing.T) {
	for _, c := range []struct {
		g    Grid
		want string
	}{
		{Grid{}, "<|im_start|>User:<fake_token_around_image><global-img>[0]<fake_token_around_image>What?<end_of_utterance>\nAssistant:"},
		{Grid{Rows: 2, Cols: 2}, "<|im_start|>User:" +
			"<fake_token_around_image><row_1_col_1>[0]<fake_token_around_image><row_1_col_2>[1]\n" +
			"<fake_token_around_image><row_2_col_1>[2]<fake_token_around_image><row_2_col_2>[3]\n" +
			"\n<fake_token_around_image><global-img>[4]<fake_token_around_image>What?<end_of_utterance>\nAssistant:"},
		{Grid{Rows: 1, Cols: 2}, "<|im_start|>User:" +
			"<fake_token_around_image><row_1_col_1>[0]<fake_token_around_image><row_1_col_2>[1]\n" +
			"\n<fake_token_around_image><global-img>[2]<fake_token_around_image>What?<end_of_utterance>\nAssistant:"},
	} {
		got := append(promptPrefix(c.g), promptSuffix("What?")...)
		if show(got) != c.want {
			t.Errorf("%d×%d tiles:\n got %q\nwant %q", c.g.Rows, c.g.Cols, show(got), c.want)
		}
	}
}

// The blank line before the overview is one token, as the reference has it:
// "\n\n" is tokenized as one text, not as the end of a row and a beginning.
func TestBlankLineIsOneToken(t *testing.T) {
	e := open(t, nil)
	blank := e.model.tokenize("\n\n", true)
	if len(blank) != 1 {
		t.Fatalf("the test model has no token for a blank line: %v", blank)
	}
	ids := promptTokens(t, tiled(e).prompt, e.promptSuffixes[0], Grid{FullW: 128, FullH: 64, Rows: 1, Cols: 2})
	n := 0
	for _, id := range ids {
		if id == blank[0] {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d blank-line tokens in %v", n, ids)
	}
}

// promptTokens is the prompt of a grid: token ids, with -1 for every
// place that an image embedding takes.
func promptTokens(t *testing.T, pm *promptMaker, promptSuffix part, g Grid) (out []int32) {
	t.Helper()
	parts, shared, err := pm.promptPrefix(g, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if p.tile < 0 {
			out = append(out, p.tokens...)
			continue
		}
		for range pm.tileTokens {
			out = append(out, -1)
		}
	}
	if len(out) != shared {
		t.Errorf("%d tokens before the question, said to be %d", len(out), shared)
	}
	return append(out, promptSuffix.tokens...)
}
