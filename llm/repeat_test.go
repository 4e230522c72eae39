package llm

import (
	"slices"
	"strings"
	"testing"
)

// words makes tokens of words, so that the table can be read.
func words(s string) (out []int32) {
	ids := map[string]int32{}
	for _, w := range strings.Fields(s) {
		if _, ok := ids[w]; !ok {
			ids[w] = int32(len(ids))
		}
		out = append(out, ids[w])
	}
	return out
}

func TestRepeats(t *testing.T) {
	long := "the old man sits on a green bench in the park and reads his paper while two dogs play with a red ball ."
	for _, c := range []struct {
		name, text string
		keep       int
		yes        bool
	}{
		{"plain", "a dog runs along a beach and another dog follows", 0, false},
		{"very very", "a very very very very big dog", 0, false},
		{"one word", "a dog" + strings.Repeat(" ha", 12), 3, true},
		{"one word, not yet", "a dog" + strings.Repeat(" ha", 11), 0, false},
		{"phrase", "i see" + strings.Repeat(" and a cat", 5), 5, true},
		{"list of likes", "a red ball , a blue ball , a green ball , a pink ball , a grey ball", 0, false},
		{"sentence twice", long + " " + long, 24, true},
		{"sentence once and a half", long + " the old man sits", 0, false},
		{"loop begun late", "once upon a time " + long + " " + long, 28, true},
		{"empty", "", 0, false},
	} {
		keep, yes := repeats(words(c.text))
		if keep != c.keep || yes != c.yes {
			t.Errorf("%s: keep %d, %v; want %d, %v", c.name, keep, yes, c.keep, c.yes)
		}
	}
}

// Whatever is kept is a beginning, and what is cut off is the loop alone.
func FuzzRepeats(f *testing.F) {
	f.Add([]byte("abcabcabcabcabcabcabcabc"))
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaa"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tokens := make([]int32, len(b))
		for i := range b {
			tokens[i] = int32(b[i])
		}
		keep, yes := repeats(tokens)
		if !yes {
			return
		}
		if keep < 1 || keep >= len(tokens) {
			t.Fatalf("keep %d of %d", keep, len(tokens))
		}
		// Continuing the kept part with some period gives the whole.
		for period := 1; period <= keep; period++ {
			if slices.Equal(tokens[keep:], tokens[keep-period:len(tokens)-period]) {
				return
			}
		}
		t.Fatalf("%q: what follows %d tokens is no loop", b, keep)
	})
}
