package vips

import (
	"os"
	"path/filepath"
	"testing"

	"photodesc/internal/photo"
)

// FuzzDecode gives libvips any bytes under any extension: it returns pixels that
// fit their size, or an error with a kind.
func FuzzDecode(f *testing.F) {
	list, err := filepath.Glob(examples + "/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 12_000 {
			f.Add(data, false, 100)
		}
	}
	f.Add(rawFile(jpegOf(f, colourful(32, 16)), 6), true, 0)
	f.Add(withProfile(pngOf(f, colourful(9, 9)), profile(p3Primaries)), false, 4)
	f.Add(ifds(3, true), false, 1)
	f.Fuzz(func(t *testing.T, data []byte, raw bool, longest int) {
		name := "a.jpg"
		if raw {
			name = "a.dng"
		}
		if longest < 0 || longest > 4096 {
			longest = 0
		}
		opts := Options{Longest: longest, MaxPixels: 4 << 20, MaxBytes: 256 << 20}
		img, err := Decode(write(t, name, data), opts)
		switch {
		case err != nil && photo.KindOf(err) == "":
			t.Errorf("an error of no kind: %v", err)
		case err == nil && (img.Width < 1 || img.Height < 1 || len(img.Pix) != img.Width*img.Height*3):
			t.Errorf("%d × %d pixels in %d bytes", img.Width, img.Height, len(img.Pix))
		case err == nil && max(img.Width, img.Height) < min(longest, max(img.OrigWidth, img.OrigHeight)):
			t.Errorf("%d × %d for %d", img.Width, img.Height, longest)
		}
	})
}
