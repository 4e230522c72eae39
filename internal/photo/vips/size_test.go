package vips

import (
	"bytes"
	"fmt"
	"testing"

	"photodesc/internal/photo"
)

// What is decoded is long enough for the caller, not much longer, and keeps its shape.
func TestSizes(t *testing.T) {
	for _, c := range []struct{ width, height int }{
		{1, 1}, {2, 1}, {1, 5000}, {5000, 1}, {3, 4000}, {100, 75}, {1023, 511}, {1024, 768}, {1025, 769},
		{2047, 1000}, {600, 2049},
	} {
		img := colourful(c.width, c.height)
		for name, data := range map[string][]byte{"jpg": jpegOf(t, img), "png": pngOf(t, img)} {
			path := write(t, "a."+name, data)
			for _, longest := range []int{0, 1, 64, 512, 1000, 2048} {
				what := fmt.Sprintf("%s %d × %d for %d", name, c.width, c.height, longest)
				got := decode(t, path, Options{Longest: longest})
				if got.OrigWidth != c.width || got.OrigHeight != c.height {
					t.Errorf("%s: the original is %d × %d", what, got.OrigWidth, got.OrigHeight)
				}
				edge, orig := max(got.Width, got.Height), max(c.width, c.height)
				if longest == 0 {
					longest = orig
				}
				if edge < min(longest, orig) || edge > 2*longest+1 {
					t.Errorf("%s: decoded %d × %d", what, got.Width, got.Height)
				}
				// The shape, to a pixel of rounding either way.
				short := float64(min(c.width, c.height)) * float64(edge) / float64(orig)
				if d := float64(min(got.Width, got.Height)) - short; d > 1.01 || d < -1.01 {
					t.Errorf("%s: decoded %d × %d, another shape", what, got.Width, got.Height)
				}
			}
		}
	}
}

// A picture that is not larger than twice the need has exactly the file's pixels.
func TestPixelsExact(t *testing.T) {
	img := colourful(640, 480)
	path := write(t, "a.png", pngOf(t, img))
	for _, longest := range []int{0, 320, 512, 640, 2048} {
		got := decode(t, path, Options{Longest: longest})
		if !bytes.Equal(got.Pix, rgbOf(img)) {
			t.Errorf("for %d the pixels have changed (%d × %d)", longest, got.Width, got.Height)
		}
	}
}

func TestLimits(t *testing.T) {
	img := colourful(1000, 500)
	webp := read(t, "yellow-star-on-blue.webp")
	for _, c := range []struct {
		name string
		data []byte
		opts Options
		kind photo.Kind
	}{
		{"at the limit", pngOf(t, img), Options{MaxPixels: 500_000}, ""},
		{"a pixel over", pngOf(t, img), Options{MaxPixels: 499_999}, photo.TooLarge},
		{"a BMP over", read(t, "black-triangle.bmp"), Options{MaxPixels: 1000}, photo.TooLarge},
		{"memory of the result", jpegOf(t, img), Options{MaxBytes: 1 << 20}, photo.TooLarge},
		{"less when it is shrunk", jpegOf(t, img), Options{MaxBytes: 1 << 20, Longest: 250}, ""},
		{"memory of the decoder", webp, Options{MaxBytes: 1 << 20}, photo.TooLarge},
		{"of a file", webp, Options{MaxBytes: 1 << 10}, photo.TooLarge},
	} {
		_, err := Decode(write(t, "a", c.data), c.opts)
		if got := photo.KindOf(err); got != c.kind {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}
