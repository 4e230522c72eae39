package damage

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestNestedWebP checks that nested frames, as many as fit into a file, do not
// exhaust the stack.
func TestNestedWebP(t *testing.T) {
	const depth, header, frame = 200_000, 8, 16
	data := make([]byte, 12+depth*(header+frame))
	copy(data, "RIFF....WEBP")
	for at := 12; at < len(data); at += header + frame {
		copy(data[at:], "ANMF")
		binary.LittleEndian.PutUint32(data[at+4:], uint32(len(data)-at-header))
	}
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	if err := CheckWebP(data, 1<<30); err != nil {
		t.Error(err)
	}
}

// A lossless picture of 16 megapixels with zeros is not decoded again with
// less memory than that takes.
func TestWebPMemory(t *testing.T) {
	// A VP8L of 4096 × 4096: a header, no transforms, no cache, and five simple
	// codes of one symbol each, which take no bits a pixel.
	bits, n := uint64(0), 0
	put := func(v uint64, width int) { bits |= v << n; n += width }
	put(0, 3) // no transform, no cache, no groups of codes
	for range 5 {
		put(1, 1) // simple
		put(0, 1) // one symbol
		put(0, 1) // of one bit
		put(0, 1)
	}
	chunk := binary.LittleEndian.AppendUint32([]byte{0x2f}, 4095|4095<<14)
	chunk = append(binary.LittleEndian.AppendUint64(chunk, bits), make([]byte, 100)...)
	data := append([]byte("RIFF....WEBPVP8L"), binary.LittleEndian.AppendUint32(nil, uint32(len(chunk)))...)
	data = append(data, chunk...)
	allocated := func(maxPixels int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		CheckWebP(data, maxPixels)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if n := allocated(1 << 20); n > 16<<20 {
		t.Errorf("%d bytes were allocated for a picture that is too large", n)
	}
	if n := allocated(64 << 20); n < 64<<20 {
		t.Errorf("%d bytes were allocated: the picture was not decoded where it may be", n)
	}
}

// sparse reads as a byte everywhere but for zeros in some places.
type sparse struct{ size, from, to int64 }

func (s sparse) ReadAt(p []byte, at int64) (int, error) {
	n := int(min(int64(len(p)), s.size-at))
	for i := range n {
		p[i] = 0x55
		if x := at + int64(i); x >= s.from && x < s.to {
			p[i] = 0
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestLongRow checks that a row longer than maxRowBytes is not read into memory.
func TestLongRow(t *testing.T) {
	const row = 70 << 20
	w := Rows{At: 0, RowBytes: row, Stride: row, Count: 4, PixelBytes: 1, Brightness: true}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w.Check(sparse{4 * row, row + row/2, 3*row - row/4})
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// TestLargeExtension checks that the extensions of a GIF are skipped without a copy.
func TestLargeExtension(t *testing.T) {
	data := append([]byte("GIF89a"), make([]byte, 7)...)
	data = append(data, '!', 0xfe)
	data = append(data, bytes.Repeat(append([]byte{255}, make([]byte, 255)...), 64<<10)...)
	data = append(data, 0, ';')
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := CheckGIF(data); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}
