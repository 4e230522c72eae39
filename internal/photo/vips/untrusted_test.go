package vips

import (
	"os"
	"os/exec"
	"testing"

	"photodesc/internal/photo"
)

// A PPM stands for all that only untrusted loaders read.
func TestUntrusted(t *testing.T) {
	ppm := write(t, "a.jpg", []byte("P6 2 1 255\n\x01\x02\x03\xf1\xf2\xf3"))
	svg := write(t, "a.png", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>`))
	if os.Getenv(untrustedEnv) == "" {
		failsAs(t, ppm, photo.Unsupported, "no picture of a known format")
		failsAs(t, svg, photo.Unsupported, "no photo")
		again := exec.Command(os.Args[0], "-test.run=^TestUntrusted$")
		again.Env = append(os.Environ(), untrustedEnv+"=1", "VIPS_BLOCK_UNTRUSTED=1")
		if out, err := again.CombinedOutput(); err != nil {
			t.Errorf("with untrusted loaders: %v\n%s", err, out)
		}
		return
	}
	img := decode(t, ppm, Options{})
	if img.Width != 2 || at(img, 0, 0) != (rgb{1, 2, 3}) || img.Format != "ppm" {
		t.Errorf("%+v", img)
	}
	failsAs(t, svg, photo.Unsupported, "no photo") // a drawing stays one
	failsAs(t, write(t, "a.jpg", []byte("just a text")), photo.Unsupported, "libvips does not know")
	failsAs(t, write(t, "a.jpg", make([]byte, 5000)), photo.Unreadable, "only zeros")
}

// Large files are read through their descriptor, not as a whole: the same pixels.
func TestThroughDescriptor(t *testing.T) {
	for _, name := range []string{"yellow-circle-orientation-6.jpg", "blue-ring-alpha.png", "green-triangle.tiff",
		"orange-square.heic", "yellow-star-on-blue.webp"} {
		path := write(t, name, read(t, name))
		for _, longest := range []int{0, 100} {
			whole := decode(t, path, Options{Longest: longest})
			inMemory = 0
			streamed := decode(t, path, Options{Longest: longest})
			inMemory = 64 << 20
			if string(whole.Pix) != string(streamed.Pix) {
				t.Errorf("%s for %d: other pixels", name, longest)
			}
		}
	}
}
