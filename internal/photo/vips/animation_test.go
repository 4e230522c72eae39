package vips

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"path/filepath"
	"testing"

	"photodesc/internal/photo"
)

var testPalette = color.Palette{color.NRGBA{}, color.White, color.Black, color.NRGBA{220, 20, 20, 255}, color.NRGBA{245, 240, 240, 255}}

const clearIndex, whiteIndex, blackIndex, redIndex, faintIndex = 0, 1, 2, 3, 4

// gifOf is a GIF of frames of one colour each, 40 × 30; those of a shape are a quarter of it at
// the top left.
func gifOf(t testing.TB, frames ...gifFrame) []byte {
	t.Helper()
	g := &gif.GIF{Config: image.Config{Width: 40, Height: 30, ColorModel: testPalette}}
	for _, f := range frames {
		box := image.Rect(0, 0, 40, 30)
		if f.shape {
			box = image.Rect(5, 5, 20, 15)
		}
		img := image.NewPaletted(box, testPalette)
		draw.Draw(img, box, image.NewUniform(testPalette[f.index]), image.Point{}, draw.Src)
		g.Image = append(g.Image, img)
		g.Delay = append(g.Delay, 10)
		g.Disposal = append(g.Disposal, f.disposal)
	}
	var buf bytes.Buffer
	if err := gif.EncodeAll(&buf, g); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type gifFrame struct {
	index    int
	shape    bool
	disposal byte
}

func TestBlankFirstFrame(t *testing.T) {
	white, black := gifFrame{index: whiteIndex}, gifFrame{index: blackIndex}
	clear, red := gifFrame{index: clearIndex}, gifFrame{index: redIndex, shape: true}
	faint := gifFrame{index: faintIndex, shape: true}
	many := append(make([]gifFrame, 0, 100), white)
	for range maxPages {
		many = append(many, white)
	}
	for _, c := range []struct {
		name           string
		frames         []gifFrame
		inside, ground rgb
	}{
		{"white", []gifFrame{white, red}, rgb{220, 20, 20}, rgb{255, 255, 255}},
		{"black", []gifFrame{black, black, red}, rgb{220, 20, 20}, rgb{}},
		{"clear", []gifFrame{clear, clear, red}, rgb{220, 20, 20}, rgb{255, 255, 255}},
		{"faint before", []gifFrame{white, faint, red}, rgb{220, 20, 20}, rgb{255, 255, 255}},
		{"faint at most", []gifFrame{white, faint, white}, rgb{245, 240, 240}, rgb{255, 255, 255}},
		{"the first clear one", []gifFrame{white, red, {index: blackIndex, shape: true}}, rgb{220, 20, 20}, rgb{255, 255, 255}},
		{"blank after", []gifFrame{white, red, white}, rgb{220, 20, 20}, rgb{255, 255, 255}},
		{"not blank first", []gifFrame{faint, red}, rgb{245, 240, 240}, rgb{255, 255, 255}},
		{"all of one colour", []gifFrame{black, black, black}, rgb{}, rgb{}},
		{"one frame", []gifFrame{black}, rgb{}, rgb{}},
		{"one frame, not blank", []gifFrame{red}, rgb{220, 20, 20}, rgb{255, 255, 255}},
		{"late", append(many[:maxPages:maxPages], red), rgb{220, 20, 20}, rgb{255, 255, 255}},
		{"too late", append(many[:maxPages+1:maxPages+1], red), rgb{255, 255, 255}, rgb{255, 255, 255}},
	} {
		for _, longest := range []int{0, 10} {
			img := decode(t, write(t, "a.gif", gifOf(t, c.frames...)), Options{Longest: longest})
			if in, out := at(img, 0.3, 0.3), at(img, 0.9, 0.9); !near(in, c.inside, 6) || !near(out, c.ground, 2) {
				t.Errorf("%s at %d: inside %v, ground %v", c.name, longest, in, out)
			}
			if img.OrigWidth != 40 || img.OrigHeight != 30 {
				t.Errorf("%s: %d × %d", c.name, img.OrigWidth, img.OrigHeight)
			}
		}
	}
}

// What comes after a blank frame may be damaged: then the blank one is the picture, or the photo fails.
func TestBlankFirstFrameCut(t *testing.T) {
	for name, data := range map[string][]byte{
		"a.gif":  gifOf(t, gifFrame{index: whiteIndex}, gifFrame{index: redIndex, shape: true}, gifFrame{index: blackIndex, shape: true}),
		"a.webp": readTestdata(t, "first-frame-blank/clear.webp"),
		"a.png":  readTestdata(t, "first-frame-blank/clear.png"),
	} {
		for n := 20; n < len(data); n += 41 {
			img, err := Decode(write(t, name, data[:n]), Options{})
			if err != nil && photo.KindOf(err) != photo.Unreadable {
				t.Errorf("%s, %d bytes: %v", name, n, err)
			}
			if err == nil && img.OrigWidth == 0 {
				t.Errorf("%s, %d bytes: no size", name, n)
			}
		}
	}
}

// No more pixels are looked at than are allowed.
func TestBlankFirstFrameBounds(t *testing.T) {
	defer func(n int64) { maxPagePixels = n }(maxPagePixels)
	white, red := gifFrame{index: whiteIndex}, gifFrame{index: redIndex, shape: true}
	path := write(t, "a.gif", gifOf(t, white, white, white, red))
	for pages, want := range map[int64]rgb{2: {255, 255, 255}, 3: {220, 20, 20}} {
		maxPagePixels = pages * 40 * 30
		if got := at(decode(t, path, Options{}), 0.3, 0.3); got != want {
			t.Errorf("%d pages: %v", pages, got)
		}
	}
}

func TestBlank(t *testing.T) {
	pix := bytes.Repeat([]byte{250, 10, 3}, 100)
	if !blank(&Image{Pix: pix}) {
		t.Error("one colour is not blank")
	}
	pix[151] += 3
	if !blank(&Image{Pix: pix}) {
		t.Error("what a codec adds counts")
	}
	pix[151]++
	if blank(&Image{Pix: pix}) {
		t.Error("a pixel is not seen")
	}
}

func readTestdata(tb testing.TB, name string) []byte {
	tb.Helper()
	return read(tb, filepath.Join("../../internal/photo/vips/testdata", name))
}
