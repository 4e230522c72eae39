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
	v := &validator{f: f, tensors: map[string]*gguf.Tensor{}, seen: map[string]bool{}}
	for i := range f.Tensors {
		v.tensors[f.Tensors[i].Name] = &f.Tensors[i]
	}
	return v
}

func (v *validator) fail(format string, args ...any) {
	if v.err == nil {
		v.err = fmt.Errorf(format, args...)
	}
}

// require fails with the message unless ok is true.
func (v *validator) require(ok bool, format string, args ...any) {
	if !ok {
		v.fail(format, args...)
	}
}

// required returns the value of a key that must be present and of the type T.
func required[T any](v *validator, key string) (value T) {
	if !v.f.Has(key) {
		v.fail("it does not say its %q", key)
		return value
	}
	return optional[T](v, key)
}

// optional returns the value of a key, or zero if it is not present. A value of
// another type is a failure, because llama.cpp ends the process on it.
func optional[T any](v *validator, key string) (value T) {
	if !v.f.Has(key) {
		return value
	}
	value, ok := gguf.Get[T](v.f, key)
	v.require(ok, "its header is damaged: %q is of the wrong type", key)
	return value
}

// number returns a size that must be from 1 to limit.
func (v *validator) number(key string, limit uint32) uint32 {
	n := required[uint32](v, key)
	v.require(n >= 1 && n <= limit, "its header is damaged: %q is %d", key, n)
	return n
}

// epsilon checks the epsilon of a norm: from 0 to below 1.
func (v *validator) epsilon(key string) {
	x := required[float32](v, key)
	v.require(x >= 0 && x < 1, "its header is damaged: %q is %v", key, x)
}

// matrix checks a tensor that must be present, in this shape and a type for weights.
func (v *validator) matrix(name string, shape ...uint64) { v.tensor(true, name, shape...) }

// vector checks a tensor that must be present, in this shape and as F32.
func (v *validator) vector(name string, shape ...uint64) {
	v.tensor(true, name, shape...)
	v.typeIs(name)
}

// optionalVector is vector for a tensor that may be missing.
func (v *validator) optionalVector(name string, length uint64) {
	v.tensor(false, name, length)
	v.typeIs(name)
}

func (v *validator) tensor(mustExist bool, name string, shape ...uint64) {
	t, there := v.tensors[name]
	v.seen[name] = true
	if !there {
		v.require(!mustExist, "tensor %q is missing", name)
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
	v.require(ok, "its header is damaged: tensor %q has the shape %v instead of %v", name, t.Shape, shape)
	v.require(t.Type.Weights(), "tensor %q is of type %v, which is no type for weights", name, t.Type)
}

// typeIs checks that a tensor, if present, is F32 or of one of the other types.
func (v *validator) typeIs(name string, others ...gguf.Type) {
	t, there := v.tensors[name]
	if !there {
		return
	}
	ok := t.Type == gguf.F32
	for _, allowed := range others {
		ok = ok || t.Type == allowed
	}
	v.require(ok, "tensor %q is of type %v, which llama.cpp cannot use there", name, t.Type)
}
