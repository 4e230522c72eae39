package vips

import (
	"bytes"
	"encoding/binary"
	"image"
	"testing"

	"golang.org/x/image/bmp"

	"photodesc/internal/photo"
)

func bmpOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var buf bytes.Buffer
	if err := bmp.Encode(&buf, img); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

func TestTrialBMP(t *testing.T) {
	for _, name := range []string{"grey8.bmp", "v5_alpha0.bmp"} {
		img := decode(t, write(t, "a.bmp", testdata(t, name)), Options{})
		if img.Format != photo.FormatBMP || img.OrigWidth != 160 || img.OrigHeight != 120 {
			t.Errorf("%s: %s, %d × %d", name, img.Format, img.OrigWidth, img.OrigHeight)
		}
		circle, ground := at(img, 0.3, 0.33), at(img, 0.9, 0.9)
		if want := map[string]rgb{"grey8.bmp": {80, 80, 80}, "v5_alpha0.bmp": {220, 20, 20}}[name]; !near(circle, want, 2) || ground != (rgb{255, 255, 255}) {
			t.Errorf("%s: %v on %v", name, circle, ground)
		}
	}
}

// embeddedBMP is a JPEG or PNG in a BMP's envelope.
func embeddedBMP(compression uint32, width, height int, data []byte) []byte {
	le := binary.LittleEndian
	out := append([]byte("BM"), make([]byte, 52)...)
	le.PutUint32(out[10:], 54)
	le.PutUint32(out[14:], 40)
	le.PutUint32(out[18:], uint32(width))
	le.PutUint32(out[22:], uint32(height))
	le.PutUint32(out[30:], compression)
	return append(out, data...)
}

func TestEmbeddedBMP(t *testing.T) {
	img := corner(300, 200)
	for name, data := range map[string][]byte{
		"JPEG": embeddedBMP(4, 300, 200, jpegOf(t, img)), "PNG": embeddedBMP(5, 300, 200, pngOf(t, img)),
	} {
		got := decode(t, write(t, "a.bmp", data), Options{})
		if redCorner(t, got) != "top left" || got.OrigWidth != 300 || got.Format != photo.FormatBMP {
			t.Errorf("%s: the corner is at the %s; %d wide, %s", name, redCorner(t, got), got.OrigWidth, got.Format)
		}
	}
	failsAs(t, write(t, "a.bmp", embeddedBMP(4, 300, 200, []byte("no JPEG"))), photo.Unreadable, "damaged or cut short")
}

// Large bitmaps are read through their descriptor: the same pixels.
func TestBMPThroughDescriptor(t *testing.T) {
	path := write(t, "a.bmp", bmpOf(t, colourful(301, 203)))
	whole := decode(t, path, Options{})
	defer func(before int64) { inMemory = before }(inMemory)
	inMemory = 0
	if got := decode(t, path, Options{}); !bytes.Equal(got.Pix, whole.Pix) {
		t.Error("other pixels")
	}
}

func TestBMPErrors(t *testing.T) {
	data := bmpOf(t, colourful(301, 203))
	failsAs(t, write(t, "a.bmp", data[:len(data)/2]), photo.Unreadable, "damaged or cut short: unexpected EOF: 91")
	fax := embeddedBMP(3, 300, 200, make([]byte, 50_000))
	fax[14] = 64
	fax[28] = 1
	failsAs(t, write(t, "a.bmp", fax), photo.Unsupported, "it has fax compression: save it as PNG")
	if _, err := Decode(write(t, "a.bmp", data), Options{MaxBytes: 200_000}); photo.KindOf(err) != photo.TooLarge {
		t.Errorf("with little memory: %v", err)
	}
}
