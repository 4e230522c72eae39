package pngchunk

import (
	"io"
	"runtime"
	"testing"
)

// prefixed is a file of zeros but for its beginning.
type prefixed struct {
	start []byte
	size  int64
}

func (p prefixed) ReadAt(buf []byte, at int64) (int, error) {
	n := int(min(int64(len(buf)), p.size-at))
	copy(buf[:n], make([]byte, n))
	if at < int64(len(p.start)) {
		copy(buf[:n], p.start[at:])
	}
	if n < len(buf) {
		return n, io.EOF
	}
	return n, nil
}

// TestLargeFrame checks that a frame of more than maxCompressed bytes is not read.
func TestLargeFrame(t *testing.T) {
	const size = 600 << 20
	data := still(t, white, 10, 10, chunkOf("acTL", words(2, 0)...))
	data = data[:len(data)-12] // without its end
	data = append(data, chunkOf("fcTL", control(0, 0, 10, 10, 0, 0)...)...)
	data = append(data, words(size-10_000)...)
	data = append(data, "fdAT"...)
	r := io.NewSectionReader(prefixed{data, size}, 0, size)
	info, err := Read(r)
	if err != nil || !info.Animated(1<<30) {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	info.FirstVisibleFrame(r)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 100<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}
