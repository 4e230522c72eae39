package vips

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"testing"

	"photodesc/internal/photo"
)

// withChunks puts chunks before a PNG's pixels.
func withChunks(png []byte, chunks ...[]byte) []byte {
	const header = 8 + 25
	out := bytes.Clone(png[:header])
	for _, c := range chunks {
		out = append(out, c...)
	}
	return append(out, png[header:]...)
}

func gama(n uint32) []byte { return chunk("gAMA", binary.BigEndian.AppendUint32(nil, n)) }

func cicp(primaries, transfer byte) []byte {
	return chunk("cICP", []byte{primaries, transfer, 0, 1})
}

// Signals of sRGB leave each byte of a PNG as it is.
func TestSRGBSignals(t *testing.T) {
	img := colourful(61, 47)
	plain := pngOf(t, img)
	for name, chunks := range map[string][][]byte{
		"gAMA": {gama(45455)}, "nearly": {gama(45000)}, "gAMA of zero": {gama(0)}, "sRGB": {chunk("sRGB", []byte{0}), gama(100000)},
		"cICP": {cicp(1, 13)}, "cICP of television": {cicp(1, 1)}, "cICP that says nothing": {cicp(2, 2)},
	} {
		for _, longest := range []int{0, 20} {
			want := decode(t, write(t, "a.png", plain), Options{Longest: longest})
			got := decode(t, write(t, "a.png", withChunks(plain, chunks...)), Options{Longest: longest})
			if !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%s at %d: pixels have changed", name, longest)
			}
		}
	}
	// cICP counts for more than a profile.
	both := withProfile(withChunks(plain, cicp(1, 13)), profile(p3Primaries))
	if got := decode(t, write(t, "a.png", both), Options{}); !bytes.Equal(got.Pix, rgbOf(img)) {
		t.Error("a profile counts although there is cICP")
	}
}

// The kinds of samples that a PNG has, linear: 55 of 255 is 128 in sRGB.
func TestSignalledSamples(t *testing.T) {
	box := image.Rect(0, 0, 40, 30)
	grey, grey16, rgb8, rgb16 := image.NewGray(box), image.NewGray16(box), image.NewNRGBA(box), image.NewNRGBA64(box)
	half, clear := image.NewNRGBA(box), image.NewNRGBA64(box)
	palette := image.NewPaletted(box, color.Palette{color.NRGBA{55, 0, 255, 255}, color.Black})
	for y := range 30 {
		for x := range 40 {
			grey.SetGray(x, y, color.Gray{55})
			grey16.SetGray16(x, y, color.Gray16{55 * 257})
			rgb8.SetNRGBA(x, y, color.NRGBA{55, 0, 255, 255})
			rgb16.SetNRGBA64(x, y, color.NRGBA64{55 * 257, 0, 65535, 65535})
			half.SetNRGBA(x, y, color.NRGBA{55, 55, 55, 128})
			clear.SetNRGBA64(x, y, color.NRGBA64{55 * 257, 0, 0, 0})
			if x == 39 {
				half.SetNRGBA(x, y, color.NRGBA{55, 55, 55, 255})
			}
		}
	}
	for name, c := range map[string]struct {
		img  image.Image
		want rgb
	}{
		"grey": {grey, rgb{128, 128, 128}}, "grey of 16 bits": {grey16, rgb{128, 128, 128}},
		"RGB": {rgb8, rgb{128, 0, 255}}, "RGB of 16 bits": {rgb16, rgb{128, 0, 255}}, "palette": {palette, rgb{128, 0, 255}},
		// Over white in sRGB, as browsers do it.
		"half clear": {half, rgb{191, 191, 191}}, "clear": {clear, rgb{255, 255, 255}},
	} {
		for _, longest := range []int{0, 7} {
			path := write(t, "a.png", withChunks(pngOf(t, c.img), gama(100000)))
			img := decode(t, path, Options{Longest: longest})
			if got := at(img, 0.5, 0.5); !near(got, c.want, 1) || img.OrigWidth != 40 || img.OrigHeight != 30 {
				t.Errorf("%s at %d: %v of %d × %d", name, longest, got, img.OrigWidth, img.OrigHeight)
			}
		}
	}
}

// Clear pixels do not bleed their hidden colour when a signalled picture is shrunk.
func TestSignalShrinkOverWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 400, 300))
	for i := 0; i < len(img.Pix); i += 8 {
		copy(img.Pix[i:], []byte{255, 255, 255, 255, 0, 0, 0, 0})
	}
	got := decode(t, write(t, "a.png", withChunks(pngOf(t, img), gama(100000))), Options{Longest: 50})
	for i, v := range got.Pix {
		if v < 253 {
			t.Fatalf("byte %d is %d", i, v)
		}
	}
}

// The samples count as memory, too.
func TestSignalMemory(t *testing.T) {
	plain := pngOf(t, image.NewNRGBA64(image.Rect(0, 0, 500, 400)))
	const need = 500 * 400 * 8
	opts := Options{MaxBytes: need}
	decode(t, write(t, "a.png", plain), opts)
	path := write(t, "b.png", withChunks(plain, gama(100000)))
	if _, err := Decode(path, opts); photo.KindOf(err) != photo.TooLarge {
		t.Errorf("%v", err)
	}
	opts.MaxBytes *= 2
	decode(t, path, opts)
}

// An orientation counts beside a signal.
func TestSignalAndOrientation(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 4, 2))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	img.SetNRGBA(0, 0, color.NRGBA{55, 55, 55, 255})
	exif := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
	data := withChunks(pngOf(t, img), gama(100000), chunk("eXIf", exif))
	got := decode(t, write(t, "a.png", data), Options{})
	if got.Width != 2 || got.Height != 4 || !near(at(got, 0.9, 0), rgb{128, 128, 128}, 1) || !near(at(got, 0.1, 0), rgb{255, 255, 255}, 0) {
		t.Errorf("%d × %d: %v", got.Width, got.Height, got.Pix)
	}
}

// A profile that says by its tag cicp that the picture is HDR, in any format.
func TestHDRProfile(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 32, 16))
	for i := range img.Pix {
		img.Pix[i] = [4]uint8{148, 148, 148, 255}[i%4] // reference white
	}
	hdr := withTag(profile(p3Primaries), "cicp", []byte{'c', 'i', 'c', 'p', 0, 0, 0, 0, 9, 16, 0, 1})
	sdr := withTag(profile(srgbPrimaries), "cicp", []byte{'c', 'i', 'c', 'p', 0, 0, 0, 0, 1, 13, 0, 1})
	for _, c := range []struct {
		name string
		data []byte
		want rgb
	}{
		{"a.png", withProfile(pngOf(t, img), hdr), rgb{255, 255, 255}},
		{"a.jpg", withJPEGProfile(jpegOf(t, img), hdr), rgb{255, 255, 255}},
		{"sdr.png", withProfile(pngOf(t, img), sdr), rgb{148, 148, 148}},
		{"cut.png", withProfile(pngOf(t, img), hdr[:len(hdr)-8]), rgb{148, 148, 148}},
	} {
		if got := at(decode(t, write(t, c.name, c.data), Options{}), 0.5, 0.5); !near(got, c.want, 2) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// withTag adds a tag to an ICC profile, whose offsets move.
func withTag(profile []byte, name string, content []byte) []byte {
	be := binary.BigEndian
	const header, entry = 128, 12
	n := be.Uint32(profile[header:])
	table := bytes.Clone(profile[:header+4+entry*int(n)])
	be.PutUint32(table[header:], n+1)
	for i := range int(n) {
		at := header + 4 + entry*i + 4
		be.PutUint32(table[at:], be.Uint32(table[at:])+entry)
	}
	table = append(table, name...)
	table = be.AppendUint32(table, uint32(len(profile)+entry))
	table = be.AppendUint32(table, uint32(len(content)))
	out := append(table, profile[header+4+entry*int(n):]...)
	out = append(out, content...)
	be.PutUint32(out, uint32(len(out)))
	return out
}

func withJPEGProfile(jpeg, profile []byte) []byte {
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe2}, uint16(2+14+len(profile)))
	segment = append(append(segment, "ICC_PROFILE\x00\x01\x01"...), profile...)
	return append(append(bytes.Clone(jpeg[:2]), segment...), jpeg[2:]...)
}
