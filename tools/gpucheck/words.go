package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// words compares the built-in model's descriptions on the GPU with those on the CPU and with the golden texts: as it is, in F16,
// and with its matrices in Q8_0, the type that most models are published in.
func (c *checker) words(ctx context.Context) error {
	var golden goldenFile
	text, err := os.ReadFile(filepath.Join(c.dir, "golden", "golden.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		return err
	}
	q8 := filepath.Join(c.dir, "golden", "q8_0")
	return errors.Join(
		c.compare(ctx, &golden, "F16", "--model", "builtin"),
		c.compare(ctx, &golden, "Q8_0", "--model", filepath.Join(q8, "builtin.gguf"), "--mmproj", filepath.Join(q8, "mmproj-builtin.gguf")),
	)
}

// compare describes the golden pictures with one model on the GPU and on the CPU.
func (c *checker) compare(ctx context.Context, golden *goldenFile, kind string, model ...string) error {
	pictures := filepath.Join(c.dir, "golden", "pictures")
	var wrong []string
	entries, sameAsCPU, sameAsGolden, unsure := 0, 0, 0, 0
	for _, detail := range []string{"low", "auto", "high"} {
		args := append([]string{"--detail", detail, "--max-tokens", fmt.Sprint(golden.MaxTokens)}, model...)
		onGPU, err := c.describe(ctx, pictures, nil, args...)
		if err != nil {
			return fmt.Errorf("%s on the GPU, detail %s: %w", kind, detail, err)
		}
		onCPU, err := c.describe(ctx, pictures, withoutGPU, args...)
		if err != nil {
			return fmt.Errorf("%s on the CPU, detail %s: %w", kind, detail, err)
		}
		c.say("%s, detail %s: %d pictures; protection: %s", kind, detail, len(onGPU.words), onGPU.protection)
		if !onGPU.gpu || onCPU.gpu {
			return fmt.Errorf("%s, detail %s: the first run used a GPU: %t, the second: %t; they are to differ", kind, detail, onGPU.gpu, onCPU.gpu)
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
	c.say("%s, %d golden texts: %d the same on the GPU, %d differ where the reference itself was unsure, %d differ; %d the same on GPU and CPU",
		kind, entries, sameAsGolden, unsure, len(wrong), sameAsCPU)
	if len(wrong) > 0 {
		return fmt.Errorf("words of %s on the GPU differ:\n%s", kind, strings.Join(wrong, "\n"))
	}
	if entries == 0 {
		return errors.New("no golden texts")
	}
	return nil
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
