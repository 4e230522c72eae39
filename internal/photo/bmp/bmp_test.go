package bmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	xbmp "golang.org/x/image/bmp"
)

var le = binary.LittleEndian

// kind says how a test's bitmap is written.
type kind struct {
	header      int // bytes
	bits        int
	compression int
	topDown     bool
	masks       []uint32
	used        int // palette entries as the header says; 0: all
	gap         int // bytes before the pixels
	noOffset    bool
}

// file writes a bitmap of data, which are the rows in the file's order.
func file(k kind, width, height int, palette [][3]byte, data []byte) []byte {
	d := make([]byte, k.header)
	le.PutUint32(d, uint32(k.header))
	if k.header == 12 {
		le.PutUint16(d[4:], uint16(width))
		le.PutUint16(d[6:], uint16(height))
		le.PutUint16(d[8:], 1)
		le.PutUint16(d[10:], uint16(k.bits))
	} else {
		if k.topDown {
			height = -height
		}
		le.PutUint32(d[4:], uint32(width))
		le.PutUint32(d[8:], uint32(height))
		le.PutUint16(d[12:], 1)
		le.PutUint16(d[14:], uint16(k.bits))
		if k.header >= 20 {
			le.PutUint32(d[16:], uint32(k.compression))
		}
		if k.header >= 36 {
			le.PutUint32(d[32:], uint32(k.used))
		}
	}
	var masks []byte
	for _, m := range k.masks {
		masks = le.AppendUint32(masks, m)
	}
	if k.header >= 52 && k.header != 64 {
		copy(d[40:], masks)
	} else {
		d = append(d, masks...)
	}
	for _, c := range palette {
		d = append(d, c[2], c[1], c[0])
		if k.header != 12 {
			d = append(d, 0)
		}
	}
	d = append(d, make([]byte, k.gap)...)
	head := append([]byte("BM"), make([]byte, 12)...)
	le.PutUint32(head[2:], uint32(14+len(d)+len(data)))
	if !k.noOffset {
		le.PutUint32(head[10:], uint32(14+len(d)))
	}
	return append(append(head, d...), data...)
}

// A picture of 13 × 5, whose rows end in the middle of a byte, a word and a pair.
const width, height = 13, 5

// index is the palette's colour at a place, below 1<<bits.
func index(x, y, bits int) byte { return byte(x*7+y*3+x*y) & byte(1<<bits-1) }

func palette(n int) (p [][3]byte) {
	for i := range n {
		p = append(p, [3]byte{byte(250 - i), byte(i * 17), byte(30 + i*5)})
	}
	return p
}

func rgb(x, y int) [3]byte { return [3]byte{byte(x * 19), byte(y * 50), byte(x*y*4 + 7)} }

// rows writes rows bottom-up or top-down, padded to four bytes.
func rows(topDown bool, row func(y int) []byte) (data []byte) {
	for i := range height {
		y := height - 1 - i
		if topDown {
			y = i
		}
		r := row(y)
		data = append(data, append(r, make([]byte, -len(r)&3)...)...)
	}
	return data
}

func packed(bits int, topDown bool) []byte {
	return rows(topDown, func(y int) []byte {
		out := make([]byte, (width*bits+7)/8)
		for x := range width {
			out[x*bits/8] |= index(x, y, bits) << (8 - bits - x*bits%8)
		}
		return out
	})
}

func wantIndexed(bits int, p [][3]byte) (pix []byte) {
	for y := range height {
		for x := range width {
			var c [3]byte
			if i := int(index(x, y, bits)); i < len(p) {
				c = p[i]
			}
			pix = append(pix, c[:]...)
		}
	}
	return pix
}

// words are pixels of 16 or 32 bits, each made of 8-bit colours by pack.
func words(size int, topDown bool, pack func(c [3]byte, x, y int) uint32) []byte {
	return rows(topDown, func(y int) (out []byte) {
		for x := range width {
			v := pack(rgb(x, y), x, y)
			if size == 2 {
				out = le.AppendUint16(out, uint16(v))
			} else {
				out = le.AppendUint32(out, v)
			}
		}
		return out
	})
}

// wantRGB are the pixels with so many bits a colour left, scaled to 8.
func wantRGB(r, g, b int) (pix []byte) {
	scale := func(v byte, bits int) byte {
		most := 1<<bits - 1
		return byte((int(v>>(8-bits))*255 + most/2) / most)
	}
	for y := range height {
		for x := range width {
			c := rgb(x, y)
			pix = append(pix, scale(c[0], r), scale(c[1], g), scale(c[2], b))
		}
	}
	return pix
}

func withAlpha(pix []byte, alpha func(x, y int) byte) (out []byte) {
	for i := range width * height {
		out = append(out, append(slices.Clone(pix[i*3:i*3+3]), alpha(i%width, i/width))...)
	}
	return out
}

func bgr(topDown bool) []byte {
	return rows(topDown, func(y int) (out []byte) {
		for x := range width {
			c := rgb(x, y)
			out = append(out, c[2], c[1], c[0])
		}
		return out
	})
}

func c555(c [3]byte, _, _ int) uint32 {
	return uint32(c[0]>>3)<<10 | uint32(c[1]>>3)<<5 | uint32(c[2]>>3)
}

func c565(c [3]byte, _, _ int) uint32 {
	return uint32(c[0]>>3)<<11 | uint32(c[1]>>2)<<5 | uint32(c[2]>>3)
}

func c888(alpha func(x, y int) byte) func(c [3]byte, x, y int) uint32 {
	return func(c [3]byte, x, y int) uint32 {
		return uint32(alpha(x, y))<<24 | uint32(c[0])<<16 | uint32(c[1])<<8 | uint32(c[2])
	}
}

func some(x, y int) byte { return byte(x*20 + y) }
func zero(_, _ int) byte { return 0 }
func full(_, _ int) byte { return 255 }

func TestKinds(t *testing.T) {
	usual := []uint32{0xff0000, 0xff00, 0xff}
	argb := append(slices.Clone(usual), 0xff000000)
	p256, p200, p16 := palette(256), palette(200), palette(16)
	for _, c := range []struct {
		name string
		k    kind
		p    [][3]byte
		data []byte
		want []byte
	}{
		{"1 bit", kind{header: 40, bits: 1}, palette(2), packed(1, false), wantIndexed(1, palette(2))},
		{"2 bits", kind{header: 40, bits: 2}, palette(4), packed(2, false), wantIndexed(2, palette(4))},
		{"4 bits", kind{header: 40, bits: 4}, p16, packed(4, false), wantIndexed(4, p16)},
		{"8 bits", kind{header: 40, bits: 8}, p256, packed(8, false), wantIndexed(8, p256)},
		{"8 bits, top-down", kind{header: 40, bits: 8, topDown: true}, p256, packed(8, true), wantIndexed(8, p256)},
		{"8 bits, fewer colours", kind{header: 40, bits: 8, used: 200}, p200, packed(8, false), wantIndexed(8, p200)},
		{"8 bits, fewer colours than the header says", kind{header: 40, bits: 8}, p16, packed(8, false), wantIndexed(8, p16)},
		{"8 bits, more colours than bits", kind{header: 40, bits: 8, used: 300}, append(p256, palette(44)...), packed(8, false), wantIndexed(8, p256)},
		{"8 bits, a gap", kind{header: 40, bits: 8, gap: 21}, p256, packed(8, false), wantIndexed(8, p256)},
		{"8 bits, no offset", kind{header: 40, bits: 8, noOffset: true}, p256, packed(8, false), wantIndexed(8, p256)},
		{"8 bits, V5", kind{header: 124, bits: 8}, p256, packed(8, false), wantIndexed(8, p256)},
		{"OS/2 1, 1 bit", kind{header: 12, bits: 1}, palette(2), packed(1, false), wantIndexed(1, palette(2))},
		{"OS/2 1, 4 bits", kind{header: 12, bits: 4}, p16, packed(4, false), wantIndexed(4, p16)},
		{"OS/2 1, 8 bits", kind{header: 12, bits: 8}, p256, packed(8, false), wantIndexed(8, p256)},
		{"OS/2 1, 24 bits", kind{header: 12, bits: 24}, nil, bgr(false), wantRGB(8, 8, 8)},
		{"OS/2 2, 8 bits", kind{header: 64, bits: 8}, p256, packed(8, false), wantIndexed(8, p256)},
		{"OS/2 2, short", kind{header: 16, bits: 24}, nil, bgr(false), wantRGB(8, 8, 8)},
		{"16 bits", kind{header: 40, bits: 16}, nil, words(2, false, c555), wantRGB(5, 5, 5)},
		{"16 bits, 565", kind{header: 40, bits: 16, compression: 3, masks: []uint32{0xf800, 0x7e0, 0x1f}}, nil, words(2, false, c565), wantRGB(5, 6, 5)},
		{"16 bits, 565, V4", kind{header: 108, bits: 16, compression: 3, masks: []uint32{0xf800, 0x7e0, 0x1f, 0}}, nil, words(2, false, c565), wantRGB(5, 6, 5)},
		{"16 bits, 1555", kind{header: 56, bits: 16, compression: 3, masks: []uint32{0x7c00, 0x3e0, 0x1f, 0x8000}}, nil,
			words(2, false, func(c [3]byte, x, y int) uint32 { return c555(c, x, y) | uint32(x&1)<<15 }),
			withAlpha(wantRGB(5, 5, 5), func(x, _ int) byte { return byte(x & 1 * 255) })},
		{"24 bits", kind{header: 40, bits: 24}, nil, bgr(false), wantRGB(8, 8, 8)},
		{"24 bits, top-down", kind{header: 40, bits: 24, topDown: true}, nil, bgr(true), wantRGB(8, 8, 8)},
		{"24 bits and a palette", kind{header: 40, bits: 24, used: 16}, p16, bgr(false), wantRGB(8, 8, 8)},
		{"32 bits", kind{header: 40, bits: 32}, nil, words(4, false, c888(some)), wantRGB(8, 8, 8)},
		{"32 bits, fields", kind{header: 40, bits: 32, compression: 3, masks: usual}, nil, words(4, false, c888(zero)), wantRGB(8, 8, 8)},
		{"32 bits, fields, RGBX", kind{header: 52, bits: 32, compression: 3, masks: []uint32{0xff000000, 0xff0000, 0xff00}}, nil,
			words(4, false, func(c [3]byte, x, y int) uint32 { return c888(zero)(c, x, y) << 8 }), wantRGB(8, 8, 8)},
		{"32 bits, ten each", kind{header: 40, bits: 32, compression: 3, masks: []uint32{0x3ff00000, 0xffc00, 0x3ff}}, nil,
			words(4, false, func(c [3]byte, _, _ int) uint32 {
				return uint32(c[0])<<22 | uint32(c[1])<<12 | uint32(c[2])<<2 | 1
			}), wantRGB(8, 8, 8)},
		{"32 bits, V5, alpha", kind{header: 124, bits: 32, compression: 3, masks: argb}, nil, words(4, false, c888(some)), withAlpha(wantRGB(8, 8, 8), some)},
		{"32 bits, V4, alpha", kind{header: 108, bits: 32, compression: 3, masks: argb, topDown: true}, nil, words(4, true, c888(some)), withAlpha(wantRGB(8, 8, 8), some)},
		{"32 bits, alpha fields", kind{header: 40, bits: 32, compression: 6, masks: argb}, nil, words(4, false, c888(some)), withAlpha(wantRGB(8, 8, 8), some)},
		{"32 bits, V5, all opaque", kind{header: 124, bits: 32, compression: 3, masks: argb}, nil, words(4, false, c888(full)), withAlpha(wantRGB(8, 8, 8), full)},
		{"32 bits, V5, alpha all zero", kind{header: 124, bits: 32, compression: 3, masks: argb}, nil, words(4, false, c888(zero)), wantRGB(8, 8, 8)},
		{"32 bits, V4, alpha all zero", kind{header: 108, bits: 32, masks: argb}, nil, words(4, false, c888(zero)), wantRGB(8, 8, 8)},
		{"32 bits, V5, no alpha mask", kind{header: 124, bits: 32, compression: 3, masks: append(slices.Clone(usual), 0)}, nil, words(4, false, c888(some)), wantRGB(8, 8, 8)},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := file(c.k, width, height, c.p, c.data)
			pix, err := decode(data)
			if err != nil || !bytes.Equal(pix, c.want) {
				t.Fatalf("%v; got  % x\nwant % x", err, pix, c.want)
			}
			// The padding of the last row may be missing, but no pixel.
			pad := int(-((width*int64(c.k.bits) + 7) / 8) & 3)
			if pix, err = decode(data[:len(data)-pad]); err != nil || !bytes.Equal(pix, c.want) {
				t.Errorf("without padding: %v", err)
			}
			for n := 2; n < len(data)-pad; n++ {
				if _, err = decode(data[:n]); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("cut to %d of %d bytes: %v", n, len(data), err)
				}
			}
		})
	}
}

func decode(data []byte) ([]byte, error) {
	h, err := Read(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	pix, bands, err := h.Decode(bytes.NewReader(data), int64(len(data)))
	if err == nil && len(pix) != h.Width*h.Height*bands {
		return nil, errors.New("other bytes than pixels")
	}
	return pix, err
}

// TestRunLengths decodes run-length data. The expected pictures are rows of
// palette colours from the top.
func TestRunLengths(t *testing.T) {
	p := palette(16)
	for _, c := range []struct {
		name        string
		header      int
		bits, code  int
		data        []byte
		want        []string // a hexadecimal digit a pixel
		unsupported bool
	}{
		{"8 bits", 40, 8, 1, []byte{3, 1, 1, 2, 0, 0, 0, 4, 5, 6, 7, 8, 0, 1}, []string{"5678", "1112"}, false},
		{"8 bits, odd literal", 40, 8, 1, []byte{0, 3, 5, 6, 7, 0, 1, 9, 0, 0, 4, 2, 0, 0, 0, 1}, []string{"2222", "5679"}, false},
		{"8 bits, passed over", 40, 8, 1, []byte{1, 4, 0, 2, 1, 1, 1, 5, 0, 1}, []string{"0050", "4000"}, false},
		{"8 bits, no end mark", 40, 8, 1, []byte{4, 1, 0, 0, 4, 2}, []string{"2222", "1111"}, false},
		{"8 bits, too long a run", 40, 8, 1, []byte{9, 1, 0, 0, 4, 2, 0, 1}, []string{"2222", "1111"}, false},
		{"4 bits", 40, 4, 2, []byte{3, 0x12, 1, 0x30, 0, 0, 0, 4, 0x56, 0x78, 0, 1}, []string{"5678", "1213"}, false},
		{"4 bits, odd literal", 40, 4, 2, []byte{0, 3, 0x56, 0x70, 1, 0x90, 0, 0, 4, 0x22, 0, 1}, []string{"2222", "5679"}, false},
		{"24 bits of OS/2", 64, 24, 4, append(slices.Concat([]byte{3}, entry(p[1]), []byte{1}, entry(p[2]), []byte{0, 0, 0, 3},
			entry(p[5]), entry(p[6]), entry(p[7]), []byte{0, 1}, entry(p[8])), 0, 1), []string{"5678", "1112"}, false},
	} {
		pal := p
		if c.bits == 24 {
			pal = nil
		}
		data := file(kind{header: c.header, bits: c.bits, compression: c.code, used: len(pal)}, 4, 2, pal, c.data)
		var want []byte
		for _, row := range c.want {
			for _, d := range row {
				want = append(want, p[d-'0'][:]...)
			}
		}
		pix, err := decode(data)
		if err != nil || !bytes.Equal(pix, want) {
			t.Errorf("%s: %v\ngot  % x\nwant % x", c.name, err, pix, want)
		}
		// Data that are cut, or whose second half is zeros, must not decode.
		half := len(data) - len(c.data)/2
		if _, err := decode(data[:half-1]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s, cut: %v", c.name, err)
		}
		if _, err := decode(append(data[:half], make([]byte, 200)...)); !errors.Is(err, errTooManyRows) {
			t.Errorf("%s, zeros: %v", c.name, err)
		}
	}
}

// entry is a colour as a file has it.
func entry(c [3]byte) []byte { return []byte{c[2], c[1], c[0]} }

func TestUnsupported(t *testing.T) {
	for name, k := range map[string]kind{
		"64 bits": {header: 40, bits: 64}, "3 bits": {header: 40, bits: 3}, "fax": {header: 64, bits: 1, compression: 3},
		"run lengths of 16 bits": {header: 40, bits: 16, compression: 1}, "compression 9": {header: 40, bits: 24, compression: 9},
		"a long header": {header: 2000, bits: 24},
	} {
		if _, err := decode(file(k, 4, 4, nil, make([]byte, 500))); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range [][2]int{{0, 4}, {4, 0}, {-4, 4}, {4, -1 << 31}} {
		if _, err := decode(file(kind{header: 40, bits: 24}, size[0], size[1], nil, make([]byte, 500))); err == nil || errors.Is(err, ErrUnsupported) {
			t.Errorf("%v: %v", size, err)
		}
	}
}

// TestClaims checks that memory is allocated only for what the file can hold,
// whatever size its header declares.
func TestClaims(t *testing.T) {
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := decode(file(kind{header: 40, bits: 24}, 1<<30, 1<<30, nil, make([]byte, 100))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
	if allocated > 50 {
		t.Errorf("%v allocations", allocated)
	}
	broken := errors.New("broken")
	h, err := Read(bytes.NewReader(file(kind{header: 40, bits: 24}, width, height, nil, bgr(false))))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Decode(readerAt{iotest.ErrReader(broken)}, 1<<20); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type readerAt struct{ io.Reader }

func (r readerAt) ReadAt(p []byte, _ int64) (int, error) { return r.Read(p) }

// TestAgainstXImage compares the pixels with those of golang.org/x/image.
func TestAgainstXImage(t *testing.T) {
	rect := image.Rect(0, 0, 61, 37)
	pal := image.NewPaletted(rect, nil)
	for i := range 256 {
		pal.Palette = append(pal.Palette, color.RGBA{byte(i), byte(255 - i), byte(i * 3), 255})
	}
	for i := range pal.Pix {
		pal.Pix[i] = byte(i * 7)
	}
	nrgba := image.NewNRGBA(rect)
	rgba := image.NewRGBA(rect)
	grey := image.NewGray(rect)
	for i := range nrgba.Pix {
		nrgba.Pix[i], rgba.Pix[i] = byte(i*5), byte(i*3)
		if i%4 == 3 {
			rgba.Pix[i] = 255
		}
		grey.Pix[i/4] = byte(i)
	}
	for name, img := range map[string]image.Image{"palette": pal, "grey": grey, "opaque": rgba, "alpha": nrgba} {
		var buf bytes.Buffer
		if err := xbmp.Encode(&buf, img); err != nil {
			t.Fatal(err)
		}
		want, err := xbmp.Decode(bytes.NewReader(buf.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		pix, err := decode(buf.Bytes())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		bands := len(pix) / (rect.Dx() * rect.Dy())
		for i := 0; i < len(pix); i += bands {
			w := color.NRGBAModel.Convert(want.At(i/bands%rect.Dx(), i/bands/rect.Dx())).(color.NRGBA)
			if got := [3]byte(pix[i:]); got != [3]byte{w.R, w.G, w.B} || bands == 4 && pix[i+3] != w.A {
				t.Fatalf("%s: pixel %d is %v, want %v", name, i/bands, got, w)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(file(kind{header: 40, bits: 8}, width, height, palette(256), packed(8, false)))
	f.Add(file(kind{header: 124, bits: 32, compression: 3, masks: []uint32{0xff0000, 0xff00, 0xff, 0xff000000}}, width, height, nil, words(4, false, c888(some))))
	f.Add(file(kind{header: 40, bits: 4, compression: 2}, 4, 2, palette(16), []byte{3, 0x12, 0, 0, 0, 4, 0x56, 0x78, 0, 2, 1, 1, 0, 1}))
	f.Add(file(kind{header: 12, bits: 1}, width, height, palette(2), packed(1, false)))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := Read(bytes.NewReader(data))
		if err != nil || h.Embedded() || h.Width*h.Height > 1<<20 {
			return
		}
		if pix, bands, err := h.Decode(bytes.NewReader(data), int64(len(data))); err == nil && len(pix) != h.Width*h.Height*bands {
			t.Errorf("%d bytes for %d × %d", len(pix), h.Width, h.Height)
		}
	})
}
