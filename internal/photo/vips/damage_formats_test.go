package vips

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"path/filepath"
	"slices"
	"testing"

	"photodesc/internal/photo"
)

// Zeros instead of coded data, up to the end that the file declares or in the
// middle, are found in each format whose decoder makes something of them.
func TestDamagedFormats(t *testing.T) {
	isDamaged(t, "the trial's HEIC", testdata(t, "zero_tail.heic"))
	for _, name := range []string{"photo.webp", "photo-lossless.webp", "photo.heic", "photo.avif", "black-below.heic",
		"photo.gif", "photo-interlaced.gif"} {
		data := testdata(t, name)
		start := 100
		if i := bytes.Index(data, []byte("mdat")); i > 0 && filepath.Ext(name) != ".gif" {
			start = i + 100
		} else if filepath.Ext(name) == ".gif" {
			start = 1000 // behind the palette
		}
		zeroTails(t, name, data, start, len(data)-100)
	}
	data := testdata(t, "photo-animated.gif")
	isDamaged(t, "an animation, zeros in its first frame", zeroed(data, len(data)/4, len(data)))
	animated := animatedWebP(t, testdata(t, "photo.webp"))
	isDamaged(t, "an animated WebP", zeroed(animated, len(animated)/2, len(animated)))
	lossy := testdata(t, "black-below.webp")
	isDamaged(t, "zeros before black", zeroed(lossy, 5000, 9000))
	png := pngOf(t, half(300, 200, true))
	zeroTails(t, "PNG", png, 100, len(png))
	for _, ends := range [][2]string{{"\n", "\r\n"}, {"\r\n", "\n"}, {"\n", "\r"}} {
		text := bytes.ReplaceAll(png, []byte(ends[0]), []byte(ends[1]))
		failsAs(t, write(t, "a.png", text), photo.Unreadable, "it is damaged: its line ends were changed")
	}
}

// Good files are whole, whatever zeros they have: black pictures of which they
// are the code, padding, and what stands beside the picture.
func TestWholeFormats(t *testing.T) {
	for _, name := range []string{"photo.webp", "photo-lossless.webp", "photo.heic", "photo.avif", "photo.gif", "photo-interlaced.gif",
		"photo-animated.gif", "black.webp", "black-below.webp", "black-lossless.webp", "black.heic", "black-below.heic", "black.avif", "black.gif"} {
		data := testdata(t, name)
		isWhole(t, name, data)
		if _, err := Decode(write(t, "a", append(bytes.Clone(data), make([]byte, 100_000)...)), Options{Longest: 100}); err != nil {
			t.Errorf("%s, zeros behind: %v", name, err)
		}
	}
	for _, pattern := range []string{"*.png", "*.webp", "*.gif", "*.heic", "*.avif", "*.tiff", "*.bmp"} {
		list, err := filepath.Glob(examples + "/" + pattern)
		if err != nil || len(list) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range list {
			isWhole(t, path, read(t, filepath.Base(path)))
		}
	}
	for name, img := range map[string][]byte{
		"black PNG": pngOf(t, filled(640, 480, 0)), "PNG, black below": pngOf(t, half(600, 400, true)),
		"black BMP": bmpOf(t, filled(640, 480, 0)), "BMP, black below": bmpOf(t, half(300, 200, true)), "BMP, black above": bmpOf(t, half(300, 200, false)),
	} {
		isWhole(t, name, img)
	}
	isWhole(t, "an animated WebP", animatedWebP(t, testdata(t, "photo.webp")))
	// A free box, and an item of zeros that is no picture.
	heic := testdata(t, "photo.heic")
	free := binary.BigEndian.AppendUint32(nil, 8+5000)
	isWhole(t, "HEIC with a free box", append(bytes.Clone(heic), append(append(free, "free"...), make([]byte, 5000)...)...))
	gif := testdata(t, "photo-animated.gif")
	isWhole(t, "an animation, zeros in its second frame", zeroed(gif, len(gif)*3/4, len(gif)))
	isWhole(t, "GIF without its last byte", testdata(t, "photo.gif")[:len(testdata(t, "photo.gif"))-1])
}

// Uncompressed pixels: zeros are black, and lost where they begin in the middle
// of a row. A cut file and a hole are found in BMP and TIFF, black pictures are not.
func TestLostPixels(t *testing.T) {
	noise := half(300, 200, false)
	copy(noise.Pix, half(300, 200, true).Pix[:100*noise.Stride])
	grey := image.NewGray(noise.Rect)
	draw.Draw(grey, grey.Rect, noise, image.Point{}, draw.Src)
	for name, data := range map[string][]byte{
		"BMP": bmpOf(t, noise), "grey BMP": bmpOf(t, grey), "TIFF": stripTIFF(noise, 200), "TIFF of strips": stripTIFF(noise, 7),
	} {
		isWhole(t, name, data)
		row := len(data) / 200
		for _, at := range []int{len(data)/10 + row*2/5, len(data)/2 + row/3, len(data) - row*7/2} {
			isDamaged(t, fmt.Sprintf("%s, zeros from %d of %d", name, at, len(data)), zeroed(data, at, len(data)))
		}
		isDamaged(t, name+", a hole", zeroed(data, len(data)/2+row/3, len(data)/2+row/3+4096))
	}
	for name, img := range map[string]*image.NRGBA{
		"black": filled(300, 200, 0), "white": filled(300, 200, 255), "black below": half(300, 200, true), "black above": half(300, 200, false),
	} {
		isWhole(t, name+" TIFF", stripTIFF(img, 200))
		isWhole(t, name+" TIFF of strips", stripTIFF(img, 7))
	}
}

// stripTIFF is an uncompressed TIFF in strips of so many rows, its directory
// before the pixels.
func stripTIFF(img *image.NRGBA, rows int) []byte {
	le := binary.LittleEndian
	width, height := img.Rect.Dx(), img.Rect.Dy()
	strips := (height + rows - 1) / rows
	const entries = 9
	lists := 8 + 2 + 12*entries + 4
	pixels := lists + 8*strips + 6
	data := le.AppendUint32([]byte("II*\x00"), 8)
	data = le.AppendUint16(data, entries)
	place := func(list int) int {
		if strips == 1 {
			return []int{pixels, width * height * 3}[list]
		}
		return lists + 4*strips*list
	}
	for _, e := range [][4]int{{256, 4, 1, width}, {257, 4, 1, height}, {258, 3, 3, lists + 8*strips}, {259, 3, 1, 1}, {262, 3, 1, 2},
		{273, 4, strips, place(0)}, {277, 3, 1, 3}, {278, 4, 1, rows}, {279, 4, strips, place(1)}} {
		data = le.AppendUint16(le.AppendUint16(data, uint16(e[0])), uint16(e[1]))
		data = le.AppendUint32(le.AppendUint32(data, uint32(e[2])), uint32(e[3]))
	}
	data = le.AppendUint32(data, 0)
	for i := range strips {
		data = le.AppendUint32(data, uint32(pixels+i*rows*width*3))
	}
	for i := range strips {
		data = le.AppendUint32(data, uint32(min(rows, height-i*rows)*width*3))
	}
	for range 3 {
		data = le.AppendUint16(data, 8)
	}
	return append(data, rgbOf(img)...)
}

// animatedWebP makes an animation of one frame of a plain lossy WebP.
func animatedWebP(tb testing.TB, webp []byte) []byte {
	tb.Helper()
	le := binary.LittleEndian
	chunk := func(name string, parts ...[]byte) []byte {
		data := slices.Concat(parts...)
		return append(append(le.AppendUint32([]byte(name), uint32(len(data))), data...), make([]byte, len(data)&1)...)
	}
	picture := webp[12:]
	size := le.Uint32(picture[14:])
	width, height := size&0x3fff, size>>16&0x3fff
	edge := func(v uint32) []byte { return le.AppendUint32(nil, v-1)[:3] }
	frame := slices.Concat(make([]byte, 6), edge(width), edge(height), make([]byte, 4), picture)
	body := slices.Concat([]byte("WEBP"), chunk("VP8X", []byte{2, 0, 0, 0}, edge(width), edge(height)),
		chunk("ANIM", make([]byte, 6)), chunk("ANMF", frame))
	return append(le.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}
