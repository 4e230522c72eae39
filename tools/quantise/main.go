// Command quantise writes GGUF models anew with their F16 matrices in Q8_0, the type that most models are published in:
// for tests of what is computed in integers. All else stays as it is.
//
//	go run ./tools/quantise -o DIR FILE.gguf...
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/ollama/ollama/fs/ggml"
	"github.com/x448/float16"

	"photodesc/internal/models/gguf"
)

// blockSize is the number of weights that share one scale in Q8_0.
const blockSize = 32

func main() {
	dir := flag.String("o", ".", "folder to write to")
	flag.Parse()
	for _, path := range flag.Args() {
		if err := quantise(path, filepath.Join(*dir, filepath.Base(path))); err != nil {
			fmt.Fprintln(os.Stderr, "quantise:", err)
			os.Exit(1)
		}
	}
}

// quantise writes the model of one file to another.
func quantise(from, to string) error {
	head, err := gguf.Open(from)
	if err != nil {
		return fmt.Errorf("%q: %w", from, err)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var tensors []*ggml.Tensor
	for _, t := range head.Tensors {
		kind, values := uint32(t.Type), data[t.Offset:t.Offset+t.Bytes]
		if t.Type == gguf.F16 && len(t.Shape) == 2 && t.Shape[0]%blockSize == 0 {
			kind, values = uint32(gguf.Q8_0), q8(values)
		}
		tensors = append(tensors, &ggml.Tensor{Name: t.Name, Kind: kind, Shape: t.Shape, WriterTo: bytes.NewReader(values)})
	}
	kv := ggml.KV(head.Keys)
	kv["general.file_type"] = uint32(ggml.FileTypeQ8_0)
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // never the model that is read
	if err != nil {
		return err
	}
	if err := ggml.WriteGGUF(out, kv, tensors); err != nil {
		out.Close()
		return fmt.Errorf("writing %q: %w", to, err)
	}
	return out.Close()
}

// q8 turns halves into blocks of Q8_0 as ggml does: the largest of a block becomes ±127.
func q8(halves []byte) []byte {
	var out []byte
	for ; len(halves) > 0; halves = halves[2*blockSize:] {
		var v [blockSize]float32
		most := float32(0)
		for i := range v {
			v[i] = float16.Frombits(binary.LittleEndian.Uint16(halves[2*i:])).Float32()
			most = max(most, float32(math.Abs(float64(v[i]))))
		}
		scale := most / 127
		out = binary.LittleEndian.AppendUint16(out, float16.Fromfloat32(scale).Bits())
		for _, x := range v {
			if scale > 0 {
				x /= scale
			}
			out = append(out, byte(int8(math.Round(float64(x)))))
		}
	}
	return out
}
