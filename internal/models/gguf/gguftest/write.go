// Package gguftest writes GGUF files for tests: whole ones, and ones that are
// wrong in just one place.
package gguftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"photodesc/internal/models/gguf"
)

// Tiny writes the two files of a small SmolVLM-shaped model.
func Tiny(t testing.TB) (text, vision string) {
	t.Helper()
	return Model(t, "tiny")
}

// Model writes the two files of one of mkmodel's small shapes.
func Model(t testing.TB, shape string) (text, vision string) {
	t.Helper()
	files, err := made()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text, vision = filepath.Join(dir, shape+".gguf"), filepath.Join(dir, "mmproj-"+shape+".gguf")
	for _, path := range []string{text, vision} {
		b, there := files[filepath.Base(path)]
		if !there {
			t.Fatalf("mkmodel made no %s", filepath.Base(path))
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return text, vision
}

// made are the files of all small shapes, by name; they are made once.
var made = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "gguftest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := WriteModels(dir); err != nil {
		return nil, err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range list {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// Copy reads a file's header, lets change alter it and writes it to a new file;
// the tensors' data are zeros.
func Copy(t testing.TB, path string, change func(*gguf.File)) string {
	t.Helper()
	f, err := gguf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	change(f)
	out := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(out, Encode(f), 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

// Encode returns the file of a header. The offsets of the tensors are computed,
// their data are zeros.
func Encode(f *gguf.File) []byte {
	var b bytes.Buffer
	put := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	text := func(s string) { put(uint64(len(s))); b.WriteString(s) }

	b.WriteString("GGUF")
	put(f.Version)
	put(uint64(len(f.Tensors)))
	put(uint64(len(f.Keys)))
	for _, key := range slices.Sorted(maps.Keys(f.Keys)) {
		text(key)
		v := f.Keys[key]
		switch list := v.(type) {
		case string:
			put(uint32(8))
			text(list)
		case []string:
			put([]uint32{9, 8})
			put(uint64(len(list)))
			for _, s := range list {
				text(s)
			}
		default:
			kind, n := number(v)
			if n >= 0 {
				put([]uint32{9, kind})
				put(uint64(n))
			} else {
				put(kind)
			}
			put(v)
		}
	}
	const align = 32
	place := uint64(0)
	for _, t := range f.Tensors {
		text(t.Name)
		put(uint32(len(t.Shape)))
		put(t.Shape)
		put(uint32(t.Type))
		put(place)
		place += (uint64(t.Bytes) + align - 1) / align * align
	}
	for b.Len()%align != 0 {
		b.WriteByte(0)
	}
	b.Write(make([]byte, place))
	return b.Bytes()
}

// number gives GGUF's number of a value's type; n is a list's length or -1.
func number(v any) (kind uint32, n int) {
	n = -1
	switch v := v.(type) {
	case uint8:
		kind = 0
	case int8:
		kind = 1
	case uint16:
		kind = 2
	case int16:
		kind = 3
	case uint32:
		kind = 4
	case int32:
		kind = 5
	case float32:
		kind = 6
	case bool:
		kind = 7
	case uint64:
		kind = 10
	case int64:
		kind = 11
	case float64:
		kind = 12
	case []int32:
		kind, n = 5, len(v)
	case []uint32:
		kind, n = 4, len(v)
	case []float32:
		kind, n = 6, len(v)
	case []uint8:
		kind, n = 0, len(v)
	case []bool:
		kind, n = 7, len(v)
	default:
		panic(fmt.Sprintf("%T", v))
	}
	return kind, n
}
