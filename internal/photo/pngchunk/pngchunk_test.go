package pngchunk

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"testing"

	"photodesc/internal/photo/colour"
)

// still is a PNG of one colour with chunks before its pixels.
func still(t testing.TB, c color.NRGBA, width, height int, before ...[]byte) []byte {
	t.Helper()
	data := encode(t, c, width, height)
	const header = 8 + 25
	out := bytes.Clone(data[:header])
	for _, b := range before {
		out = append(out, b...)
	}
	return append(out, data[header:]...)
}

func encode(t testing.TB, c color.NRGBA, width, height int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, c.A
	}
	// As the encoder leaves alpha out of an opaque picture, and a frame may not differ in this.
	img.Pix[3] &= 254
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func chunkOf(kind string, data ...byte) []byte { return appendChunk(nil, kind, data) }

func words(n ...int) (out []byte) {
	for _, v := range n {
		out = binary.BigEndian.AppendUint32(out, uint32(v))
	}
	return out
}

func reader(data []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
}

// control is an fcTL.
func control(x, y, width, height int, dispose, blend byte) []byte {
	return chunkOf("fcTL", append(words(0, width, height, x, y), 0, 1, 0, 10, dispose, blend)...)
}

// pixels are the pixels of a PNG as chunks of a kind, in two pieces.
func pixels(t testing.TB, kind string, data []byte) (out []byte) {
	t.Helper()
	at := int64(len(Signature))
	for {
		c, err := next(bytes.NewReader(data), at)
		if err != nil {
			t.Fatal(err)
		}
		if c.kind == "IEND" {
			return out
		}
		if c.kind == "IDAT" {
			body := data[c.body : c.body+c.length]
			for _, part := range [][]byte{body[:len(body)/2], body[len(body)/2:]} {
				if kind == "fdAT" {
					part = append(words(0), part...)
				}
				out = append(out, chunkOf(kind, part...)...)
			}
		}
		at = c.end()
	}
}

var (
	white = color.NRGBA{255, 255, 255, 255}
	clear = color.NRGBA{255, 0, 0, 0}
	red   = color.NRGBA{220, 20, 20, 255}
	faint = color.NRGBA{240, 240, 240, 255}
)

type part struct {
	colour         color.NRGBA
	x, y           int
	width, height  int
	dispose, blend byte
}

// animation is an APNG of 20 × 10. Its first part is the still picture, and a frame only if
// shown.
func animation(t testing.TB, shown bool, parts ...part) []byte {
	t.Helper()
	first := chunkOf("acTL", words(len(parts), 0)...)
	if p := parts[0]; shown {
		first = append(first, control(0, 0, 20, 10, p.dispose, p.blend)...)
	}
	out := still(t, parts[0].colour, 20, 10, first)
	out = out[:len(out)-12] // IEND
	for _, p := range parts[1:] {
		out = append(out, control(p.x, p.y, p.width, p.height, p.dispose, p.blend)...)
		out = append(out, pixels(t, "fdAT", encode(t, p.colour, p.width, p.height))...)
	}
	return append(out, chunkOf("IEND")...)
}

func TestVisible(t *testing.T) {
	full := func(c color.NRGBA) part { return part{c, 0, 0, 20, 10, 0, 0} }
	small := func(c color.NRGBA, x, y int) part { return part{c, x, y, 4, 3, 0, 1} }
	for _, c := range []struct {
		name  string
		shown bool
		parts []part
		at    map[image.Point]color.NRGBA // nil: nothing is shown
	}{
		{"nothing but one colour", true, []part{full(white), full(white), full(white)}, nil},
		{"a picture of another colour", true, []part{full(white), full(red)}, nil},
		{"a small frame", true, []part{full(white), small(red, 5, 6)}, map[image.Point]color.NRGBA{{6, 7}: red, {4, 6}: white, {9, 6}: white, {8, 8}: red}},
		{"hidden still picture", false, []part{full(clear), full(clear), small(red, 16, 7)}, map[image.Point]color.NRGBA{{17, 8}: red, {3, 3}: clear}},
		{"the first clear one", true, []part{full(white), small(red, 5, 6), small(color.NRGBA{0, 0, 0, 255}, 5, 6)}, map[image.Point]color.NRGBA{{6, 7}: red}},
		{"the faint one is passed", true, []part{full(white), small(faint, 0, 0), small(red, 5, 6)}, map[image.Point]color.NRGBA{{6, 7}: red, {1, 1}: faint}},
		{"the faint one is all there is", true, []part{full(white), small(faint, 0, 0), full(white)}, map[image.Point]color.NRGBA{{1, 1}: faint, {9, 9}: white}},
		{"cleared after it", true, []part{full(clear), {faint, 0, 0, 4, 3, disposeBackground, 1}, small(red, 8, 0)}, map[image.Point]color.NRGBA{{1, 1}: {}, {9, 1}: red}},
		{"taken back after it", true, []part{full(white), {faint, 0, 0, 4, 3, disposePrevious, 1}, small(red, 8, 0)}, map[image.Point]color.NRGBA{{1, 1}: white, {9, 1}: red}},
		{"clear over white", true, []part{full(white), small(clear, 2, 2), small(red, 8, 0)}, map[image.Point]color.NRGBA{{3, 3}: white, {9, 1}: red}},
		{"beyond the canvas", true, []part{full(white), small(red, 18, 6)}, nil},
	} {
		data := animation(t, c.shown, c.parts...)
		info, err := Read(reader(data))
		if err != nil || !info.Animated(1<<20) || info.Animated(1000) {
			t.Fatalf("%s: %v", c.name, err)
		}
		frame := info.FirstVisibleFrame(reader(data))
		if (frame == nil) != (c.at == nil) {
			t.Errorf("%s: %d bytes", c.name, len(frame))
			continue
		}
		if frame == nil {
			continue
		}
		img, err := png.Decode(bytes.NewReader(frame))
		if err != nil || img.Bounds().Dx() != 20 || img.Bounds().Dy() != 10 {
			t.Fatalf("%s: %v", c.name, err)
		}
		for p, want := range c.at {
			if got := color.NRGBAModel.Convert(img.At(p.X, p.Y)).(color.NRGBA); got != want && !(got.A == 0 && want.A == 0) {
				t.Errorf("%s at %v: got %v, want %v", c.name, p, got, want)
			}
		}
	}
}

// TestVisibleKeepsColours checks that a frame has the colour chunks of the file.
func TestVisibleKeepsColours(t *testing.T) {
	data := animation(t, true, part{colour: white}, part{red, 0, 0, 9, 9, 0, 0})
	gamma := chunkOf("gAMA", words(100_000)...)
	data = append(append(bytes.Clone(data[:33]), gamma...), data[33:]...)
	info, err := Read(reader(data))
	if err != nil {
		t.Fatal(err)
	}
	if frame := info.FirstVisibleFrame(reader(data)); !bytes.Contains(frame, gamma) {
		t.Error("gAMA is lost")
	}
}

// TestVisibleBounds checks that the search ends at damage, at false sizes, and after
// maxPixels pixels.
func TestVisibleBounds(t *testing.T) {
	parts := []part{{colour: white}}
	for range maxFrames {
		parts = append(parts, part{white, 0, 0, 1, 1, 0, 0})
	}
	parts = append(parts, part{red, 0, 0, 9, 9, 0, 0})
	data := animation(t, true, parts...)
	info, _ := Read(reader(data))
	if info.FirstVisibleFrame(reader(data)) != nil {
		t.Error("frames without end are looked at")
	}
	data = animation(t, true, part{colour: white}, part{red, 0, 0, 9, 9, 0, 0})
	for n := range len(data) - 12 {
		if info, err := Read(reader(data[:n])); err == nil && info.FirstVisibleFrame(reader(data[:n])) != nil && n < len(data)-24 {
			t.Errorf("a frame in %d of %d bytes", n, len(data))
		}
	}
	huge := bytes.Clone(data)
	at := bytes.Index(huge, []byte("fdAT")) - 4
	binary.BigEndian.PutUint32(huge[at:], 1<<31-1)
	info, _ = Read(reader(huge))
	if info.FirstVisibleFrame(reader(huge)) != nil {
		t.Error("a chunk of 2 GB")
	}
	header := bytes.Clone(data[16:29])
	copy(header, words(60_000, 60_000))
	large := append(chunkOf("IHDR", header...), data[33:]...)
	large = append([]byte(Signature), large...)
	if info, err := Read(reader(large)); err != nil || info.Animated(1<<40) {
		t.Error("a canvas of 3,600 million pixels")
	}
}

func TestSignal(t *testing.T) {
	cicp := func(b ...byte) []byte { return chunkOf("cICP", b...) }
	gamma := func(n int) []byte { return chunkOf("gAMA", words(n)...) }
	chrm := func(n ...int) []byte { return chunkOf("cHRM", words(n...)...) }
	srgbChrm := chrm(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
	p3Chrm := chrm(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
	profile := chunkOf("iCCP", []byte("p\x00\x00")...)
	srgb := chunkOf("sRGB", 0)
	broken := gamma(100_000)
	broken[len(broken)-1]++
	for _, c := range []struct {
		name    string
		chunks  [][]byte
		convert bool
		linear  bool // 55 becomes 128
	}{
		{"nothing", nil, false, false},
		{"linear", [][]byte{gamma(100_000)}, true, true},
		{"as sRGB", [][]byte{gamma(45_455), srgbChrm}, false, false},
		{"as an old Mac", [][]byte{gamma(55_556)}, true, false},
		{"zero", [][]byte{gamma(0)}, false, false},
		{"senseless", [][]byte{gamma(1)}, false, false},
		{"of the wrong length", [][]byte{chunkOf("gAMA", 0, 1)}, false, false},
		{"wrong checksum", [][]byte{broken}, false, false},
		{"beside sRGB", [][]byte{srgb, gamma(100_000)}, false, false},
		{"before sRGB", [][]byte{gamma(100_000), p3Chrm, srgb}, false, false},
		{"beside a profile", [][]byte{gamma(100_000), profile}, false, false},
		{"twice", [][]byte{gamma(100_000), gamma(45_455)}, true, true},
		{"P3 by cHRM", [][]byte{p3Chrm}, true, false},
		{"cHRM of zeros", [][]byte{chrm(0, 0, 0, 0, 0, 0, 0, 0)}, false, false},
		{"cICP", [][]byte{cicp(1, 8, 0, 1)}, true, true},
		{"cICP before gAMA", [][]byte{gamma(55_556), cicp(1, 8, 0, 1), srgb}, true, true},
		{"cICP of sRGB", [][]byte{cicp(1, 13, 0, 1), gamma(100_000)}, false, false},
		{"cICP of sRGB beside a profile", [][]byte{cicp(1, 13, 0, 1), profile}, true, false},
		{"cICP with a matrix", [][]byte{cicp(1, 8, 1, 1)}, false, false},
		{"narrow range", [][]byte{cicp(1, 13, 0, 0)}, true, false},
	} {
		info, err := Read(reader(still(t, white, 2, 2, c.chunks...)))
		if err != nil {
			t.Fatal(c.name, err)
		}
		s, convert := info.Signal()
		got := s.ToSRGB(colour.Samples{Width: 1, Height: 1, Bands: 1, White: 255, Bytes: []byte{55}})
		if convert != c.convert || (got[0] == 128) != c.linear {
			t.Errorf("%s: convert %t, 55 becomes %d", c.name, convert, got[0])
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add(animation(f, true, part{colour: white}, part{red, 0, 0, 9, 9, 0, 0}))
	f.Add(animation(f, false, part{colour: clear}, part{faint, 1, 1, 9, 9, 1, 1}, part{red, 0, 0, 9, 9, 2, 0}))
	if data, err := os.ReadFile("../vips/testdata/first-frame-blank/apng_default_hidden_blank.png"); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Read(reader(data))
		if err != nil {
			return
		}
		info.Signal()
		if !info.Animated(4 << 20) {
			return
		}
		if frame := info.FirstVisibleFrame(reader(data)); frame != nil {
			if c, err := png.DecodeConfig(bytes.NewReader(frame)); err != nil || c.Width != info.Width || c.Height != info.Height {
				t.Errorf("%v: %d × %d of %d × %d", err, c.Width, c.Height, info.Width, info.Height)
			}
		}
	})
}
