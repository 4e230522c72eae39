package models

import (
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"

	"photodesc/internal/families"
	"photodesc/internal/models/gguf"
)

// Shape is what a model's files say of it.
type Shape struct {
	families.TextShape
	Weights uint64 // bytes of both files
}

// Memory is about the least that describing one photo at a time takes, in bytes. What it takes is measured once the
// model is loaded.
func (s Shape) Memory() uint64 { return s.Weights + s.Weights/10 }

// Check reads the headers of a model's files and checks that llama.cpp can load
// them: it ends the process on what it does not expect. limit is the memory that
// the run may use, in bytes; 0: any. The error names the file and what to do.
func Check(f Files, limit uint64) (Shape, error) { return check(f, limit, false) }

// check is Check. unknown allows models of no family of the table, of whose memory the
// weights alone are known.
func check(f Files, limit uint64, unknown bool) (Shape, error) {
	text, err := open(f.Text, "model file")
	if err != nil {
		return Shape{}, err
	}
	vision, err := open(f.Vision, "vision file")
	if err != nil {
		return Shape{}, err
	}
	s, err := checkPair(f, text, vision)
	var other *families.UnknownError
	if err != nil && !(unknown && errors.As(err, &other)) {
		return s, err
	}
	if need := s.Memory(); limit > 0 && need > limit {
		return s, notEnoughMemory(f.Name, need, limit)
	}
	return s, nil
}

func checkPair(f Files, text, vision *gguf.File) (Shape, error) {
	if err := rightWayRound(f, text, vision); err != nil {
		return Shape{}, err
	}
	s := Shape{Weights: uint64(text.Size) + uint64(vision.Size)}
	family, err := families.Of(vision)
	if err != nil {
		return s, unusable("vision file", f.Vision, err)
	}
	if s.TextShape, err = family.CheckText(text); err != nil {
		return s, unusable("model file", f.Text, err)
	}
	embedding, err := family.CheckVision(vision)
	if err != nil {
		return s, unusable("vision file", f.Vision, err)
	}
	if embedding != uint64(s.Input) {
		return s, fmt.Errorf("the model file %q and the vision file %q do not belong together: one takes embeddings of %d values, the other gives %d\n  take both from the same repository",
			f.Text, f.Vision, s.Input, embedding)
	}
	return s, nil
}

func notEnoughMemory(name string, need, limit uint64) error {
	err := fmt.Errorf("model %s needs about %s of memory and the run may use %s", name, humanize.IBytes(need), humanize.IBytes(limit))
	if smaller := largestWithin(limit); smaller != "" {
		return fmt.Errorf("%w\n  use a smaller one: --model %s, or allow more with --memory", err, smaller)
	}
	return fmt.Errorf("%w\n  allow more with --memory", err)
}

func unusable(what, path string, reason error) error {
	return fmt.Errorf("the %s %q cannot be used: %w", what, path, reason)
}

func open(path, what string) (*gguf.File, error) {
	f, err := gguf.Open(path)
	var bad *gguf.Error
	switch {
	case errors.Is(err, gguf.ErrNotGGUF):
		return nil, fmt.Errorf("%q is no GGUF model file\n  it may be an incomplete download, or have another format; get the GGUF version of the model", path)
	case errors.As(err, &bad):
		return nil, unusable(what, path, err)
	case err != nil:
		return nil, fmt.Errorf("the %s cannot be read: %w", what, err)
	}
	return f, nil
}

// isVision tells whether a file is a vision file.
func isVision(f *gguf.File) bool {
	arch, _ := gguf.Get[string](f, "general.architecture")
	return arch == "clip"
}

// rightWayRound checks that the files were not swapped.
func rightWayRound(f Files, text, vision *gguf.File) error {
	switch {
	case isVision(text) && !isVision(vision):
		return fmt.Errorf("%q is a vision file and %q a text model\n  give them the other way round: --model %s --mmproj %s", f.Text, f.Vision, f.Vision, f.Text)
	case isVision(text):
		return fmt.Errorf("%q is a vision file too\n  give the text model with --model", f.Text)
	case !isVision(vision):
		return fmt.Errorf("%q is a text model, not a vision file\n  the vision file is usually named mmproj-…; give it with --mmproj", f.Vision)
	}
	return nil
}
