package vips

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"testing"
)

// What the tests write their pictures with.

func write(tb testing.TB, name string, data []byte) (path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(examples, name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// colourful is a picture in which every pixel differs from its neighbours.
func colourful(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x * 7), uint8(y * 5), uint8(x*3 + y*11), 255})
		}
	}
	return img
}

func pngOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

func jpegOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 95}); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// rgbOf are the pixels of an opaque image as Decode returns them.
func rgbOf(img *image.NRGBA) []byte {
	var pix []byte
	for i := 0; i < len(img.Pix); i += 4 {
		pix = append(pix, img.Pix[i:i+3]...)
	}
	return pix
}

func chunk(name string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func deflate(data []byte) []byte {
	var buf bytes.Buffer
	w, _ := zlib.NewWriterLevel(&buf, zlib.BestCompression)
	w.Write(data)
	w.Close()
	return buf.Bytes()
}

// withProfile puts an ICC profile into a PNG.
func withProfile(png, profile []byte) []byte {
	const header = 8 + 25 // signature and IHDR
	iccp := chunk("iCCP", append([]byte("p\x00\x00"), deflate(profile)...))
	return append(append(append([]byte{}, png[:header]...), iccp...), png[header:]...)
}

// profile makes an ICC profile (version 2, RGB) from its primaries in XYZ
// (D50, a column a colour) and sRGB's curve. Its description is a lie, so that
// nothing can go by names.
func profile(primaries [3][3]float64) []byte {
	type tag struct {
		name string
		data []byte
	}
	xyz := func(v [3]float64) []byte {
		out := []byte("XYZ \x00\x00\x00\x00")
		for _, f := range v {
			out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(f*65536))))
		}
		return out
	}
	curve := []byte("curv\x00\x00\x00\x00\x00\x00\x04\x00")
	for i := range 1024 {
		v := float64(i) / 1023
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		curve = binary.BigEndian.AppendUint16(curve, uint16(math.Round(v*65535)))
	}
	desc := append([]byte("desc\x00\x00\x00\x00\x00\x00\x00\x05none\x00"), make([]byte, 79)...)
	tags := []tag{
		{"desc", desc}, {"cprt", []byte("text\x00\x00\x00\x00none\x00")}, {"wtpt", xyz([3]float64{0.9642, 1, 0.8249})},
		{"rXYZ", xyz(primaries[0])}, {"gXYZ", xyz(primaries[1])}, {"bXYZ", xyz(primaries[2])},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var body []byte
	for _, t := range tags {
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(128+4+12*len(tags)+len(body)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
		body = append(body, t.data...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	head := make([]byte, 128)
	binary.BigEndian.PutUint32(head, uint32(128+len(table)+len(body)))
	copy(head[8:], "\x02\x40\x00\x00mntrRGB XYZ ")
	copy(head[36:], "acsp")
	copy(head[68:], "\x00\x00\xf6\xd6\x00\x01\x00\x00\x00\x00\xd3\x2d") // D50
	return append(append(head, table...), body...)
}

// The primaries of sRGB and Display P3, adapted to D50.
var (
	srgbPrimaries = [3][3]float64{{0.4360, 0.2225, 0.0139}, {0.3851, 0.7169, 0.0971}, {0.1431, 0.0606, 0.7139}}
	p3Primaries   = [3][3]float64{{0.5151, 0.2412, -0.0011}, {0.2920, 0.6922, 0.0419}, {0.1571, 0.0666, 0.7841}}
)

// filled is a picture of one grey.
func filled(width, height int, grey uint8) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = grey
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// half is a picture with noise that is black in its lower or upper half.
func half(width, height int, below bool) *image.NRGBA {
	img := filled(width, height, 0)
	from, to := height/2, height
	if below {
		from, to = 0, height/2
	}
	r := rand.New(rand.NewSource(1))
	for i := from * img.Stride; i < to*img.Stride; i++ {
		if i%4 != 3 {
			img.Pix[i] = uint8(100 + r.Intn(60) + i/9000)
		}
	}
	return img
}

func imageOf(img *Image) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, img.Width, img.Height))
	for i := range img.Width * img.Height {
		copy(out.Pix[i*4:], img.Pix[i*3:i*3+3])
		out.Pix[i*4+3] = 255
	}
	return out
}
