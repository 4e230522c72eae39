package vips

import (
	"os"
	"path/filepath"
	"testing"

	"photodesc/internal/photo"
	"photodesc/internal/photo/tiff/tifftest"
)

// FuzzDecode gives libvips any bytes under any extension: it returns pixels that
// fit their size, or an error with a kind.
func FuzzDecode(f *testing.F) {
	list, err := filepath.Glob(examples + "/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, pattern := range []string{"*.heic", "*.avif", "*.webp", "*.png", "*.gif"} {
		kinds, err := filepath.Glob("testdata/*/" + pattern)
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, kinds...)
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
	for _, p := range fuzzTIFFs() {
		f.Add(tifftest.Encode(false, false, p), false, 0)
	}
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

// fuzzTIFFs are small pictures for each way in which a TIFF is read.
func fuzzTIFFs() []tifftest.Picture {
	small := func(p tifftest.Picture) tifftest.Picture {
		p.Width, p.Height = 9, 7
		p.At = func(x, y int, s []uint64) {
			for i := range s {
				s[i] = uint64(x*y + i)
			}
		}
		return p
	}
	yCbCr := small(tifftest.Picture{Photometric: 6, Samples: 3})
	yCbCr.Tags = []tifftest.Tag{{Tag: 530, Type: tifftest.Short, Values: []uint64{2, 2}}}
	yCbCr.Chunk = func(x, y, width, height int) []byte { return make([]byte, 5*4*6) }
	colours := make([]uint64, 3*16)
	return []tifftest.Picture{
		yCbCr,
		small(tifftest.Picture{Photometric: 2, Samples: 5, Bits: 12, Extra: []int{0, 1}, Planar: true, Tile: 16}),
		small(tifftest.Picture{Photometric: 2, Samples: 4, Bits: 32, Format: 3, Extra: []int{2}, Rows: 3}),
		small(tifftest.Picture{Photometric: 1, Bits: 64, Format: 2, Compression: 8}),
		small(tifftest.Picture{Photometric: 3, Bits: 4, Tags: []tifftest.Tag{{Tag: 320, Type: tifftest.Short, Values: colours}}}),
		small(tifftest.Picture{Photometric: 5, Samples: 5, Bits: 16, Extra: []int{2}}),
		small(tifftest.Picture{Photometric: 8, Samples: 4, Bits: 16, Extra: []int{2}, Orientation: 6}),
		small(tifftest.Picture{Photometric: 2, Samples: 3, Subfile: 1, SubIFDs: []tifftest.Picture{small(tifftest.Picture{Bits: 16, Format: 3})}}),
	}
}
