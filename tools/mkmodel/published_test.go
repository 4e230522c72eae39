package main

import (
	"path/filepath"
	"testing"

	"github.com/ollama/ollama/fs/ggml"

	"photodesc/internal/models"
)

// What lies on the hub is as long as the tensors here and a header: of a vocabulary with its merges in the text model, of names and
// few keys in the vision file. One tensor too few, or of another type, would be a difference of its size.
func TestPublishedSizes(t *testing.T) {
	size := func(tensors []*ggml.Tensor) (n int64) {
		for _, x := range tensors {
			n += (int64(x.Size()) + 31) / 32 * 32
		}
		return n
	}
	for _, e := range models.Catalogue {
		m, known := published[e.Name]
		if e.Repo == "" {
			continue
		}
		if !known {
			t.Errorf("%s: no stand-in", e.Name)
			continue
		}
		perToken := float64(e.Text.Size-size(m.textTensors())) / float64(m.vocabulary)
		if perToken < 34 || perToken > 44 { // a token, its type, and a merge
			t.Errorf("%s: the text model's header would have %.1f bytes a token", e.Name, perToken)
		}
		tensors := m.visionTensors()
		perTensor := float64(e.Vision.Size-size(tensors)) / float64(len(tensors))
		if perTensor < 55 || perTensor > 80 { // a name and a shape
			t.Errorf("%s: the vision file's header would have %.1f bytes a tensor", e.Name, perTensor)
		}
	}
}

// All published shapes and types pass the check before use, with a short vocabulary for the test's sake.
func TestPublishedCheck(t *testing.T) {
	dir := t.TempDir()
	for name, m := range published {
		m.vocabulary = 1024
		published["short"] = m
		err := writePublished(dir, []string{"short"})
		delete(published, "short")
		if err != nil {
			t.Fatal(err)
		}
		s, err := models.Check(models.Files{Name: name, Text: filepath.Join(dir, "short.gguf"), Vision: filepath.Join(dir, "mmproj-short.gguf")}, 0)
		if err != nil || s.Vocabulary != 1024 || int(s.Embedding) != m.text.hidden || int(s.Input) != m.text.hidden*(1+len(m.deepstack)) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}
