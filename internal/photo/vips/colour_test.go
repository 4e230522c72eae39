package vips

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"testing"
)

// What is 8-bit sRGB already comes out bit by bit as it is, with no profile, a
// profile that means sRGB, and one that means nothing.
func TestColoursStay(t *testing.T) {
	img := colourful(61, 47)
	plain := pngOf(t, img)
	for name, data := range map[string][]byte{
		"untagged":       plain,
		"sRGB":           withProfile(plain, profile(srgbPrimaries)),
		"broken profile": withProfile(plain, []byte("this is no profile, but it is long enough to be read as one: "+string(make([]byte, 200)))),
		"cut profile":    withProfile(plain, profile(srgbPrimaries)[:150]),
	} {
		got := decode(t, write(t, "a.png", data), Options{})
		if !bytes.Equal(got.Pix, rgbOf(img)) {
			t.Errorf("%s: pixels have changed", name)
		}
	}
}

func TestColoursThroughProfile(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = [4]uint8{200, 100, 50, 255}[i%4]
	}
	// Display P3 (200, 100, 50) is more than that in sRGB: by the published
	// matrices (214, 95, 31).
	got := decode(t, write(t, "p3.png", withProfile(pngOf(t, img), profile(p3Primaries))), Options{})
	if c := at(got, 0.5, 0.5); !near(c, rgb{214, 95, 31}, 4) {
		t.Errorf("Display P3: %v", c)
	}
	// Primaries in another order are other colours.
	swapped := [3][3]float64{srgbPrimaries[1], srgbPrimaries[0], srgbPrimaries[2]}
	got = decode(t, write(t, "swap.png", withProfile(pngOf(t, img), profile(swapped))), Options{})
	if c := at(got, 0.5, 0.5); !near(c, rgb{100, 200, 50}, 2) {
		t.Errorf("swapped: %v", c)
	}
}

func TestColourSpaces(t *testing.T) {
	box := image.Rect(0, 0, 16, 16)
	fill := func(img interface {
		image.Image
		Set(x, y int, c color.Color)
	}, c color.Color) image.Image {
		for y := range 16 {
			for x := range 16 {
				img.Set(x, y, c)
			}
		}
		return img
	}
	for _, c := range []struct {
		name string
		img  image.Image
		want rgb
	}{
		{"grey", fill(image.NewGray(box), color.Gray{77}), rgb{77, 77, 77}},
		{"grey, 16 bits", fill(image.NewGray16(box), color.Gray16{0x4d80}), rgb{77, 77, 77}},
		{"16 bits", fill(image.NewNRGBA64(box), color.NRGBA64{0x10ff, 0x8000, 0xfe01, 0xffff}), rgb{16, 128, 254}},
		{"half clear", fill(image.NewNRGBA(box), color.NRGBA{200, 0, 100, 128}), rgb{227, 127, 177}},
		{"clear", fill(image.NewNRGBA(box), color.NRGBA{200, 0, 100, 0}), rgb{255, 255, 255}},
		{"clear, 16 bits", fill(image.NewNRGBA64(box), color.NRGBA64{0xc800, 0, 0x6400, 0x8000}), rgb{227, 127, 177}},
		{"palette", fill(image.NewPaletted(box, palette.WebSafe), color.NRGBA{0x33, 0x99, 0xff, 255}), rgb{0x33, 0x99, 0xff}},
		{"clear palette", fill(image.NewPaletted(box, color.Palette{color.NRGBA{9, 9, 9, 0}}), color.NRGBA{}), rgb{255, 255, 255}},
	} {
		got := decode(t, write(t, "a.png", pngOf(t, c.img)), Options{})
		if p := at(got, 0.5, 0.5); !near(p, c.want, 1) {
			t.Errorf("%s: %v, want %v", c.name, p, c.want)
		}
	}
}

// Clear pixels must not bleed their hidden colour when the picture is shrunk.
func TestShrinkOverWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 400, 400))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255 // red everywhere, clear everywhere
	}
	got := decode(t, write(t, "a.png", pngOf(t, img)), Options{Longest: 50})
	for i, v := range got.Pix {
		if v < 254 {
			t.Fatalf("byte %d is %d", i, v)
		}
	}
}
