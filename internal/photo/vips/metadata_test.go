package vips

import (
	"encoding/binary"
	"image"
	"math"
	"os"
	"testing"
	"time"

	"photodesc/internal/photo"
)

// exifBlockOf is a block of EXIF data: a camera, a time with its offset, and a place
// west of Greenwich. The first directory has extra entries, too.
func exifBlockOf(taken string, extra ...[]byte) []byte {
	le := binary.LittleEndian
	at := func(offset int) []byte { return le.AppendUint32(nil, uint32(offset)) }
	const ascii, long, rational, ifd0 = 2, 4, 5, 8
	entry := func(tag, kind uint16, count int, value []byte) []byte {
		e := le.AppendUint16(le.AppendUint16(nil, tag), kind)
		return append(le.AppendUint32(e, uint32(count)), append(value, 0, 0, 0, 0)[:4]...)
	}
	exif := ifd0 + 2 + (4+len(extra))*12 + 4
	gps := exif + 2 + 2*12 + 4
	date := gps + 2 + 4*12 + 4
	north := date + 20
	west := north + 24
	maker := west + 24
	model := maker + 6
	offset := model + 19
	tiff := append([]byte("II*\x00"), at(ifd0)...)
	tiff = le.AppendUint16(tiff, uint16(4+len(extra)))
	tiff = append(tiff, entry(0x010f, ascii, 6, at(maker))...)
	tiff = append(tiff, entry(0x0110, ascii, 19, at(model))...)
	for _, e := range extra {
		tiff = append(tiff, e...)
	}
	tiff = append(tiff, entry(0x8769, long, 1, at(exif))...)
	tiff = append(tiff, entry(0x8825, long, 1, at(gps))...)
	tiff = append(tiff, at(0)...)
	tiff = le.AppendUint16(tiff, 2)
	tiff = append(tiff, entry(0x9003, ascii, 20, at(date))...)
	tiff = append(tiff, entry(0x9011, ascii, 7, at(offset))...)
	tiff = append(tiff, at(0)...)
	tiff = le.AppendUint16(tiff, 4)
	tiff = append(tiff, entry(1, ascii, 2, []byte("N\x00"))...)
	tiff = append(tiff, entry(2, rational, 3, at(north))...)
	tiff = append(tiff, entry(3, ascii, 2, []byte("W\x00"))...)
	tiff = append(tiff, entry(4, rational, 3, at(west))...)
	tiff = append(tiff, at(0)...)
	tiff = append(tiff, (taken + "\x00                    ")[:20]...)
	for _, v := range []uint32{48, 1, 51, 1, 2952, 100, 2, 1, 17, 1, 4020, 100} {
		tiff = le.AppendUint32(tiff, v)
	}
	tiff = append(tiff, "Apple\x00iPad Pro (11-inch)\x00+02:00\x00"...)
	return tiff
}

// withExif puts an EXIF block into a JPEG.
func withExif(jpeg []byte, taken string) []byte {
	block := append([]byte("Exif\x00\x00"), exifBlockOf(taken)...)
	out := append([]byte{}, jpeg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(block)+2))
	return append(append(out, block...), jpeg[2:]...)
}

// rawWithExif is a RAW file whose container has the EXIF data and a preview without.
func rawWithExif(preview []byte, taken string) []byte {
	le := binary.LittleEndian
	entry := func(tag uint16, value int) []byte {
		e := le.AppendUint16(le.AppendUint16(nil, tag), 4)
		return le.AppendUint32(le.AppendUint32(e, 1), uint32(value))
	}
	length := len(exifBlockOf(taken, make([]byte, 12), make([]byte, 12)))
	return append(exifBlockOf(taken, entry(0x0201, length), entry(0x0202, len(preview))), preview...)
}

// tiffWithExif is a TIFF of grey pixels with EXIF data.
func tiffWithExif(taken string) []byte {
	le := binary.LittleEndian
	const width, height = 32, 24
	entry := func(tag uint16, value int) []byte {
		e := le.AppendUint16(le.AppendUint16(nil, tag), 4)
		return le.AppendUint32(le.AppendUint32(e, 1), uint32(value))
	}
	entries := func(at int) [][]byte {
		return [][]byte{entry(0x0100, width), entry(0x0101, height), entry(0x0102, 8), entry(0x0103, 1), entry(0x0106, 1),
			entry(0x0111, at), entry(0x0115, 1), entry(0x0116, height), entry(0x0117, width*height)}
	}
	length := len(exifBlockOf(taken, entries(0)...))
	data := exifBlockOf(taken, entries(length)...)
	for i := range width * height {
		data = append(data, byte(i*5))
	}
	return data
}

// cr3WithExif is a CR3 whose box has the directories one by one.
func cr3WithExif(preview []byte, taken string) []byte {
	block := exifBlockOf(taken)
	from := func(pointer int) []byte { // a block that begins with another directory
		b := append([]byte{}, block...)
		copy(b[4:8], block[pointer:pointer+4])
		return b
	}
	box := func(name string, content ...byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(content))), name...), content...)
	}
	main := append([]byte{}, block...)
	main[8] = 2 // camera only
	const exifPointer, gpsPointer = 8 + 2 + 2*12 + 8, 8 + 2 + 3*12 + 8
	content := []byte("\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48")
	content = append(content, box("CMT1", main...)...)
	content = append(content, box("CMT2", from(exifPointer)...)...)
	content = append(content, box("CMT4", from(gpsPointer)...)...)
	out := append(box("ftyp", []byte("crx \x00\x00\x00\x01crx isom")...), box("moov", box("uuid", content...)...)...)
	return append(out, box("mdat", preview...)...)
}

func mrwWithExif(preview []byte, taken string) []byte {
	block := exifBlockOf(taken)
	out := binary.BigEndian.AppendUint32([]byte("\x00MRM"), uint32(8+len(block)))
	out = binary.BigEndian.AppendUint32(append(out, "\x00TTW"...), uint32(len(block)))
	return append(append(out, block...), preview...)
}

func TestMetadata(t *testing.T) {
	plain := jpegOf(t, colourful(64, 48))
	large := jpegOf(t, colourful(1200, 800))
	img, err := Decode(write(t, "plain.jpg", plain), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if img.Metadata != (photo.Metadata{}) {
		t.Errorf("a file without metadata has %+v", img.Metadata)
	}
	const taken = "2019:07:14 12:30:05"
	grey := pngOf(t, image.NewGray(image.Rect(0, 0, 8, 8)))
	const header, end = 8 + 25, 12
	before := append(append(append([]byte{}, grey[:header]...), chunk("eXIf", exifBlockOf(taken))...), grey[header:]...)
	last := len(grey) - end
	behind := append(append(append([]byte{}, grey[:last]...), chunk("eXIf", exifBlockOf(taken))...), grey[last:]...)
	text := textChunk("zTXt", "Raw profile type exif", profileText("exif", exifBlockOf(taken)))
	inText := append(append(append([]byte{}, grey[:header]...), text...), grey[header:]...)
	for name, data := range map[string][]byte{
		"a.jpg": withExif(plain, taken), "large.jpg": withExif(large, taken),
		"before.png": before, "behind.png": behind, "text.png": inText,
		"a.heic": testdata(t, "exif.heic"), "a.webp": testdata(t, "exif.webp"), "a.avif": testdata(t, "exif.avif"),
		"a.tiff": tiffWithExif(taken), "a.nef": rawWithExif(large, taken), "a.cr3": cr3WithExif(large, taken),
		"a.mrw": mrwWithExif(large, taken), "a.raf": rafFile(withExif(large, taken), 0),
	} {
		path := write(t, name, data)
		changed := time.Date(2021, 5, 6, 7, 8, 9, 123456789, time.UTC)
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
		// Shrinking while decoding opens the file a second time.
		for _, longest := range []int{0, 16} {
			img, err = Decode(path, Options{Longest: longest})
			if err != nil {
				t.Fatal(err)
			}
			m := img.Metadata
			if m.TakenText() != "2019-07-14T12:30:05+02:00" || m.Camera != "Apple iPad Pro (11-inch)" {
				t.Errorf("%s: taken %q with %q", name, m.TakenText(), m.Camera)
			}
			if !m.HasPlace || math.Abs(m.Latitude-48.8582) > 1e-4 || math.Abs(m.Longitude+2.2945) > 1e-4 {
				t.Errorf("%s: %+v, want 48.8582, -2.2945", name, m)
			}
			if img.Size != int64(len(data)) || !img.ModTime.Equal(changed) {
				t.Errorf("%s: %d bytes changed %v", name, img.Size, img.ModTime)
			}
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
