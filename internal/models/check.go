package models

import (
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"

	"photodesc/internal/models/gguf"
)

// Shape is what a model's files say of it.
type Shape struct {
	Embedding  uint32 // numbers in one embedding
	Layers     uint32
	Vocabulary int
	Context    uint32
	Type       string // how most of the text model's numbers are stored
	Weights    uint64 // bytes of both files
	Slot       uint64 // bytes of KV cache for one photo
}

// Memory is about what the model needs to describe one photo at a time.
func (s Shape) Memory() uint64 { return s.Weights + s.Slot + s.Weights/10 }

// slotTokens is about what a prompt of seventeen tiles and its answer have.
const slotTokens = 2048

// Check reads the heads of a model's files and says whether llama.cpp can be
// trusted with them: it ends the process where it finds what it does not
// expect. limit is the memory that may be used, 0 for any.
func Check(f Files, limit uint64) (Shape, error) {
	text, err := open(f.Text, "model file")
	if err != nil {
		return Shape{}, err
	}
	vision, err := open(f.Vision, "vision file")
	if err != nil {
		return Shape{}, err
	}
	s, err := checkPair(f, text, vision)
	if err != nil {
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
	fam, err := familyOf(vision)
	if err != nil {
		return Shape{}, unusable("vision file", f.Vision, err)
	}
	s, err := checkText(text, fam)
	if err != nil {
		return s, unusable("model file", f.Text, err)
	}
	gives, err := checkVision(vision, fam)
	if err != nil {
		return s, unusable("vision file", f.Vision, err)
	}
	if gives != uint64(s.Embedding) {
		return s, fmt.Errorf("the model file %q and the vision file %q do not belong together: one takes embeddings of %d numbers, the other gives %d\n  take both from the same repository",
			f.Text, f.Vision, s.Embedding, gives)
	}
	s.Weights = uint64(text.Size) + uint64(vision.Size)
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
		return nil, fmt.Errorf("%q is no GGUF model file\n  it may be an incomplete download or another format; get the GGUF version of the model", path)
	case errors.As(err, &bad):
		return nil, unusable(what, path, err)
	case err != nil:
		return nil, fmt.Errorf("the %s cannot be read: %w", what, err)
	}
	return f, nil
}

// isVision tells what kind of file it is.
func isVision(f *gguf.File) bool {
	arch, _ := gguf.Get[string](f, "general.architecture")
	return arch == "clip"
}

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

// A validator asks for what a file must have and keeps the first thing amiss.
type validator struct {
	f       *gguf.File
	tensors map[string]*gguf.Tensor
	seen    map[string]bool // tensors asked for
	err     error
}

func newValidator(f *gguf.File) *validator {
	r := &validator{f: f, tensors: map[string]*gguf.Tensor{}, seen: map[string]bool{}}
	for i := range f.Tensors {
		r.tensors[f.Tensors[i].Name] = &f.Tensors[i]
	}
	return r
}

func (r *validator) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// require keeps the message as the error unless the condition holds.
func (r *validator) require(ok bool, format string, args ...any) {
	if !ok {
		r.fail(format, args...)
	}
}

// required returns the value of a key that must be there, with its type.
func required[T any](r *validator, key string) (v T) {
	if !r.f.Has(key) {
		r.fail("it does not say its %q", key)
		return v
	}
	return optional[T](r, key)
}

// optional returns the value of a key, or zero; with another type it is a failure,
// because llama.cpp ends the process then.
func optional[T any](r *validator, key string) (v T) {
	if !r.f.Has(key) {
		return v
	}
	v, ok := gguf.Get[T](r.f, key)
	r.require(ok, "its header is damaged: %q is of the wrong type", key)
	return v
}

// number is a size that must be from 1 to most.
func (r *validator) number(key string, most uint32) uint32 {
	n := required[uint32](r, key)
	r.require(n >= 1 && n <= most, "its header is damaged: %q is %d", key, n)
	return n
}

// small is a number that is not negative, as norms want it.
func (r *validator) small(key string) {
	x := required[float32](r, key)
	r.require(x >= 0 && x < 1, "its header is damaged: %q is %v", key, x)
}

// matrix must be there in this shape, in a type that weights can have.
func (r *validator) matrix(name string, shape ...uint64) { r.tensor(true, name, shape...) }

// vector must be there in this length, as plain numbers.
func (r *validator) vector(name string, shape ...uint64) {
	r.tensor(true, name, shape...)
	r.plain(name)
}

// optionalVector is a vector that need not be there.
func (r *validator) optionalVector(name string, length uint64) {
	r.tensor(false, name, length)
	r.plain(name)
}

func (r *validator) tensor(mustExist bool, name string, shape ...uint64) {
	t, there := r.tensors[name]
	r.seen[name] = true
	if !there {
		r.require(!mustExist, "tensor %q is missing", name)
		return
	}
	ok := len(t.Shape) >= len(shape)
	for i, n := range t.Shape {
		want := uint64(1)
		if i < len(shape) {
			want = shape[i]
		}
		ok = ok && n == want
	}
	r.require(ok, "its header is damaged: tensor %q has the shape %v instead of %v", name, t.Shape, shape)
	r.require(t.Type.Weights(), "tensor %q is of type %v, which is no type for weights", name, t.Type)
}

// plain says that a tensor must be of one of the types, F32 if none is given.
func (r *validator) plain(name string, types ...gguf.Type) {
	t, there := r.tensors[name]
	if !there {
		return
	}
	ok := t.Type == gguf.F32
	for _, allowed := range types {
		ok = ok || t.Type == allowed
	}
	r.require(ok, "tensor %q is of type %v, which llama.cpp cannot use there", name, t.Type)
}
