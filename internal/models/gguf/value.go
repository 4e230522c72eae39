package gguf

import (
	"math"
	"unicode/utf8"
)

// Types of keys, as GGUF numbers them.
const (
	kindUint8 = iota
	kindInt8
	kindUint16
	kindInt16
	kindUint32
	kindInt32
	kindFloat32
	kindBool
	kindString
	kindArray
	kindUint64
	kindInt64
	kindFloat64
)

// width is the size of a value in bytes; of a string, the size of its length.
var width = map[uint32]uint64{
	kindUint8: 1, kindInt8: 1, kindUint16: 2, kindInt16: 2, kindUint32: 4, kindInt32: 4,
	kindFloat32: 4, kindBool: 1, kindString: 8, kindUint64: 8, kindInt64: 8, kindFloat64: 8,
}

func (d *decoder) value(name string, kind uint32) (any, error) {
	n, known := width[kind]
	if !known {
		return nil, wrong("its header is damaged: key %q is of type %d", name, kind)
	}
	if kind == kindString {
		s, err := d.text(maxHeader)
		if err == nil && !utf8.ValidString(s) {
			err = wrong("its header is damaged: the text of key %q is not UTF-8", name)
		}
		return s, err
	}
	var b [8]byte
	if err := d.bytes(b[:n]); err != nil {
		return nil, err
	}
	var u uint64
	for i := range n {
		u |= uint64(b[i]) << (8 * i)
	}
	switch kind {
	case kindUint8:
		return uint8(u), nil
	case kindInt8:
		return int8(u), nil
	case kindUint16:
		return uint16(u), nil
	case kindInt16:
		return int16(u), nil
	case kindUint32:
		return uint32(u), nil
	case kindInt32:
		return int32(u), nil
	case kindFloat32:
		return math.Float32frombits(uint32(u)), nil
	case kindBool:
		if u > 1 {
			return nil, wrong("its header is damaged: key %q is neither true nor false", name)
		}
		return u == 1, nil
	case kindUint64:
		return u, nil
	case kindInt64:
		return int64(u), nil
	}
	return math.Float64frombits(u), nil
}

func (d *decoder) array(name string) (any, error) {
	kind, err := d.u32()
	if err != nil {
		return nil, err
	}
	n, err := d.u64()
	if err != nil {
		return nil, err
	}
	size, known := width[kind]
	if !known { // also for arrays of arrays, which llama.cpp does not read either
		return nil, wrong("its header is damaged: key %q is a list of type %d", name, kind)
	}
	if n > uint64(d.left)/size {
		return nil, d.short()
	}
	switch kind {
	case kindUint8:
		return list[uint8](d, name, kind, n)
	case kindInt8:
		return list[int8](d, name, kind, n)
	case kindUint16:
		return list[uint16](d, name, kind, n)
	case kindInt16:
		return list[int16](d, name, kind, n)
	case kindUint32:
		return list[uint32](d, name, kind, n)
	case kindInt32:
		return list[int32](d, name, kind, n)
	case kindFloat32:
		return list[float32](d, name, kind, n)
	case kindBool:
		return list[bool](d, name, kind, n)
	case kindString:
		return list[string](d, name, kind, n)
	case kindUint64:
		return list[uint64](d, name, kind, n)
	case kindInt64:
		return list[int64](d, name, kind, n)
	}
	return list[float64](d, name, kind, n)
}

func list[T any](d *decoder, name string, kind uint32, n uint64) ([]T, error) {
	out := make([]T, 0, min(n, 1<<16)) // grows only as values are read
	for range n {
		v, err := d.value(name, kind)
		if err != nil {
			return nil, err
		}
		out = append(out, v.(T))
	}
	return out, nil
}

// Get returns a key's value; ok is false if it is missing or of another type.
func Get[T any](f *File, key string) (v T, ok bool) {
	v, ok = f.Keys[key].(T)
	return v, ok
}

// Has tells whether the file has a key, of any type.
func (f *File) Has(key string) bool {
	_, there := f.Keys[key]
	return there
}
