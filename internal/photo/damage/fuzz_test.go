package damage

import (
	"bytes"
	"os"
	"testing"
)

// FuzzChecks runs every check on arbitrary bytes. It must end without a panic.
func FuzzChecks(f *testing.F) {
	const dir = "../vips/testdata/"
	for _, name := range []string{"black.webp", "black.gif", "black-optimized.jpg", "black-lossless.webp", "photo.gif"} {
		data, err := os.ReadFile(dir + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		zeros := bytes.Clone(data)
		clear(zeros[len(zeros)/2:])
		f.Add(zeros)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		CheckWebP(data, 1<<20)
		CheckGIF(data)
		j := ScanJPEG(data)
		j.CheckWarnings([]Warning{{Kind: Skipped, At: int64(len(data)) / 2, Skipped: int64(len(data))}, {Kind: Corrupted, LastRow: true}})
		CheckStrip(bytes.NewReader(data), 0, int64(len(data)), 8, 1<<20)
		w := Rows{At: 3, RowBytes: 30, Stride: 31, Count: int64(len(data)) / 31, PixelBytes: 3, Brightness: true}
		w.Check(bytes.NewReader(data))
	})
}
