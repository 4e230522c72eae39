package gguf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"photodesc/internal/models/gguf"
	"photodesc/internal/models/gguf/gguftest"
)

func small() *gguf.File {
	return &gguf.File{
		Version: 3,
		Keys: map[string]any{
			"general.architecture": "llama", "a.list": []string{"x", "", "ÿ"}, "a.bool": true,
			"a.u8": uint8(1), "a.i8": int8(-1), "a.u16": uint16(2), "a.i16": int16(-2), "a.u32": uint32(3),
			"a.i32": int32(-3), "a.f32": float32(0.5), "a.u64": uint64(4), "a.i64": int64(-4), "a.f64": 0.25,
			"a.ints": []int32{1, 2, 3}, "a.floats": []float32{1, 2}, "a.bytes": []uint8{9},
		},
		Tensors: []gguf.Tensor{
			{Name: "one", Type: gguf.Q8_0, Shape: []uint64{64, 3}, Bytes: 204},
			{Name: "two", Type: gguf.F32, Shape: []uint64{5}, Bytes: 20},
		},
	}
}

func read(b []byte) (*gguf.File, error) { return gguf.Read(bytes.NewReader(b), int64(len(b))) }

func TestRead(t *testing.T) {
	want := small()
	f, err := read(gguftest.Encode(want))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Keys) != len(want.Keys) || len(f.Tensors) != 2 || f.Tensors[1].Offset != f.Data+224 || f.Tensors[0].Bytes != 204 {
		t.Errorf("%+v", f)
	}
	if v, ok := gguf.Get[int16](f, "a.i16"); !ok || v != -2 {
		t.Error(v, ok)
	}
	if _, ok := gguf.Get[uint32](f, "a.i32"); ok {
		t.Error("another type than asked for")
	}
	if l, _ := gguf.Get[[]string](f, "a.list"); strings.Join(l, "|") != "x||ÿ" {
		t.Error(l)
	}
}

// Every file that ends too early is refused, wherever it ends.
func TestTruncated(t *testing.T) {
	whole := gguftest.Encode(small())
	last := len(whole) - 12 // the padding behind the last tensor may be missing
	for n := range last {
		if _, err := read(whole[:n]); err == nil {
			t.Fatalf("%d bytes of %d went through", n, len(whole))
		}
	}
	if _, err := read(whole[:last]); err != nil {
		t.Error(err)
	}
}

func TestWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*gguf.File)
		want   string
	}{
		"version 1":         {func(f *gguf.File) { f.Version = 1 }, "version 1"},
		"version 4":         {func(f *gguf.File) { f.Version = 4 }, "version 4"},
		"big-endian":        {func(f *gguf.File) { f.Version = 3 << 24 }, "big-endian"},
		"unknown type":      {func(f *gguf.File) { f.Tensors[1].Type = 77 }, "type 77"},
		"removed type":      {func(f *gguf.File) { f.Tensors[1].Type = 4 }, "type 4"},
		"name twice":        {func(f *gguf.File) { f.Tensors[1].Name = "one" }, "twice"},
		"no name":           {func(f *gguf.File) { f.Tensors[1].Name = "" }, "is called"},
		"name with a zero":  {func(f *gguf.File) { f.Tensors[1].Name = "on\x00e" }, "is called"},
		"key with a zero":   {func(f *gguf.File) { f.Keys["a\x00b"] = true }, "is called"},
		"long name":         {func(f *gguf.File) { f.Tensors[1].Name = strings.Repeat("x", 64) }, "is called"},
		"five dimensions":   {func(f *gguf.File) { f.Tensors[1].Shape = []uint64{5, 1, 1, 1, 1} }, "5 dimensions"},
		"empty dimension":   {func(f *gguf.File) { f.Tensors[1].Shape = []uint64{5, 0} }, "impossible shape"},
		"overflow":          {func(f *gguf.File) { f.Tensors[1].Shape = []uint64{1 << 40, 1 << 40} }, "impossible shape"},
		"overflow to small": {func(f *gguf.File) { f.Tensors[1].Shape = []uint64{1 << 32, 1 << 32, 5} }, "impossible shape"},
		"rows of blocks":    {func(f *gguf.File) { f.Tensors[0].Shape = []uint64{63, 3} }, "blocks of 32"},
		"too large":         {func(f *gguf.File) { f.Tensors[1].Shape = []uint64{1 << 50} }, "incomplete"},
		"places":            {func(f *gguf.File) { f.Tensors[0].Bytes = 400 }, "begins at"},
		"alignment 0":       {func(f *gguf.File) { f.Keys["general.alignment"] = uint32(0) }, "alignment"},
		"alignment 3":       {func(f *gguf.File) { f.Keys["general.alignment"] = uint32(3) }, "alignment"},
		"alignment huge":    {func(f *gguf.File) { f.Keys["general.alignment"] = uint32(1 << 31) }, "alignment"},
		"alignment text":    {func(f *gguf.File) { f.Keys["general.alignment"] = "32" }, "alignment"},
		"not UTF-8":         {func(f *gguf.File) { f.Keys["general.name"] = "\xff" }, "UTF-8"},
		"list not UTF-8":    {func(f *gguf.File) { f.Keys["a.list"] = []string{"\xff"} }, "UTF-8"},
	} {
		f := small()
		c.change(f)
		if _, err := read(gguftest.Encode(f)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
	for _, junk := range []string{"", "GGU", "<html>", "ggjt\x03\x00\x00\x00"} {
		if _, err := read([]byte(junk)); !errors.Is(err, gguf.ErrNotGGUF) {
			t.Errorf("%q: %v", junk, err)
		}
	}
}

// Numbers that promise much are not believed before the bytes are there.
func TestHugeCounts(t *testing.T) {
	head := func(tensors, keys uint64, rest ...any) []byte {
		var b bytes.Buffer
		b.WriteString("GGUF")
		for _, v := range append([]any{uint32(3), tensors, keys}, rest...) {
			binary.Write(&b, binary.LittleEndian, v)
		}
		return b.Bytes()
	}
	key := []any{uint64(1), byte('k')}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i, b := range [][]byte{
		head(math.MaxUint64, 0), head(0, math.MaxUint64), head(1<<63, 1<<63), head(100_000, 60_000),
		head(0, 1, uint64(math.MaxUint64)), head(0, 1, uint64(1<<62)),
		head(0, 1, append(key, uint32(8), uint64(math.MaxUint64))...),
		head(0, 1, append(key, uint32(9), uint32(8), uint64(math.MaxUint64))...),
		head(0, 1, append(key, uint32(9), uint32(0), uint64(1<<40))...),
		head(0, 1, append(key, uint32(9), uint32(9), uint64(1))...),
		head(0, 1, append(key, uint32(13))...),
		head(0, 1, append(key, uint32(7), byte(2))...),
	} {
		if _, err := read(b); err == nil {
			t.Errorf("case %d went through", i)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated for nothing", n)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := gguf.Open(dir); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := gguf.Open(dir + "/none"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	whole := gguftest.Encode(small())
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := read(b)
		if err != nil {
			return
		}
		// What goes through lies inside the file, one after the other.
		end := file.Data
		for _, x := range file.Tensors {
			if x.Offset < end || x.Bytes < 0 || x.Offset+x.Bytes > int64(len(b)) {
				t.Fatalf("%+v in %d bytes", x, len(b))
			}
			end = x.Offset + x.Bytes
		}
	})
}
