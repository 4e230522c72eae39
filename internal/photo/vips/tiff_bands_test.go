package vips

import (
	"fmt"
	"math"
	"testing"

	"photodesc/internal/photo/tiff/tifftest"
)

// Bands that are no alpha are no alpha, and those that are lie over white.
func TestTIFFBands(t *testing.T) {
	// with sets samples from the fourth on, everywhere alike or where the circle is.
	with := func(p tifftest.Picture, circle, ground []uint64) tifftest.Picture {
		p.Samples = 3 + len(ground)
		bits := p.Bits
		white := math.Exp2(float64(max(bits, 8))) - 1
		p = rgbPicture(p, whole(white))
		colours := p.At
		p.At = func(x, y int, s []uint64) {
			colours(x, y, s)
			extra := ground
			if s[1] < uint64(white) {
				extra = circle
			} else if ground[0] == 0 && p.Extra[0] != 0 {
				s[0], s[1], s[2] = 0, 0, 0 // black, were it seen
			}
			copy(s[3:], extra)
		}
		return p
	}
	type picture = tifftest.Picture
	for _, c := range []struct {
		name    string
		picture picture
		circle  rgb
	}{
		{"a selection", with(picture{Extra: []int{0}}, []uint64{0}, []uint64{0}), circleRed},
		{"a selection, nothing told", with(picture{Extra: []int{0}, Without: []int{338}}, []uint64{0}, []uint64{0}), circleRed},
		{"infrared", with(picture{Bits: 16, Extra: []int{0}}, []uint64{10000}, []uint64{10000}), circleRed},
		{"alpha", with(picture{Extra: []int{2}}, []uint64{255}, []uint64{0}), circleRed},
		{"alpha, 16 bits", with(picture{Bits: 16, Extra: []int{2}}, []uint64{65535}, []uint64{0}), circleRed},
		{"alpha, 12 bits", with(picture{Bits: 12, Extra: []int{2}}, []uint64{4095}, []uint64{0}), circleRed},
		{"half alpha", with(picture{Extra: []int{2}}, []uint64{128}, []uint64{255}), rgb{237, 137, 137}},
		{"premultiplied", with(picture{Extra: []int{1}}, []uint64{220}, []uint64{0}), rgb{255, 55, 55}},
		{"alpha and a spot colour", with(picture{Extra: []int{2, 0}}, []uint64{255, 0}, []uint64{255, 0}), circleRed},
		{"a spot colour and alpha", with(picture{Extra: []int{0, 2}}, []uint64{0, 255}, []uint64{0, 255}), circleRed},
		{"a spot colour and alpha, 16 bits", with(picture{Bits: 16, Extra: []int{0, 1}}, []uint64{0, 65535}, []uint64{0, 65535}), circleRed},
		{"alpha, float", floatAlpha(1, 2), circleRed},
		{"alpha, float, premultiplied", floatAlpha(1, 1), circleRed},
		{"alpha, float to 255", floatAlpha(255, 2), circleRed},
		{"five spot colours", with(picture{Extra: []int{0, 0, 0, 0, 0}}, []uint64{1, 2, 3, 4, 5}, []uint64{1, 2, 3, 4, 0}), circleRed},
	} {
		for _, planar := range []bool{false, true} {
			for _, tile := range []int{0, 16} {
				p := c.picture
				p.Planar, p.Tile = planar, tile
				img := decode(t, write(t, "a.tif", tifftest.Encode(planar, false, p)), Options{})
				showsCircle(t, fmt.Sprintf("%s, planar %v, tiles of %d", c.name, planar, tile), img, c.circle, 2)
			}
		}
	}

	// Grey, palettes and inks, each with a band that hides nothing and with alpha.
	palette := tifftest.Tag{Tag: 320, Type: tifftest.Short, Values: paletteOf(16, 65535)}
	large := tifftest.Tag{Tag: 320, Type: tifftest.Short, Values: paletteOf(1<<16, 65535)}
	dim := tifftest.Tag{Tag: 320, Type: tifftest.Short, Values: paletteOf(16, 255)}
	index := func(v float64) uint64 { return uint64(3 * (1 - math.Floor(v))) }
	for _, c := range []struct {
		name    string
		picture picture
		circle  rgb
	}{
		{"grey", greyPicture(picture{Photometric: 1, Samples: 2, Extra: []int{0}}, whole(255)), rgb{20, 20, 20}},
		{"palette", withTags(greyPicture(picture{Photometric: 3, Bits: 4}, index), palette), circleRed},
		{"palette, of 8 bits", withTags(greyPicture(picture{Photometric: 3, Bits: 4}, index), dim), circleRed},
		{"palette, large", withTags(greyPicture(picture{Photometric: 3, Bits: 16}, index), large), circleRed},
		{"palette and a band", withTags(greyPicture(picture{Photometric: 3, Bits: 4, Samples: 2, Extra: []int{0}}, index), palette), circleRed},
		{"inks", inks(picture{}, 255), rgb{}},
		{"inks and a band", inks(picture{Extra: []int{0}}, 0), rgb{}},
		{"inks and alpha", inks(picture{Extra: []int{2}}, 255), rgb{}},
		{"inks, 16 bits, and a band", inks(picture{Bits: 16, Extra: []int{0}}, 0), rgb{}},
		{"inks, 16 bits", inks(picture{Bits: 16}, 0), rgb{}},
	} {
		for _, planar := range []bool{false, true} {
			p := c.picture
			p.Planar = planar
			img := decode(t, write(t, "a.tif", tifftest.Encode(false, planar, p)), Options{})
			if c.picture.Photometric == 5 { // there is no one right way from inks to sRGB
				if in := at(img, 0.297, 0.333); in[0] < 170 || in[1] > 90 || in[2] > 90 || !near(at(img, 0.9, 0.9), groundRGB, 2) {
					t.Errorf("%s: %v on %v", c.name, in, at(img, 0.9, 0.9))
				}
				continue
			}
			showsCircle(t, c.name, img, c.circle, 2)
		}
	}
}

// floatAlpha is the scene in floating point, opaque where the circle is and
// nothing elsewhere.
func floatAlpha(scale float64, extra int) tifftest.Picture {
	p := rgbPicture(tifftest.Picture{Bits: 32, Format: 3, Samples: 4, Extra: []int{extra}}, float32s(scale, scale > 1))
	colours := p.At
	white := float32s(scale, scale > 1)(1)
	p.At = func(x, y int, s []uint64) {
		colours(x, y, s)
		if s[1] == white {
			clear(s)
		} else {
			s[3] = white
		}
	}
	return p
}

// paletteOf has the circle's colour at index 3 and white at 0; all else is green.
func paletteOf(n int, white float64) []uint64 {
	v := make([]uint64, 3*n)
	for i := range n {
		v[n+i] = uint64(white)
	}
	for b := range 3 {
		v[b*n] = uint64(white)
		v[b*n+3] = uint64(math.Round(float64(circleRed[b]) / 255 * white))
	}
	return v
}

// inks is the scene in CMYK, with a fifth sample if there are extra ones.
func inks(p tifftest.Picture, fifth uint64) tifftest.Picture {
	extra := len(p.Extra)
	p = rgbPicture(p, whole(math.Exp2(float64(max(p.Bits, 8)))-1))
	p.Photometric, p.Samples = 5, 4+extra
	colours, white := p.At, uint64(math.Exp2(float64(max(p.Bits, 8)))-1)
	p.At = func(x, y int, s []uint64) {
		colours(x, y, s)
		for i := range 3 {
			s[i] = white - s[i]
		}
		s[3] = 0
		if extra > 0 {
			s[4] = fifth
		}
	}
	return p
}
