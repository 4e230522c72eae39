package main

import (
	"bufio"
	"encoding/binary"
	"hash/fnv"
	"io"
	"math"

	"github.com/ollama/ollama/fs/ggml"
	"github.com/x448/float16"
)

// blockSize is the number of weights that share one scale in Q8_0.
const blockSize = 32

// levelDeviation is the standard deviation of a level, see fill.
const levelDeviation = 73.9

// weights computes one tensor's data while it is written, so that a model of any size needs no memory. Each weight is a
// random level, an odd number from -127 to 127, times a step. That is the format of Q8_0, and the other types have the
// same values. The data depends on the name and the seed alone.
type weights struct {
	name      string
	kind      ggml.TensorType
	seed      uint64
	row, rows int
	deviation float64               // standard deviation of the weights
	constant  float32               // the value of all weights when deviation is 0
	scale     func(row int) float64 // scales a row; nil: none
}

// WriteTo implements io.WriterTo.
func (w *weights) WriteTo(to io.Writer) (int64, error) {
	out := bufio.NewWriterSize(to, 1<<20)
	hash := fnv.New64a()
	io.WriteString(hash, w.name)
	random := xorshift(hash.Sum64() ^ (w.seed+1)*0x9e3779b97f4a7c15)
	levels := make([]byte, (w.row+7)/8*8)
	var row []byte
	var written int64
	for r := range w.rows {
		step := w.deviation / levelDeviation
		if w.scale != nil {
			step *= w.scale(r)
		}
		random.fill(levels)
		row = w.encode(row[:0], levels[:w.row], float32(step))
		n, err := out.Write(row)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, out.Flush()
}

// encode appends one row in the tensor's type.
func (w *weights) encode(row, levels []byte, step float32) []byte {
	switch w.kind {
	case ggml.TensorTypeQ8_0:
		scale := float16.Fromfloat32(step).Bits()
		for i := 0; i < len(levels); i += blockSize {
			row = binary.LittleEndian.AppendUint16(row, scale)
			row = append(row, levels[i:i+blockSize]...)
		}
	case ggml.TensorTypeF16:
		var halves [256]uint16
		for i := range halves {
			halves[i] = float16.Fromfloat32(w.constant + step*float32(int8(i))).Bits()
		}
		for _, l := range levels {
			row = binary.LittleEndian.AppendUint16(row, halves[l])
		}
	default:
		for _, l := range levels {
			row = binary.LittleEndian.AppendUint32(row, math.Float32bits(w.constant+step*float32(int8(l))))
		}
	}
	return row
}

// xorshift is Marsaglia's 64 bit generator: eight levels a step.
type xorshift uint64

// fill writes random levels to all of p, whose length divides by 8. The lowest bit of each is set: that spares -128,
// which Q8_0 does not use, and makes the mean exactly zero.
func (x *xorshift) fill(p []byte) {
	s := uint64(*x)
	if s == 0 {
		s = 1
	}
	for i := 0; i < len(p); i += 8 {
		s ^= s << 13
		s ^= s >> 7
		s ^= s << 17
		binary.LittleEndian.PutUint64(p[i:], s|0x0101010101010101)
	}
	*x = xorshift(s)
}
