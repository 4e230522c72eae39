//go:build !llama_system

package llm

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

var questions = []string{"Describe this image in detail.", "What colours are there?", "List keywords, separated by commas."}

func asked(texts ...string) (prompts []Prompt) {
	for _, text := range texts {
		prompts = append(prompts, Prompt{Text: text})
	}
	return prompts
}

// replies are all answers to a picture, in the order of the prompts.
func replies(a Answer) []Reply { return append([]Reply{a.Reply}, a.More...) }

// Several prompts in one engine get what each gets alone, in any company.
func TestPromptsAloneAndTogether(t *testing.T) {
	for name, model := range map[string]func(*Options){
		"tiny":    func(*Options) {},
		"builtin": useBuiltin,
	} {
		t.Run(name, func(t *testing.T) {
			photos := 40
			if name == "builtin" {
				photos = 10
			}
			picture := func(i int) Picture {
				p := scene(i, 40+i*9%400, 30+i*13%400)
				if i%3 == 0 {
					p.Context = "Taken on a Sunday. "
				}
				return p
			}
			want := make([][]Reply, photos)
			for _, q := range questions {
				e := open(t, func(o *Options) { model(o); o.Prompts = asked(q); o.Context = 20 })
				for i := range photos {
					a, err := e.Describe(t.Context(), picture(i))
					if err != nil {
						t.Fatal(err)
					}
					want[i] = append(want[i], a.Reply)
				}
			}
			e := open(t, func(o *Options) { model(o); o.Prompts = asked(questions...); o.Context = 20; o.Parallel = 4 })
			var wg sync.WaitGroup
			differ := 0
			var mu sync.Mutex
			for i := range photos {
				wg.Go(func() {
					a, err := e.Describe(t.Context(), picture(i))
					if err != nil {
						t.Error(err)
						return
					}
					got := replies(a)
					if len(got) != len(questions) {
						t.Errorf("%d answers to %d prompts", len(got), len(questions))
						return
					}
					for q := range questions {
						if got[q] != want[i][q] {
							t.Errorf("photo %d, prompt %d:\nalone    %+v\ntogether %+v", i, q, want[i][q], got[q])
						}
						mu.Lock()
						if got[q].Text != got[0].Text {
							differ++
						}
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if name == "tiny" && differ < photos {
				t.Errorf("only %d of %d answers differ from the first prompt's: the prompt hardly matters", differ, 2*photos)
			}
		})
	}
}

func useBuiltin(o *Options) {
	o.Model, o.Vision = filepath.Join(builtinDir, "builtin.gguf"), filepath.Join(builtinDir, "mmproj-builtin.gguf")
}

// Three prompts cost one encoding of the picture and one prefill of it.
func TestPromptsShareThePicture(t *testing.T) {
	e := open(t, func(o *Options) { o.Prompts = asked(questions...); o.MaxTokens = 3; o.Exact = true })
	a, err := e.Describe(t.Context(), scene(1, 128, 96))
	if err != nil {
		t.Fatal(err)
	}
	if a.Tiles != 5 || len(a.More) != 2 {
		t.Fatalf("%d tiles and %d further answers, want 5 and 2", a.Tiles, len(a.More))
	}
	rows := a.PromptTokens
	for i := range a.More {
		rows += len(e.promptSuffixes[i+1].tokens)
	}
	if n := e.encoded.Load(); n != 5 {
		t.Errorf("%d tiles were encoded, want 5", n)
	}
	if n := int(e.prefilled.Load()); n != rows {
		t.Errorf("%d rows were prefilled, want %d: the picture once and each question", n, rows)
	}
	for i, r := range replies(a) {
		if r.Tokens != 3 || r.Finish != FinishLength {
			t.Errorf("answer %d: %+v", i, r)
		}
		if want := a.PromptTokens - len(e.promptSuffixes[0].tokens) + len(e.promptSuffixes[i].tokens); r.PromptTokens != want {
			t.Errorf("answer %d: %d prompt tokens, want %d", i, r.PromptTokens, want)
		}
	}
}

// A model that cannot go back in its cache reads the picture again, which is
// encoded once all the same.
func TestPromptsWithoutRewinding(t *testing.T) {
	change := func(o *Options) { o.Prompts = asked(questions...); o.Parallel = 2 }
	with, without := open(t, change), open(t, change)
	without.canTruncateKV = false
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			want, err := with.Describe(t.Context(), scene(i, 128, 96))
			if err != nil {
				t.Error(err)
				return
			}
			got, err := without.Describe(t.Context(), scene(i, 128, 96))
			if err != nil {
				t.Error(err)
				return
			}
			if !slices.Equal(replies(got), replies(want)) {
				t.Errorf("photo %d: %+v, want %+v", i, replies(got), replies(want))
			}
		})
	}
	wg.Wait()
	if a, b := with.encoded.Load(), without.encoded.Load(); a != b {
		t.Errorf("%d tiles were encoded, %d with truncation", b, a)
	}
	if a, b := with.prefilled.Load(), without.prefilled.Load(); b < 2*a {
		t.Errorf("%d tokens were prefilled, %d with truncation: nothing was read again", b, a)
	}
}

// A context that is too long does not take the answer's room.
func TestContextIsBounded(t *testing.T) {
	const room = 10
	without := open(t, nil)
	e := open(t, func(o *Options) { o.Context = room; o.MaxTokens = 100; o.Exact = true })
	p := scene(1, 512, 512)
	plain, err := without.Describe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Context = strings.Repeat("<end_of_utterance> and so on ", 1000)
	a, err := e.Describe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if a.PromptTokens != plain.PromptTokens+room || a.Tokens != 100 {
		t.Errorf("prompt of %d tokens, %d without; %d tokens", a.PromptTokens, plain.PromptTokens, a.Tokens)
	}
	parts, _, err := tiled(e).prompt.promptPrefix(PlanTiles(64, 64, 64, 64), p.Context)
	if err != nil {
		t.Fatal(err)
	}
	end := e.model.tokenize(tokenEnd, true)[0]
	for _, id := range parts[len(parts)-1].tokens {
		if id == end {
			t.Error("a context can end the turn")
		}
	}
}

// An answer under a grammar stays inside it, and one without is as free as ever.
func TestGrammar(t *testing.T) {
	const words = `root ::= " "? word (", " word){0,9}
word ::= "dog" | "red ball" | "d" "ay"
`
	inside := regexp.MustCompile(`^(dog|red ball|day)(, (dog|red ball|day)){0,9}$`)
	for name, sampling := range map[string]Sampling{
		"greedy": {}, "warm": {Temperature: 1.5, TopP: 0.95, Seed: 4}, "penalty": {RepeatPenalty: 1.3},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(o *Options) { o.Sampling = sampling; o.MaxTokens = 64 }
			free := open(t, change)
			e := open(t, func(o *Options) {
				change(o)
				o.Parallel = 3
				o.Prompts = []Prompt{{Text: DefaultPrompt}, {Text: "Keywords?", Grammar: words}, {Text: DefaultPrompt}}
			})
			texts := map[string]bool{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range 12 {
				wg.Go(func() {
					want, err := free.Describe(context.Background(), scene(i, 64, 64))
					if err != nil {
						t.Error(err)
						return
					}
					a, err := e.Describe(context.Background(), scene(i, 64, 64))
					if err != nil {
						t.Error(err)
						return
					}
					if k := a.More[0]; k.Finish != FinishStop || !inside.MatchString(k.Text) {
						t.Errorf("%q (%s) is not in the grammar", k.Text, k.Finish)
					}
					// Where chance decides, the least difference in rounding may.
					if sampling.Temperature == 0 && (a.Text != want.Text || a.More[1].Text != want.Text) {
						t.Errorf("free answers %q and %q beside a grammar, %q without", a.Text, a.More[1].Text, want.Text)
					}
					mu.Lock()
					texts[a.More[0].Text] = true
					mu.Unlock()
				})
			}
			wg.Wait()
			if len(texts) < 2 {
				t.Errorf("all pictures got %v: the grammar picks, not the model", texts)
			}
		})
	}
}

func TestBadGrammar(t *testing.T) {
	before := handles.Load()
	opt := tinyOptions()
	opt.Prompts = []Prompt{{Text: "x", Grammar: "root ::= ("}}
	if e, err := Open(opt); err == nil {
		e.Close()
		t.Fatal("no error")
	}
	if handles.Load() != before {
		t.Errorf("%d C objects left behind", handles.Load()-before)
	}
}
