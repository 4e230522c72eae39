package llm

import (
	"strings"
	"sync"
	"testing"
)

func TestSampling(t *testing.T) {
	text := func(s Sampling) string {
		e := open(t, func(o *Options) { o.Sampling = s })
		a, err := e.Describe(t.Context(), scene(3, 64, 64))
		if err != nil {
			t.Fatal(err)
		}
		return a.Text
	}
	greedy := text(Sampling{})
	if again := text(Sampling{}); again != greedy {
		t.Errorf("greedy differs: %q, %q", greedy, again)
	}
	warm := Sampling{Temperature: 1.5, TopP: 0.95, Seed: 7}
	first := text(warm)
	if again := text(warm); again != first {
		t.Errorf("the same seed differs: %q, %q", first, again)
	}
	warm.Seed = 8
	if other := text(warm); other == first || other == greedy {
		t.Errorf("another seed gave the same text %q", other)
	}
	// A tiny top-p leaves one token: greedy again.
	if got := text(Sampling{Temperature: 1.5, TopP: 1e-6, Seed: 9}); got != greedy {
		t.Errorf("top-p 0.000001: %q, want the greedy %q", got, greedy)
	}
	// A huge penalty forbids a word to come back.
	words := strings.Fields(text(Sampling{RepeatPenalty: 1000}))
	if len(words) < 3 {
		t.Errorf("repeat penalty left %q", words)
	}
}

// The same photo with the same seed gives the same text in any company.
func TestSeedPerPhoto(t *testing.T) {
	e := open(t, func(o *Options) { o.Parallel = 4; o.Sampling = Sampling{Temperature: 1, Seed: 3} })
	var wg sync.WaitGroup
	texts := make([]string, 4)
	for i := range texts {
		wg.Go(func() {
			a, err := e.Describe(t.Context(), scene(5, 60, 60))
			if err != nil {
				t.Error(err)
			}
			texts[i] = a.Text
		})
	}
	wg.Wait()
	for _, s := range texts[1:] {
		if s != texts[0] {
			t.Errorf("texts differ: %q", texts)
		}
	}
}
