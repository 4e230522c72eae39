package families

import (
	"fmt"

	"photodesc/internal/models/gguf"
)

// validator checks the keys and tensors of one file and keeps the first failure.
type validator struct {
	f       *gguf.File
	tensors map[string]*gguf.Tensor
	seen    map[string]bool // tensors that were checked
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

// require fails with the message unless ok is true.
func (r *validator) require(ok bool, format string, args ...any) {
	if !ok {
		r.fail(format, args...)
	}
}

// required returns the value of a key that must be present and of the type T.
func required[T any](r *validator, key string) (v T) {
	if !r.f.Has(key) {
		r.fail("it does not say its %q", key)
		return v
	}
	return optional[T](r, key)
}

// optional returns the value of a key, or zero if it is not present. A value of
// another type is a failure, because llama.cpp ends the process on it.
func optional[T any](r *validator, key string) (v T) {
	if !r.f.Has(key) {
		return v
	}
	v, ok := gguf.Get[T](r.f, key)
	r.require(ok, "its header is damaged: %q is of the wrong type", key)
	return v
}

// number returns a size that must be from 1 to limit.
func (r *validator) number(key string, limit uint32) uint32 {
	n := required[uint32](r, key)
	r.require(n >= 1 && n <= limit, "its header is damaged: %q is %d", key, n)
	return n
}

// small checks the epsilon of a norm: from 0 to below 1.
func (r *validator) small(key string) {
	x := required[float32](r, key)
	r.require(x >= 0 && x < 1, "its header is damaged: %q is %v", key, x)
}

// matrix checks a tensor that must be present, in this shape and a type for weights.
func (r *validator) matrix(name string, shape ...uint64) { r.tensor(true, name, shape...) }

// vector checks a tensor that must be present, in this shape and as F32.
func (r *validator) vector(name string, shape ...uint64) {
	r.tensor(true, name, shape...)
	r.plain(name)
}

// optionalVector is vector for a tensor that may be missing.
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

// plain checks that a tensor, if present, is F32 or of one of the given types.
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
