package damage

import (
	"bytes"
	"compress/zlib"
	"math/rand"
	"testing"
)

func TestStrip(t *testing.T) {
	const lzw, deflate, packBits, before, size = 5, 8, 32773, 100, 20_000
	r := rand.New(rand.NewSource(1))
	codes := make([]byte, before+size)
	for i := range codes {
		codes[i] = byte(1 + r.Intn(255))
	}
	deflated := func(level int, data []byte) []byte {
		var buf bytes.Buffer
		w, err := zlib.NewWriterLevel(&buf, level)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
		w.Close()
		return append(bytes.Repeat([]byte{1}, before), buf.Bytes()...)
	}
	zero := func(data []byte, from, n int) []byte {
		out := bytes.Clone(data)
		clear(out[from : from+n])
		return out
	}
	packed := deflated(zlib.BestSpeed, codes)
	stored := deflated(zlib.NoCompression, make([]byte, size))
	for _, c := range []struct {
		name        string
		data        []byte
		compression int
		lost        bool
	}{
		{"LZW", codes, lzw, false},
		{"LZW, a hole", zero(codes, 5000, 512), lzw, true},
		{"LZW, zeros at the end", zero(codes, 5000, len(codes)-5000), lzw, false},
		{"PackBits", codes, packBits, false},
		{"PackBits, a literal of zeros", zero(codes, 5000, 128), packBits, false},
		{"PackBits, a hole", zero(codes, 5000, 512), packBits, true},
		{"Deflate", packed, deflate, false},
		{"Deflate of black, stored", stored, deflate, false},
		{"Deflate of black", deflated(zlib.BestCompression, make([]byte, 1<<20)), deflate, false},
		{"Deflate, a hole", zero(packed, 5000, 512), deflate, true},
		{"old Deflate, a hole", zero(packed, 5000, 512), 32946, true},
		{"Deflate, stored, a hole in something", zero(deflated(zlib.NoCompression, codes), 5000, 512), deflate, true},
		{"fax, zeros", zero(codes, 5000, 512), 4, false},
	} {
		if err := CheckStrip(bytes.NewReader(c.data), before, int64(len(c.data)-before), c.compression, 2<<20); (err != nil) != c.lost {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
