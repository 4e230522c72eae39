package vips

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"photodesc/internal/photo"
	"photodesc/internal/photo/tiff/tifftest"
)

// The pictures of these tests: a circle at the top left of a white ground.
var (
	circleRed = rgb{220, 20, 20}
	groundRGB = rgb{255, 255, 255}
)

// inCircle reports whether a place, in parts of width and height, is in the circle.
func inCircle(x, y float64) bool {
	const width = 4.0 / 3
	return math.Hypot((x-0.297)*width, y-0.333) < 0.27
}

// showsCircle fails the test unless the picture is a circle of this colour at the
// top left of white.
func showsCircle(t *testing.T, name string, img *Image, circle rgb, tolerance int) {
	t.Helper()
	for _, p := range []struct {
		x, y float64
		want rgb
	}{
		{0.297, 0.333, circle}, {0.15, 0.33, circle}, {0.42, 0.33, circle}, {0.3, 0.15, circle}, {0.3, 0.52, circle},
		{0.02, 0.02, groundRGB}, {0.75, 0.33, groundRGB}, {0.3, 0.8, groundRGB}, {0.75, 0.8, groundRGB}, {0.99, 0.99, groundRGB},
	} {
		if got := at(img, p.x, p.y); !near(got, p.want, tolerance) {
			t.Errorf("%s: %v at %v, %v, want %v", name, got, p.x, p.y, p.want)
			return
		}
	}
}

func gunzip(tb testing.TB, path string) []byte {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Files that other programs wrote.
func TestTIFFFiles(t *testing.T) {
	list, err := filepath.Glob("testdata/tiff/*.gz")
	if err != nil || len(list) != 15 {
		t.Fatal(err, list)
	}
	circles := map[string]rgb{
		"cmyk_selection.tif":    {208, 56, 54},
		"grey_f32_0to1.tif":     {158, 158, 158},
		"f32_prophoto_icc.tif":  {255, 0, 0},   // its numbers are those of sRGB
		"circle_logluv.tif":     {197, 22, 21}, // libtiff has another white
		"circle_fax_group4.tif": {0, 0, 0},
	}
	for _, path := range list {
		name := filepath.Base(path[:len(path)-len(".gz")])
		circle, ok := circles[name]
		if !ok {
			circle = circleRed
		}
		file := write(t, name, gunzip(t, path))
		for _, longest := range []int{0, 60} {
			img := decode(t, file, Options{Longest: longest})
			if img.OrigWidth != 160 || img.OrigHeight != 120 || img.Format != photo.FormatTIFF {
				t.Errorf("%s: %d × %d, %s", name, img.OrigWidth, img.OrigHeight, img.Format)
			}
			tolerance := 4
			if name == "circle_logluv.tif" {
				tolerance = 20
			}
			showsCircle(t, name, img, circle, tolerance)
		}
	}
}

// scene is the colour of a stored pixel, from 0 to 1, of a picture with an orientation.
func scene(x, y, width, height, orientation int) (r, g, b float64) {
	u, v := (float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height)
	switch orientation { // where it is when upright
	case 2:
		u = 1 - u
	case 3:
		u, v = 1-u, 1-v
	case 4:
		v = 1 - v
	case 5:
		u, v = v, u
	case 6:
		u, v = 1-v, u
	case 7:
		u, v = 1-v, 1-u
	case 8:
		u, v = v, 1-u
	}
	if inCircle(u, v) {
		return 220.0 / 255, 20.0 / 255, 20.0 / 255
	}
	return 1, 1, 1
}

// light is what a value as seen, from 0 to 1, is as light.
func light(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// rgbPicture is a picture of the scene whose colours f makes samples of; a fourth
// sample and those after it are zero.
func rgbPicture(p tifftest.Picture, f func(v float64) uint64) tifftest.Picture {
	p.Width, p.Height, p.Photometric = 64, 48, 2
	if p.Orientation >= 5 {
		p.Width, p.Height = 48, 64
	}
	p.Samples = max(p.Samples, 3)
	p.At = func(x, y int, s []uint64) {
		r, g, b := scene(x, y, p.Width, p.Height, p.Orientation)
		s[0], s[1], s[2] = f(r), f(g), f(b)
	}
	return p
}

// greyPicture is the scene's green: a dark circle on white.
func greyPicture(p tifftest.Picture, f func(v float64) uint64) tifftest.Picture {
	photometric, samples := p.Photometric, max(p.Samples, 1)
	p = rgbPicture(p, f)
	p.Photometric, p.Samples = photometric, samples
	p.At = func(x, y int, s []uint64) {
		_, g, _ := scene(x, y, p.Width, p.Height, p.Orientation)
		s[0] = f(g)
	}
	return p
}

// whole makes whole numbers from 0 to white.
func whole(white float64) func(float64) uint64 {
	return func(v float64) uint64 { return uint64(int64(math.Round(v * white))) }
}

func float32s(scale float64, seen bool) func(float64) uint64 {
	return func(v float64) uint64 { return uint64(math.Float32bits(float32(asLight(v, seen) * scale))) }
}

func asLight(v float64, seen bool) float64 {
	if seen {
		return v
	}
	return light(v)
}

func TestTIFFSamples(t *testing.T) {
	type picture = tifftest.Picture
	dark := rgb{20, 20, 20}
	const max32, max64 = 1<<32 - 1, 1<<64 - 1<<11
	kinds := 0
	for _, c := range []struct {
		name    string
		picture picture
		circle  rgb
	}{
		{"8 bits", rgbPicture(picture{}, whole(255)), circleRed},
		{"16 bits", rgbPicture(picture{Bits: 16}, whole(65535)), circleRed},
		{"4 bits", rgbPicture(picture{Bits: 4}, whole(15)), rgb{221, 17, 17}},
		{"2 bits", rgbPicture(picture{Bits: 2}, whole(3)), rgb{255, 0, 0}},
		{"1 bit", rgbPicture(picture{Bits: 1}, whole(1)), rgb{255, 0, 0}},
		{"10 bits", rgbPicture(picture{Bits: 10}, whole(1023)), circleRed},
		{"12 bits", rgbPicture(picture{Bits: 12}, whole(4095)), circleRed},
		{"14 bits", rgbPicture(picture{Bits: 14}, whole(1<<14-1)), circleRed},
		{"24 bits", rgbPicture(picture{Bits: 24}, whole(1<<24-1)), circleRed},
		{"31 bits", rgbPicture(picture{Bits: 31}, whole(1<<31-1)), circleRed},
		{"32 bits", rgbPicture(picture{Bits: 32}, whole(max32)), circleRed},
		{"32 bits, 8 of them used", rgbPicture(picture{Bits: 32}, whole(255)), circleRed},
		{"32 bits, 16 of them used", rgbPicture(picture{Bits: 32}, whole(65535)), circleRed},
		{"64 bits", rgbPicture(picture{Bits: 64}, whole64(max64)), circleRed},
		{"signed, 8 bits", rgbPicture(picture{Bits: 8, Format: 2}, whole(127)), circleRed},
		{"signed, 16 bits", rgbPicture(picture{Bits: 16, Format: 2}, whole(32767)), circleRed},
		{"signed, 16 bits, shifted", rgbPicture(picture{Bits: 16, Format: 2}, shifted(65535, -32768)), circleRed},
		{"signed, 12 bits", rgbPicture(picture{Bits: 12, Format: 2}, whole(2047)), circleRed},
		{"signed, 32 bits", rgbPicture(picture{Bits: 32, Format: 2}, whole(1<<31-1)), circleRed},
		{"a measurement, signed", greyPicture(picture{Bits: 16, Format: 2, Photometric: 1}, shifted(4000, -1024)), rgb{}},
		{"kind not told", rgbPicture(picture{Bits: 8, Format: 4}, whole(255)), circleRed},

		{"float", rgbPicture(picture{Bits: 32, Format: 3}, float32s(1, false)), circleRed},
		{"float to 255", rgbPicture(picture{Bits: 32, Format: 3}, float32s(255, true)), circleRed},
		{"float to 255, no whole numbers", rgbPicture(picture{Bits: 32, Format: 3}, float32s(254.9, true)), circleRed},
		{"float to 65535", rgbPicture(picture{Bits: 32, Format: 3}, float32s(65535, true)), circleRed},
		{"float, radiance", rgbPicture(picture{Bits: 32, Format: 3}, float32s(1800.5, false)), circleRed},
		{"float, little light", rgbPicture(picture{Bits: 32, Format: 3}, float32s(0.01, false)), circleRed},
		{"double", rgbPicture(picture{Bits: 64, Format: 3}, func(v float64) uint64 { return math.Float64bits(light(v)) }), circleRed},
		{"half", rgbPicture(picture{Bits: 16, Format: 3}, small(16)), circleRed},
		{"24-bit float", rgbPicture(picture{Bits: 24, Format: 3}, small(24)), circleRed},

		{"grey, 1 bit", greyPicture(picture{Bits: 1, Photometric: 1}, whole(1)), rgb{}},
		{"grey, 4 bits", greyPicture(picture{Bits: 4, Photometric: 1}, whole(15)), rgb{17, 17, 17}},
		{"grey, 12 bits", greyPicture(picture{Bits: 12, Photometric: 1}, whole(4095)), dark},
		{"grey, 16 bits", greyPicture(picture{Bits: 16, Photometric: 1}, whole(65535)), dark},
		{"grey, 12 of 16 bits used", greyPicture(picture{Bits: 16, Photometric: 1}, whole(4000)), dark},
		{"grey, float", greyPicture(picture{Bits: 32, Format: 3, Photometric: 1}, float32s(1, false)), dark},
		{"grey, double to 255", greyPicture(picture{Bits: 64, Format: 3, Photometric: 1},
			func(v float64) uint64 { return math.Float64bits(v * 255) }), dark},
		{"a measurement, float", greyPicture(picture{Bits: 32, Format: 3, Photometric: 1},
			func(v float64) uint64 { return uint64(math.Float32bits(float32(v*3000.5 - 500))) }), rgb{}},
		{"12 of 16 bits used", rgbPicture(picture{Bits: 16}, whole(4000)), circleRed},
		{"white is zero, 12 of 16 bits used", greyPicture(picture{Bits: 16}, inverted(4000)), rgb{}},
		{"white is zero, 1 bit", greyPicture(picture{Bits: 1}, inverted(1)), rgb{}},
		{"white is zero, 4 bits", greyPicture(picture{Bits: 4}, inverted(15)), rgb{17, 17, 17}},
		{"white is zero, 8 bits", greyPicture(picture{}, inverted(255)), dark},
		{"white is zero, 16 bits", greyPicture(picture{Bits: 16}, inverted(65535)), dark},
		{"white is zero, 32 bits", greyPicture(picture{Bits: 32}, inverted(max32)), dark},
		{"white is zero, float", greyPicture(picture{Bits: 32, Format: 3},
			func(v float64) uint64 { return uint64(math.Float32bits(float32(1 - light(v)))) }), dark},
		{"nothing told but sizes", greyPicture(picture{Without: []int{262}}, whole(255)), dark},
		{"nothing told but sizes, RGB", rgbPicture(picture{Without: []int{262}}, whole(255)), circleRed},
		{"bands without a meaning", withTags(rgbPicture(picture{Extra: []int{0, 0}}, whole(255)),
			tifftest.Tag{Tag: 262, Type: tifftest.Short, Values: []uint64{1}}), circleRed},
	} {
		p := c.picture
		kinds++
		for _, form := range []int{0, 1 + kinds%6, 7} {
			v := p
			v.Planar = form&1 != 0
			bigEndian, big := form&2 != 0, form&4 != 0
			switch form % 3 {
			case 1:
				v.Tile = 16
			case 2:
				v.Rows, v.Compression = 7, 8
			}
			data := tifftest.Encode(bigEndian, big, v)
			img := decode(t, write(t, "a.tif", data), Options{})
			name := fmt.Sprintf("%s, planar %v, big-endian %v, BigTIFF %v, tiles of %d, strips of %d",
				c.name, v.Planar, bigEndian, big, v.Tile, v.Rows)
			if img.Width != p.Width || img.Height != p.Height {
				t.Errorf("%s: %d × %d", name, img.Width, img.Height)
			}
			showsCircle(t, name, img, c.circle, 2)
		}
	}
	// What is merely black stays so.
	for _, p := range []picture{rgbPicture(picture{Bits: 16}, whole(150)), greyPicture(picture{Bits: 16, Photometric: 1}, whole(0)),
		rgbPicture(picture{Bits: 32}, whole(0)), rgbPicture(picture{Bits: 32, Format: 3}, float32s(0, false)),
		rgbPicture(picture{Bits: 32, Format: 3}, func(v float64) uint64 { return uint64(math.Float32bits(float32(math.NaN()))) })} {
		img := decode(t, write(t, "a.tif", tifftest.Encode(false, false, p)), Options{})
		if most := slices.Max(img.Pix); most > 1 {
			t.Errorf("black of %d bits is shown as %d", p.Bits, most)
		}
	}
}

func whole64(white float64) func(float64) uint64 {
	return func(v float64) uint64 { return uint64(v * white) }
}

func shifted(span, by float64) func(float64) uint64 {
	return func(v float64) uint64 { return uint64(int64(math.Round(v*span + by))) }
}

func inverted(white float64) func(float64) uint64 {
	return func(v float64) uint64 { return uint64(math.Round((1 - v) * white)) }
}

func small(bits int) func(float64) uint64 {
	return func(v float64) uint64 { return tifftest.Small(light(v), bits) }
}

func withTags(p tifftest.Picture, tags ...tifftest.Tag) tifftest.Picture {
	p.Tags = append(p.Tags, tags...)
	return p
}

// pictureOf is the scene as Go has it, for encoders that are given one.
func pictureOf(width, height, orientation int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			r, g, b := scene(x, y, width, height, orientation)
			img.SetNRGBA(x, y, color.NRGBA{uint8(r*255 + .5), uint8(g*255 + .5), uint8(b*255 + .5), 255})
		}
	}
	return img
}

// Large files are read through their descriptor: the same pixels from every reader.
func TestTIFFThroughDescriptor(t *testing.T) {
	for name, p := range map[string]tifftest.Picture{
		"half":  rgbPicture(tifftest.Picture{Bits: 16, Format: 3, Tile: 16}, small(16)),
		"YCbCr": yCbCrPicture(2, 2, 1, tifftest.Picture{}),
	} {
		path := write(t, "a.tif", tifftest.Encode(false, false, p))
		want := decode(t, path, Options{})
		inMemory = 0
		got, err := Decode(path, Options{})
		inMemory = 64 << 20
		if err != nil || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: other pixels, or %v", name, err)
		}
	}
}

// Nothing of libtiff's or libvips' is left over from pictures, whole and cut: a
// profile makes what would be left large.
func TestTIFFLeaks(t *testing.T) {
	var paths []string
	profile := tifftest.Tag{Tag: 34675, Type: tifftest.Undefined, Values: make([]uint64, 100_000)}
	for _, p := range []tifftest.Picture{yCbCrPicture(2, 2, 1, tifftest.Picture{}), rgbPicture(tifftest.Picture{Bits: 16, Format: 3}, small(16)),
		rgbPicture(tifftest.Picture{Samples: 4}, whole(255))} {
		p.Tags = append(p.Tags, profile)
		whole := tifftest.Encode(false, false, p)
		p.Tags = append(p.Tags, tifftest.Tag{Tag: 273, Type: tifftest.Long, Values: []uint64{uint64(len(whole)) - 10}})
		paths = append(paths, write(t, "a.tif", whole), write(t, "a.tif", tifftest.Encode(false, false, p)))
	}
	round := func(times int) {
		for i := range times {
			if _, err := Decode(paths[i%len(paths)], Options{}); (err != nil) != (i%2 == 1) {
				t.Fatal(i, err)
			}
		}
	}
	round(100)
	before := anonymous(t)
	round(300)
	b, a := Memory()
	for range 50 { // a thread of libvips' own may still be putting away a buffer
		if b, a = Memory(); b == 0 && a == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if b > 0 || a > 0 {
		t.Errorf("libvips holds %d bytes in %d pieces", b, a)
	}
	const most = 10 << 20 // a profile each would be 28 MB
	if grown := anonymous(t) - before; grown > most {
		t.Errorf("anonymous memory has grown by %d KiB", grown>>10)
	}
}
