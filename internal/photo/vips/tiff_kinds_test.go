package vips

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"photodesc/internal/photo"
	"photodesc/internal/photo/tiff/tifftest"
)

// yCbCrPicture is the scene in YCbCr, subsampled by h × v.
func yCbCrPicture(h, v, orientation int, p tifftest.Picture) tifftest.Picture {
	p = rgbPicture(tifftest.Picture{Orientation: orientation, Rows: p.Rows, Tile: p.Tile}, whole(255))
	p.Photometric = 6
	short := func(tag int, values ...uint64) tifftest.Tag {
		return tifftest.Tag{Tag: tag, Type: tifftest.Short, Values: values}
	}
	p.Tags = []tifftest.Tag{short(530, uint64(h), uint64(v)),
		{Tag: 532, Type: tifftest.Rational, Values: []uint64{0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1}}}
	p.Chunk = func(x0, y0, width, height int) []byte {
		var out []byte
		for y := y0; y < y0+height; y += v {
			for x := x0; x < x0+width; x += h {
				var cb, cr float64
				for j := range v {
					for i := range h {
						r, g, b := scene(min(x+i, p.Width-1), min(y+j, p.Height-1), p.Width, p.Height, orientation)
						out = append(out, byte(math.Round((0.299*r+0.587*g+0.114*b)*255)))
						cb += -0.168736*r - 0.331264*g + 0.5*b
						cr += 0.5*r - 0.418688*g - 0.081312*b
					}
				}
				n := float64(h * v)
				out = append(out, byte(math.Min(255, math.Round(cb/n*255+128))), byte(math.Min(255, math.Round(cr/n*255+128))))
			}
		}
		return out
	}
	return p
}

func TestTIFFYCbCr(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}, {4, 4}} {
		for orientation := 1; orientation <= 8; orientation++ {
			for i, form := range []tifftest.Picture{{}, {Rows: 16}, {Tile: 16}} {
				if i > 0 && orientation%2+1 != i {
					continue
				}
				p := yCbCrPicture(s[0], s[1], orientation, form)
				img := decode(t, write(t, "a.tif", tifftest.Encode(orientation%2 == 0, false, p)), Options{})
				name := fmt.Sprintf("%v, orientation %d, %d rows, tiles of %d", s, orientation, form.Rows, form.Tile)
				if img.OrigWidth != 64 || img.OrigHeight != 48 {
					t.Errorf("%s: %d × %d", name, img.OrigWidth, img.OrigHeight)
				}
				showsCircle(t, name, img, circleRed, 3)
			}
		}
	}
	// Sizes that are no multiple of what shares a colour.
	for _, s := range [][2]int{{2, 1}, {2, 2}, {4, 1}, {4, 4}} {
		for _, form := range []tifftest.Picture{{}, {Rows: 8}, {Tile: 16}} {
			p := yCbCrPicture(s[0], s[1], 1, form)
			p.Width, p.Height = 61, 47
			img := decode(t, write(t, "a.tif", tifftest.Encode(false, false, p)), Options{})
			showsCircle(t, fmt.Sprintf("%v, 61 × 47, %d rows, tiles of %d", s, form.Rows, form.Tile), img, circleRed, 3)
		}
	}
	// Planes of their own, and what libtiff does not convert.
	planar := yCbCrPicture(1, 1, 1, tifftest.Picture{})
	planar.Planar, planar.Samples = true, 3
	planes, pixels := 0, planar.Chunk
	planar.Chunk = func(x, y, width, height int) []byte {
		var out []byte
		for i, v := range pixels(x, y, width, height) {
			if i%3 == planes {
				out = append(out, v)
			}
		}
		planes++
		return out
	}
	showsCircle(t, "planar", decode(t, write(t, "a.tif", tifftest.Encode(false, false, planar)), Options{}), circleRed, 3)
	odd := yCbCrPicture(2, 4, 1, tifftest.Picture{})
	failsAs(t, write(t, "a.tif", tifftest.Encode(false, false, odd)), photo.Unsupported, "this kind of TIFF is not read")
}

// A whole JPEG in a strip, of both kinds, with every orientation.
func TestTIFFJPEG(t *testing.T) {
	for orientation := 1; orientation <= 8; orientation++ {
		p := rgbPicture(tifftest.Picture{Orientation: orientation, Compression: 7}, whole(255))
		p.Photometric = 6
		data := jpegOf(t, pictureOf(p.Width, p.Height, orientation))
		p.Tags = []tifftest.Tag{{Tag: 530, Type: tifftest.Short, Values: []uint64{2, 2}}}
		p.Chunk = func(x, y, width, height int) []byte { return data }
		for _, compression := range []int{7, 6} {
			p.Compression = compression
			file := tifftest.Encode(false, false, p)
			if compression == 6 {
				where := uint64(bytes.Index(file, data))
				p.Tags = append(p.Tags, tifftest.Tag{Tag: 513, Type: tifftest.Long, Values: []uint64{where}},
					tifftest.Tag{Tag: 514, Type: tifftest.Long, Values: []uint64{uint64(len(data))}})
				file = tifftest.Encode(false, false, p)
			}
			img := decode(t, write(t, "a.tif", file), Options{})
			if img.OrigWidth != 64 || img.OrigHeight != 48 {
				t.Errorf("%d × %d", img.OrigWidth, img.OrigHeight)
			}
			showsCircle(t, fmt.Sprintf("compression %d, orientation %d", compression, orientation), img, circleRed, 12)
		}
	}
}

// Every reader turns the picture upright.
func TestTIFFOrientation(t *testing.T) {
	for orientation := range 9 {
		for name, p := range map[string]tifftest.Picture{
			"plain":  rgbPicture(tifftest.Picture{Orientation: orientation}, whole(255)),
			"16 bit": rgbPicture(tifftest.Picture{Orientation: orientation, Bits: 16}, whole(65535)),
			"float":  rgbPicture(tifftest.Picture{Orientation: orientation, Bits: 32, Format: 3, Tile: 16}, float32s(1, false)),
		} {
			img := decode(t, write(t, "a.tif", tifftest.Encode(false, false, p)), Options{})
			if img.OrigWidth != 64 || img.OrigHeight != 48 || img.Width != 64 {
				t.Errorf("%s, orientation %d: %d × %d", name, orientation, img.OrigWidth, img.OrigHeight)
			}
			showsCircle(t, fmt.Sprintf("%s, orientation %d", name, orientation), img, circleRed, 2)
		}
	}
}

// The main picture is found wherever it is.
func TestTIFFMainPicture(t *testing.T) {
	type picture = tifftest.Picture
	blue := func(p picture, width, height int) picture {
		p.Width, p.Height, p.Photometric, p.Samples = width, height, 2, 3
		p.At = func(x, y int, s []uint64) { s[0], s[1], s[2] = 20, 20, 220 }
		return p
	}
	white := func(p picture) picture { return rgbPicture(p, func(float64) uint64 { return 255 }) }
	main := func(p picture) picture { return rgbPicture(p, whole(255)) }
	half := func(p picture) picture {
		p.Bits, p.Format = 16, 3
		return rgbPicture(p, small(16))
	}
	thumbnail := blue(picture{Subfile: 1}, 32, 24)
	old := blue(picture{Tags: []tifftest.Tag{{Tag: 255, Type: tifftest.Short, Values: []uint64{2}}}}, 32, 24)
	mask := blue(picture{Subfile: 4}, 64, 48)
	within := func(p picture, subs ...picture) picture {
		p.SubIFDs = subs
		return p
	}
	for name, pages := range map[string][]picture{
		"thumbnail first":             {thumbnail, main(picture{})},
		"thumbnail first, old tag":    {old, main(picture{})},
		"thumbnail first, half":       {thumbnail, half(picture{})},
		"thumbnail first, YCbCr":      {thumbnail, yCbCrPicture(2, 2, 1, picture{})},
		"thumbnail unmarked":          {blue(picture{}, 16, 12), main(picture{})},
		"mask first":                  {mask, main(picture{})},
		"thumbnail last":              {main(picture{}), thumbnail},
		"in a SubIFD":                 {within(thumbnail, main(picture{}))},
		"in a SubIFD, half":           {within(thumbnail, half(picture{}))},
		"in a SubIFD, YCbCr":          {within(thumbnail, yCbCrPicture(2, 1, 1, picture{}))},
		"in the second SubIFD":        {within(thumbnail, thumbnail, main(picture{}))},
		"largest SubIFD":              {within(thumbnail, blue(picture{}, 60, 48), main(picture{}))},
		"in a SubIFD of page 2":       {mask, within(thumbnail, main(picture{}))},
		"pages":                       {main(picture{Subfile: 2}), blue(picture{Subfile: 2}, 640, 480)},
		"page with a smaller SubIFD":  {within(main(picture{}), blue(picture{}, 32, 24))},
		"reduced only":                {thumbnail, main(picture{Subfile: 1})},
		"blank page first":            {white(picture{Subfile: 2}), mask, main(picture{Subfile: 2})},
		"blank page first, half":      {white(picture{}), white(picture{}), half(picture{})},
		"its thumbnail's orientation": {within(blue(picture{Subfile: 1, Orientation: 6}, 24, 32), turned(6))},
		"page 2's first orientation":  {blue(picture{Subfile: 1, Orientation: 3}, 32, 24), turned(3)},
		"its own orientation":         {within(blue(picture{Subfile: 1, Orientation: 6}, 24, 32), main(picture{Orientation: 8}))},
	} {
		for _, big := range []bool{false, true} {
			img := decode(t, write(t, "a.tif", tifftest.Encode(big, big, pages...)), Options{})
			if img.OrigWidth != 64 || img.OrigHeight != 48 {
				t.Errorf("%s: %d × %d", name, img.OrigWidth, img.OrigHeight)
			}
			showsCircle(t, name, img, circleRed, 3)
		}
	}
	// Nothing but blank pages, or damaged ones after it: the first.
	broken := main(picture{Tags: []tifftest.Tag{{Tag: 273, Type: tifftest.Long, Values: []uint64{1 << 30}}}})
	for _, pages := range [][]picture{{white(picture{}), white(picture{})}, {white(picture{}), broken}} {
		img := decode(t, write(t, "a.tif", tifftest.Encode(false, false, pages...)), Options{})
		if img.Width != 64 || !blank(img) {
			t.Errorf("%d pages: %d × %d", len(pages), img.Width, img.Height)
		}
	}
}

// turned is the picture stored as with an orientation that its own directory does not tell.
func turned(orientation int) tifftest.Picture {
	p := rgbPicture(tifftest.Picture{Orientation: orientation}, whole(255))
	p.Orientation = 0
	return p
}

// A camera's sensor data under a TIFF's name: the preview is described.
func TestTIFFSensor(t *testing.T) {
	preview := rgbPicture(tifftest.Picture{Subfile: 1, Compression: 7}, whole(255))
	data := jpegOf(t, pictureOf(64, 48, 1))
	preview.Chunk = func(x, y, width, height int) []byte { return data }
	preview.Photometric = 6
	sensor := greyPicture(tifftest.Picture{Photometric: 32803, Bits: 12}, whole(4095))
	for name, page := range map[string]tifftest.Picture{"first": preview, "sensor first": sensor} {
		page.SubIFDs = []tifftest.Picture{sensor, preview}
		img := decode(t, write(t, "a.tif", tifftest.Encode(false, false, page)), Options{})
		if img.Format != photo.FormatRAW {
			t.Errorf("%s: %s", name, img.Format)
		}
		showsCircle(t, name, img, circleRed, 12)
	}
}

func TestTIFFLab(t *testing.T) {
	// The circle's colour and white in CIELab.
	const l, a, b = 46.0, 68.6, 50.5
	signed := func(v, scale float64) uint64 { return uint64(int64(math.Round(v * scale))) }
	for _, c := range []struct {
		name              string
		photometric, bits int
		circle, ground    [3]uint64
	}{
		{"CIELab, 8 bits", 8, 8, [3]uint64{signed(l, 2.55), signed(a, 1), signed(b, 1)}, [3]uint64{255, 0, 0}},
		{"CIELab, 16 bits", 8, 16, [3]uint64{signed(l, 655.35), signed(a, 256), signed(b, 256)}, [3]uint64{65535, 0, 0}},
		{"ICCLab, 8 bits", 9, 8, [3]uint64{signed(l, 2.55), signed(a+128, 1), signed(b+128, 1)}, [3]uint64{255, 128, 128}},
		{"ICCLab, 16 bits", 9, 16, [3]uint64{signed(l, 652.8), signed(a+128, 256), signed(b+128, 256)}, [3]uint64{0xff00, 0x8000, 0x8000}},
	} {
		for _, extra := range []int{-1, 0, 1, 2} {
			for _, format := range []int{1, 2} {
				p := rgbPicture(tifftest.Picture{Bits: c.bits, Format: format, Planar: extra == 0}, whole(255))
				p.Photometric = c.photometric
				if extra >= 0 {
					p.Samples, p.Extra = 4, []int{extra}
				}
				colours := p.At
				p.At = func(x, y int, s []uint64) {
					colours(x, y, s)
					v := c.ground
					if s[1] < 255 {
						v = c.circle
					}
					copy(s, v[:])
					if extra > 0 {
						s[3] = 1<<c.bits - 1
					}
				}
				img := decode(t, write(t, "a.tif", tifftest.Encode(true, false, p)), Options{})
				showsCircle(t, fmt.Sprintf("%s, extra %d, format %d", c.name, extra, format), img, rgb{219, 21, 29}, 12)
			}
		}
	}
}

// Whole files of kinds that are not read say so, and are not called damaged.
func TestTIFFNotRead(t *testing.T) {
	type picture = tifftest.Picture
	ones := func(p picture) picture {
		p.Width, p.Height = 8, 8
		p.At = func(x, y int, s []uint64) {}
		return p
	}
	short := func(tag int, values ...uint64) tifftest.Tag {
		return tifftest.Tag{Tag: tag, Type: tifftest.Short, Values: values}
	}
	data := func(x, y, width, height int) []byte { return make([]byte, 500) }
	for _, c := range []struct {
		picture picture
		text    string
	}{
		{ones(picture{Photometric: 1, Bits: 64, Format: 6}), "not real numbers"},
		{ones(picture{Photometric: 1, Bits: 128, Format: 3}), "128 bits"},
		{ones(picture{Photometric: 1, Bits: 48}), "48 bits"},
		{ones(picture{Photometric: 5, Samples: 3}), "3 samples a pixel"},
		{ones(picture{Photometric: 5, Samples: 4, Tags: []tifftest.Tag{short(332, 2)}}), "inks"},
		{ones(picture{Photometric: 2, Samples: 3, Tags: []tifftest.Tag{short(258, 5, 6, 5)}}), "different numbers of bits"},
		{ones(picture{Photometric: 2, Samples: 3, Tags: []tifftest.Tag{short(339, 1, 3, 1)}}), "different kinds"},
		{ones(picture{Photometric: 8, Samples: 3, Bits: 32, Format: 3}), "Lab"},
		{ones(picture{Photometric: 3, Bits: 32}), "palette"},
		{ones(picture{Photometric: 10, Samples: 3}), "photometric interpretation 10"},
		{ones(picture{Photometric: 51177}), "photometric interpretation 51177"},
		{ones(picture{Photometric: 6, Samples: 3, Bits: 16}), "YCbCr"},
		{ones(picture{Photometric: 2, Samples: 3, Tags: []tifftest.Tag{short(346, 1)}}), "table"},
		{ones(picture{Photometric: 1, Compression: 7, Bits: 12, Chunk: data}), "12 bits"},
		{ones(picture{Photometric: 1, Compression: 40000, Chunk: data}), "ompression"},
		{ones(picture{Photometric: 1, Compression: 40000, Bits: 12, Chunk: data}), "ompression"},
		{ones(picture{Photometric: 1, Compression: 5, Bits: 12, Tags: []tifftest.Tag{short(317, 2)}, Chunk: data}), "12-bit"},
		{ones(picture{Photometric: 32803, Bits: 12}), "no preview"},
	} {
		path := write(t, "a.tif", tifftest.Encode(false, false, c.picture))
		failsAs(t, path, photo.Unsupported, c.text)
		if _, err := Decode(path, Options{}); err != nil && strings.Contains(err.Error(), "damaged") {
			t.Error(err)
		}
	}
}

// A profile counts whichever reader has read the picture, and white stays white.
func TestTIFFProfile(t *testing.T) {
	type picture = tifftest.Picture
	icc := tifftest.Tag{Tag: 34675, Type: tifftest.Undefined}
	for _, b := range profile(p3Primaries) {
		icc.Values = append(icc.Values, uint64(b))
	}
	for name, p := range map[string]picture{
		"plain":        rgbPicture(picture{}, whole(255)),
		"a selection":  rgbPicture(picture{Samples: 4, Extra: []int{0}}, whole(255)),
		"12 bits":      rgbPicture(picture{Bits: 12}, whole(4095)),
		"32 bits":      rgbPicture(picture{Bits: 32}, whole(1<<32-1)),
		"float":        rgbPicture(picture{Bits: 32, Format: 3}, float32s(1, true)),
		"float to 255": rgbPicture(picture{Bits: 32, Format: 3}, float32s(255, true)),
		"YCbCr":        yCbCrPicture(1, 1, 1, picture{}),
	} {
		p.Tags = append(p.Tags, icc)
		img := decode(t, write(t, "a.tif", tifftest.Encode(false, false, p)), Options{})
		showsCircle(t, name, img, rgb{240, 0, 0}, 5) // beyond sRGB's red
	}
}

// What ends early fails, whichever reader finds it, and a thumbnail does not
// stand for a picture that is gone.
func TestTIFFCut(t *testing.T) {
	for _, p := range fuzzTIFFs() {
		decode(t, write(t, "a.tif", tifftest.Encode(false, false, p)), Options{})
		// The last strip or tile lies at the end of the file, and beyond.
		for len(p.SubIFDs) > 0 {
			p = p.SubIFDs[0]
		}
		size := uint64(len(tifftest.Encode(false, false, p)))
		where := tifftest.Tag{Tag: 273, Type: tifftest.Long, Values: []uint64{size - 10}}
		if p.Tile > 0 {
			where.Tag = 324
		}
		count := max(1, p.Samples) // of planes
		if p.Rows > 0 {
			count = (p.Height + p.Rows - 1) / p.Rows
		}
		if p.Planar || p.Rows > 0 {
			where.Values = make([]uint64, count)
			for i := range where.Values {
				where.Values[i] = size - 10
			}
		}
		p.Tags = append(p.Tags, where)
		failsAs(t, write(t, "a.tif", tifftest.Encode(false, false, p)), photo.Unreadable, "damaged or cut short")
	}
	thumbnail := rgbPicture(tifftest.Picture{Subfile: 1}, whole(255))
	thumbnail.SubIFDs = []tifftest.Picture{rgbPicture(tifftest.Picture{Bits: 16}, whole(65535))}
	data := tifftest.Encode(false, false, thumbnail)
	at := bytes.LastIndex(data, []byte("\x4a\x01\x0d\x00\x01\x00\x00\x00")) + 8
	copy(data[at:], "\x00\x00\x00\x7f")
	failsAs(t, write(t, "a.tif", data), photo.Unreadable, "no more than a thumbnail is left")
}

// A header may claim more than there is memory for: nothing is decoded then.
func TestTIFFHuge(t *testing.T) {
	type picture = tifftest.Picture
	size := func(width, height uint64) []tifftest.Tag {
		return []tifftest.Tag{{Tag: 256, Type: tifftest.Long, Values: []uint64{width}}, {Tag: 257, Type: tifftest.Long, Values: []uint64{height}}}
	}
	tile := func(side uint64) []tifftest.Tag {
		return []tifftest.Tag{{Tag: 322, Type: tifftest.Long, Values: []uint64{side}}, {Tag: 323, Type: tifftest.Long, Values: []uint64{side}}}
	}
	for name, c := range map[string]struct {
		picture picture
		text    string
	}{
		"plain":           {withTags(rgbPicture(picture{}, whole(255)), size(60_000, 60_000)...), "3600.0 million"},
		"samples":         {withTags(rgbPicture(picture{Bits: 16, Format: 3}, small(16)), size(60_000, 60_000)...), "3600.0 million"},
		"YCbCr":           {withTags(yCbCrPicture(2, 2, 1, picture{}), size(60_000, 60_000)...), "3600.0 million"},
		"samples, memory": {withTags(rgbPicture(picture{Bits: 16, Format: 3}, small(16)), size(20_000, 20_000)...), "MiB of memory"},
		"samples, tile":   {withTags(rgbPicture(picture{Tile: 16, Bits: 12}, whole(4095)), tile(40_000)...), "MiB of memory"},
		"YCbCr, tile":     {withTags(yCbCrPicture(2, 2, 1, picture{Tile: 16}), tile(40_000)...), "MiB of memory"},
	} {
		before := peak(t)
		failsAs(t, write(t, name+".tif", tifftest.Encode(false, false, c.picture)), photo.TooLarge, c.text)
		if grown := peak(t) - before; grown > 50<<20 {
			t.Errorf("%s: it took %d MiB", name, grown>>20)
		}
	}
	// What takes some memory, libvips' tiles too, when little is allowed.
	for _, p := range []picture{
		withTags(rgbPicture(picture{Tile: 16}, whole(255)), tile(2000)...),
		withTags(yCbCrPicture(2, 2, 1, picture{}), size(2000, 2000)...),
	} {
		path := write(t, "a.tif", tifftest.Encode(false, false, p))
		if _, err := Decode(path, Options{MaxBytes: 8 << 20}); photo.KindOf(err) != photo.TooLarge {
			t.Error(err)
		}
	}
}
