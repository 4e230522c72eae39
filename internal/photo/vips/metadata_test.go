package vips

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// withExif puts an EXIF block into a JPEG: a time, and a place west of
// Greenwich.
func withExif(jpeg []byte, taken string) []byte {
	le := binary.LittleEndian
	var tiff []byte
	entry := func(tag, kind uint16, count int, value []byte) {
		tiff = le.AppendUint16(tiff, tag)
		tiff = le.AppendUint16(tiff, kind)
		tiff = le.AppendUint32(tiff, uint32(count))
		tiff = append(tiff, append(value, 0, 0, 0, 0)[:4]...)
	}
	at := func(offset int) []byte { return le.AppendUint32(nil, uint32(offset)) }
	const (
		ascii, long, rational = 2, 4, 5

		ifd0  = 8
		exif  = ifd0 + 2 + 2*12 + 4
		gps   = exif + 2 + 1*12 + 4
		date  = gps + 2 + 4*12 + 4
		north = date + 20
		west  = north + 24
	)
	tiff = append(tiff, "II*\x00"...)
	tiff = append(tiff, at(ifd0)...)
	tiff = le.AppendUint16(tiff, 2)
	entry(0x8769, long, 1, at(exif))
	entry(0x8825, long, 1, at(gps))
	tiff = append(tiff, at(0)...)
	tiff = le.AppendUint16(tiff, 1)
	entry(0x9003, ascii, 20, at(date)) // DateTimeOriginal
	tiff = append(tiff, at(0)...)
	tiff = le.AppendUint16(tiff, 4)
	entry(1, ascii, 2, []byte("N\x00"))
	entry(2, rational, 3, at(north))
	entry(3, ascii, 2, []byte("W\x00"))
	entry(4, rational, 3, at(west))
	tiff = append(tiff, at(0)...)
	tiff = append(tiff, (taken + "\x00                    ")[:20]...)
	for _, v := range []uint32{48, 1, 51, 1, 2952, 100, 2, 1, 17, 1, 4020, 100} {
		tiff = le.AppendUint32(tiff, v)
	}
	block := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, jpeg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(block)+2))
	return append(append(out, block...), jpeg[2:]...)
}

func TestMetadata(t *testing.T) {
	plain := jpegOf(t, colourful(64, 48))
	img, err := Decode(write(t, "plain.jpg", plain), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m := img.Metadata; !m.Taken.IsZero() || m.HasPlace {
		t.Errorf("a file without metadata has %+v", m)
	}
	// Shrinking while decoding opens the file a second time.
	for _, longest := range []int{0, 16} {
		img, err = Decode(write(t, "exif.jpg", withExif(plain, "2019:07:14 12:30:05")), Options{Longest: longest})
		if err != nil {
			t.Fatal(err)
		}
		m := img.Metadata
		if want := time.Date(2019, 7, 14, 12, 30, 5, 0, time.UTC); !m.Taken.Equal(want) {
			t.Errorf("taken %v, want %v", m.Taken, want)
		}
		if !m.HasPlace || math.Abs(m.Latitude-48.8582) > 1e-4 || math.Abs(m.Longitude+2.2945) > 1e-4 {
			t.Errorf("%+v, want 48.8582, -2.2945", m)
		}
	}
	// A value that pretends to be another.
	img, err = Decode(write(t, "odd.jpg", withExif(plain, "2019 (:07:14 \x1b[31m")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !img.Metadata.Taken.IsZero() || !img.Metadata.HasPlace {
		t.Errorf("%+v", img.Metadata)
	}
}
