package vips

import (
	"path/filepath"
	"testing"

	"photodesc/internal/photo"
)

const examples = "../../../examples/photos"

type rgb [3]int

// at is the pixel at a place given in parts of width and height.
func at(img *Image, x, y float64) rgb {
	i := (int(y*float64(img.Height))*img.Width + int(x*float64(img.Width))) * 3
	return rgb{int(img.Pix[i]), int(img.Pix[i+1]), int(img.Pix[i+2])}
}

// near reports whether two colours differ by no more than tolerance in any channel.
func near(a, b rgb, tolerance int) bool {
	for i := range a {
		if d := a[i] - b[i]; d > tolerance || -d > tolerance {
			return false
		}
	}
	return true
}

func decode(tb testing.TB, path string, opts Options) *Image {
	tb.Helper()
	img, err := Decode(path, opts)
	if err != nil {
		tb.Fatal(err)
	}
	if len(img.Pix) != img.Width*img.Height*3 {
		tb.Fatalf("%d bytes for %d × %d pixels", len(img.Pix), img.Width, img.Height)
	}
	return img
}

// Every example shows what its name says, upright: the shape's colour at a
// place inside it, the ground's in the corner at the bottom right.
func TestExamples(t *testing.T) {
	const cornerX, cornerY = 0.25, 0.3 // where the orientation pictures have their shape
	white, black := rgb{255, 255, 255}, rgb{}
	for _, c := range []struct {
		name   string
		format string
		x, y   float64
		inside rgb
		ground rgb
	}{
		{"red-circle-orientation-1.jpg", photo.FormatJPEG, cornerX, cornerY, rgb{220, 20, 30}, white},
		{"green-square-orientation-2.jpg", photo.FormatJPEG, cornerX, cornerY, rgb{0, 140, 40}, white},
		{"blue-triangle-orientation-3.jpg", photo.FormatJPEG, cornerX, cornerY, rgb{30, 60, 220}, white},
		{"orange-star-orientation-4.jpg", photo.FormatJPEG, cornerX, cornerY, rgb{255, 140, 0}, black},
		{"purple-ring-orientation-5.jpg", photo.FormatJPEG, cornerX - 0.13, cornerY, rgb{128, 0, 128}, white},
		{"yellow-circle-orientation-6.jpg", photo.FormatJPEG, cornerX, cornerY, rgb{255, 225, 20}, rgb{0, 0, 90}},
		{"pink-square-orientation-7.jpg", photo.FormatJPEG, cornerX, cornerY, rgb{255, 105, 180}, rgb{90, 90, 90}},
		{"black-cross-orientation-8.jpg", photo.FormatJPEG, cornerX, cornerY, black, white},
		{"blue-ring-alpha.png", photo.FormatPNG, 0.29, 0.5, rgb{30, 60, 220}, white},
		{"yellow-star-on-blue.webp", photo.FormatWebP, 0.5, 0.5, rgb{255, 225, 20}, rgb{30, 60, 220}},
		{"green-triangle.tiff", photo.FormatTIFF, 0.5, 0.5, rgb{0, 140, 40}, white},
		{"purple-cross.avif", photo.FormatAVIF, 0.5, 0.5, rgb{128, 0, 128}, white},
		{"orange-square.heic", photo.FormatHEIF, 0.5, 0.5, rgb{255, 140, 0}, white},
		{"black-square-grey.jpg", photo.FormatJPEG, 0.5, 0.5, black, white},
		{"red-star-cmyk.jpg", photo.FormatJPEG, 0.5, 0.5, rgb{200, 30, 35}, white},
		{"pink-circle-16-bit.png", photo.FormatPNG, 0.5, 0.5, rgb{255, 105, 180}, white},
		{"brown-square-animated.gif", photo.FormatGIF, 0.5, 0.5, rgb{139, 69, 19}, white},
		{"red-ring-animated.webp", photo.FormatWebP, 0.29, 0.5, rgb{220, 20, 30}, white},
		{"black-triangle.bmp", photo.FormatBMP, 0.5, 0.5, black, white},
		{"red circle and blue square 🎈.jpg", photo.FormatJPEG, 0.72, 0.5, rgb{30, 60, 220}, white},
	} {
		for _, longest := range []int{0, 512, 100} {
			img := decode(t, filepath.Join(examples, c.name), Options{Longest: longest})
			if img.Format != c.format {
				t.Errorf("%s: format %s", c.name, img.Format)
			}
			if img.OrigWidth*3 != img.OrigHeight*4 { // all are 4:3 upright
				t.Errorf("%s: %d × %d", c.name, img.OrigWidth, img.OrigHeight)
			}
			tolerance := 4
			if c.name == "red-star-cmyk.jpg" {
				tolerance = 30 // there is no one right way from inks to sRGB
			}
			if got := at(img, c.x, c.y); !near(got, c.inside, tolerance) {
				t.Errorf("%s at %d: inside %v, want %v", c.name, longest, got, c.inside)
			}
			if got := at(img, 0.99, 0.99); !near(got, c.ground, 4) {
				t.Errorf("%s at %d: ground %v, want %v", c.name, longest, got, c.ground)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	got := make(map[string]Support)
	for _, f := range Formats() {
		got[f.Name] = f.Support
	}
	for _, f := range []string{photo.FormatJPEG, photo.FormatPNG, photo.FormatWebP, photo.FormatGIF, photo.FormatTIFF,
		photo.FormatHEIF, photo.FormatAVIF, photo.FormatBMP, photo.FormatRAW} {
		if got[f] != Yes {
			t.Errorf("%s: %q", f, got[f])
		}
	}
	if got[photo.FormatJXL] == Yes {
		t.Error("an untrusted loader is not blocked")
	}
	if Version() < "8.1" {
		t.Error(Version())
	}
}

func TestStartupAgain(t *testing.T) {
	if err := Startup(StartupOptions{}); err != nil {
		t.Error(err)
	}
	if err := Startup(StartupOptions{Untrusted: true}); err == nil {
		t.Error("other options are taken without a word")
	}
}
