package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"photodesc/tracker"
)

// goldenFile has the fields of the golden texts that are used here; internal/models/builtin/testdata/golden has all.
type goldenFile struct {
	MaxTokens int `json:"max_tokens"`
	Entries   []goldenEntry
}

type goldenEntry struct {
	Name, Detail, Picture string
	Text                  string
	// Lead is the smallest lead of a chosen token over the next best in the reference. Below certain, rounding may reverse
	// the choice.
	Lead float64
}

const certain = 0.05

// words compares the built-in model's descriptions on the GPU with those on the CPU and with the golden texts.
func (c *checker) words(ctx context.Context) error {
	var golden goldenFile
	text, err := os.ReadFile(filepath.Join(c.dir, "golden", "golden.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		return err
	}
	pictures := filepath.Join(c.dir, "golden", "pictures")
	var wrong []string
	entries, sameAsCPU, sameAsGolden, unsure := 0, 0, 0, 0
	for _, detail := range []string{"low", "auto", "high"} {
		args := []string{"--model", "builtin", "--detail", detail, "--max-tokens", fmt.Sprint(golden.MaxTokens)}
		onGPU, err := c.describe(ctx, pictures, nil, args...)
		if err != nil {
			return fmt.Errorf("on the GPU, detail %s: %w", detail, err)
		}
		onCPU, err := c.describe(ctx, pictures, withoutGPU, args...)
		if err != nil {
			return fmt.Errorf("on the CPU, detail %s: %w", detail, err)
		}
		c.say("detail %s: %d pictures; protection: %s", detail, len(onGPU.words), onGPU.protection)
		if !onGPU.gpu || onCPU.gpu {
			return fmt.Errorf("detail %s: the first run used a GPU: %t, the second: %t; they are to differ", detail, onGPU.gpu, onCPU.gpu)
		}
		for _, e := range golden.Entries {
			if e.Detail != detail {
				continue
			}
			entries++
			path := filepath.Base(e.Picture)
			got, want := onGPU.words[path], onCPU.words[path]
			if got == want {
				sameAsCPU++
			}
			switch {
			case got == e.Text:
				sameAsGolden++
			case e.Lead <= certain:
				unsure++
			default:
				wrong = append(wrong, fmt.Sprintf("%s, detail %s, lead %.2f:\n     GPU %q\n     CPU %q\n  golden %q", path, detail, e.Lead, got, want, e.Text))
			}
		}
	}
	c.say("%d golden texts: %d the same on the GPU, %d differ where the reference itself was unsure, %d differ; %d the same on GPU and CPU",
		entries, sameAsGolden, unsure, len(wrong), sameAsCPU)
	if len(wrong) > 0 {
		return fmt.Errorf("words on the GPU differ:\n%s", strings.Join(wrong, "\n"))
	}
	if entries == 0 {
		return errors.New("no golden texts")
	}
	return nil
}

// rounding compares the first words of models with random weights on the GPU and on the CPU. Rounding changes the output of
// such a model after few words, so the number of equal words is compared with that of the CPU with and without kernels.
func (c *checker) rounding(ctx context.Context) error {
	photos, err := c.photos(4)
	if err != nil {
		return err
	}
	c.say("first words the same as the CPU's:\n%-14s %28s %28s", "", "GPU", "CPU without own kernels")
	for _, shape := range c.shapes() {
		args := append([]string{"--detail", "low", "--max-tokens", "32"}, c.modelFlags(shape)...)
		var answers []*result
		for _, env := range [][]string{withoutGPU, nil, {"PHOTODESC_BACKENDS=0", "PHOTODESC_KERNELS=0"}} {
			r, err := c.describe(ctx, photos, env, args...)
			if err == nil && r.gpu != (env == nil) {
				err = fmt.Errorf("a run used a GPU: %t, and was to: %t", r.gpu, env == nil)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", shape, err)
			}
			answers = append(answers, r)
		}
		c.say("%-14s %28s %28s", shape, equalWords(answers[0], answers[1]), equalWords(answers[0], answers[2]))
	}
	return nil
}

// equalWords returns, for each photo, the number of words that both answers begin with and the number of a's words.
func equalWords(a, b *result) string {
	var counts []string
	for _, path := range slices.Sorted(func(yield func(string) bool) {
		for path := range a.words {
			if !yield(path) {
				return
			}
		}
	}) {
		one, other := strings.Fields(a.words[path]), strings.Fields(b.words[path])
		n := 0
		for n < min(len(one), len(other)) && one[n] == other[n] {
			n++
		}
		counts = append(counts, fmt.Sprintf("%d/%d", n, len(one)))
	}
	return strings.Join(counts, " ")
}

var withoutGPU = []string{"PHOTODESC_BACKENDS=0"}

// readWords returns the descriptions in a workdir, by path.
func readWords(work string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(work, tracker.OutputsName, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	words := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			var r tracker.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			words[r.Path] = r.Description
		}
	}
	return words, nil
}
