// Package gguf reads the header of a GGUF file: its keys, and the types, shapes and
// offsets of its tensors. It is strict, because the C code that loads the file later
// ends the process on what it does not expect. It is safe with any file: it never
// panics, and uses at most three times the length of the header in memory.
package gguf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"strings"
	"unicode/utf8"
)

// Limits of a header. The largest vocabularies in use, of 260,000 tokens, need about
// 15 MB.
const (
	maxHeader  = 256 << 20
	maxKeys    = 1 << 16
	maxTensors = 1 << 17
	maxKey     = 1 << 16
	maxDims    = 4  // GGML_MAX_DIMS
	maxName    = 64 // GGML_MAX_NAME, with C's closing zero
)

// Error says what is wrong with a file, for people and without its name.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

func wrong(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// ErrNotGGUF is returned for a file of another format.
var ErrNotGGUF = errors.New("not a GGUF file")

// File is the header of a GGUF file.
type File struct {
	Version uint32
	Keys    map[string]any // uint8 … float64, bool, string, or a slice of one of them
	Tensors []Tensor
	Data    int64 // offset of the first tensor, bytes
	Size    int64 // of the file, bytes
}

// Tensor describes one array of weights.
type Tensor struct {
	Name   string
	Type   Type
	Shape  []uint64 // values in each dimension, the length of a row first
	Offset int64    // from the beginning of the file, bytes
	Bytes  int64    // its length
}

// Open reads the header of a file. The error is ErrNotGGUF, an *Error or that of
// reading.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a file", path)
	}
	return Read(f, info.Size())
}

// Read reads the header of a file of size bytes. The errors are those of Open.
func Read(r io.ReaderAt, size int64) (*File, error) {
	d := &decoder{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), left: min(size, maxHeader), size: size}
	f := &File{Keys: map[string]any{}, Size: size}
	if err := d.file(f); err != nil {
		return nil, err
	}
	return f, nil
}

// decoder reads little-endian values, within the file and the limit of a header.
type decoder struct {
	r    *bufio.Reader
	left int64 // bytes that may still be read
	size int64
	pos  int64
	buf  [8]byte
}

// short returns the error for a header that goes on where no more may be read.
func (d *decoder) short() error {
	if d.size > maxHeader {
		return wrong("its header is damaged: it is longer than %d MB", maxHeader>>20)
	}
	return wrong("it ends in the middle of its header: the download is incomplete, or the file is damaged")
}

// take counts n bytes as read, if there are so many.
func (d *decoder) take(n uint64) error {
	if n > uint64(d.left) {
		return d.short()
	}
	d.left -= int64(n)
	d.pos += int64(n)
	return nil
}

func (d *decoder) bytes(b []byte) error {
	if err := d.take(uint64(len(b))); err != nil {
		return err
	}
	if _, err := io.ReadFull(d.r, b); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return d.short() // the file was truncated meanwhile
		}
		return err
	}
	return nil
}

func (d *decoder) u32() (uint32, error) {
	err := d.bytes(d.buf[:4])
	return binary.LittleEndian.Uint32(d.buf[:]), err
}

func (d *decoder) u64() (uint64, error) {
	err := d.bytes(d.buf[:8])
	return binary.LittleEndian.Uint64(d.buf[:]), err
}

func (d *decoder) text(limit uint64) (string, error) {
	n, err := d.u64()
	if err != nil {
		return "", err
	}
	if n > uint64(d.left) || n > limit {
		return "", wrong("its header is damaged: a text of %d bytes", n)
	}
	b := make([]byte, n)
	if err := d.bytes(b); err != nil {
		return "", err
	}
	return string(b), nil
}

func (d *decoder) file(f *File) error {
	var magic [4]byte
	if d.size < 4 || d.bytes(magic[:]) != nil || string(magic[:]) != "GGUF" {
		return ErrNotGGUF
	}
	var err error
	if f.Version, err = d.u32(); err != nil {
		return err
	}
	switch {
	case f.Version == 1:
		return wrong("it is of GGUF version 1, which is no longer read; get a newer conversion of the model")
	case f.Version&0xffff == 0:
		return wrong("it is written for big-endian machines")
	case f.Version < 1 || f.Version > 3:
		return wrong("it is of GGUF version %d; versions 2 and 3 are read", f.Version)
	}
	tensors, err := d.u64()
	if err != nil {
		return err
	}
	keys, err := d.u64()
	if err != nil {
		return err
	}
	if tensors > maxTensors || keys > maxKeys {
		return wrong("its header is damaged: %d tensors, %d keys", tensors, keys)
	}
	for range keys {
		if err := d.key(f); err != nil {
			return err
		}
	}
	align, err := f.alignment()
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for range tensors {
		t, err := d.tensor()
		if err != nil {
			return err
		}
		if names[t.Name] {
			return wrong("its header is damaged: tensor %q occurs twice", t.Name)
		}
		names[t.Name] = true
		f.Tensors = append(f.Tensors, t)
	}
	f.Data = roundUp(d.pos, align)
	return f.place(align)
}

func (d *decoder) key(f *File) error {
	name, err := d.text(maxKey)
	if err != nil {
		return err
	}
	if name == "" || !cText(name) {
		return wrong("its header is damaged: a key is called %q", name)
	}
	if _, twice := f.Keys[name]; twice {
		return wrong("its header is damaged: key %q occurs twice", name)
	}
	kind, err := d.u32()
	if err != nil {
		return err
	}
	if kind == kindArray {
		f.Keys[name], err = d.array(name)
	} else {
		f.Keys[name], err = d.value(name, kind)
	}
	return err
}

// alignment returns what the offsets of tensors are multiples of, in bytes.
func (f *File) alignment() (int64, error) {
	v, there := f.Keys["general.alignment"]
	if !there {
		return 32, nil
	}
	n, ok := v.(uint32)
	if !ok || n == 0 || bits.OnesCount32(n) != 1 || n > 1<<20 {
		return 0, wrong("its header is damaged: the alignment is %v", v)
	}
	return int64(n), nil
}

func (d *decoder) tensor() (t Tensor, err error) {
	if t.Name, err = d.text(maxKey); err != nil {
		return t, err
	}
	if t.Name == "" || len(t.Name) >= maxName || !cText(t.Name) {
		return t, wrong("its header is damaged: a tensor is called %.80q", t.Name)
	}
	dims, err := d.u32()
	if err != nil {
		return t, err
	}
	if dims < 1 || dims > maxDims {
		return t, wrong("its header is damaged: tensor %q has %d dimensions", t.Name, dims)
	}
	elements := uint64(1)
	for range dims {
		n, err := d.u64()
		if err != nil {
			return t, err
		}
		hi, lo := bits.Mul64(elements, n)
		if n == 0 || hi != 0 || lo > math.MaxInt64/64 {
			return t, wrong("its header is damaged: tensor %q has an impossible shape", t.Name)
		}
		elements = lo
		t.Shape = append(t.Shape, n)
	}
	kind, err := d.u32()
	if err != nil {
		return t, err
	}
	t.Type = Type(kind)
	block, bytes := t.Type.layout()
	if block == 0 {
		return t, wrong("tensor %q is of type %d, which this llama.cpp does not know", t.Name, kind)
	}
	if t.Shape[0]%block != 0 {
		return t, wrong("its header is damaged: rows of tensor %q do not divide into blocks of %d", t.Name, block)
	}
	offset, err := d.u64()
	if err != nil {
		return t, err
	}
	if offset > math.MaxInt64/4 {
		return t, wrong("its header is damaged: tensor %q has an offset far outside the file", t.Name)
	}
	// At most MaxInt64/64 elements of at most 8 bytes.
	t.Bytes = int64(elements / block * bytes)
	t.Offset = int64(offset)
	return t, nil
}

// place checks that the tensors follow each other within the file, as llama.cpp
// requires, and makes their offsets absolute.
func (f *File) place(align int64) error {
	next := int64(0)
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if t.Offset != next {
			return wrong("its header is damaged: tensor %q begins at %d instead of %d", t.Name, t.Offset, next)
		}
		t.Offset += f.Data
		if t.Bytes > f.Size-t.Offset {
			return wrong("it is incomplete: it ends %d bytes too early, in tensor %q; download it again",
				f.missing(i, align), t.Name)
		}
		next = roundUp(next+t.Bytes, align)
	}
	return nil
}

// missing returns by how many bytes the file is too short for the tensors from i on.
func (f *File) missing(i int, align int64) int64 {
	end := f.Tensors[i].Offset
	for _, t := range f.Tensors[i:] {
		if end > math.MaxInt64-t.Bytes-align {
			return math.MaxInt64
		}
		end = roundUp(end, align) + t.Bytes
	}
	return end - f.Size
}

// cText tells whether C reads the same text: it stops at the first zero byte.
func cText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func roundUp(n, align int64) int64 { return (n + align - 1) / align * align }
