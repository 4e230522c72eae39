package identity

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	examples = "../../../examples/photos/"
	samples  = "../vips/testdata/"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func idOf(t *testing.T, name string, data []byte) ID {
	t.Helper()
	id, err := Of(bytes.NewReader(data), int64(len(data)), name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if id.Head == "" {
		t.Fatalf("%s: no head", name)
	}
	return id
}

func insert(data []byte, at int, piece []byte) []byte {
	return append(append(bytes.Clone(data[:at]), piece...), data[at:]...)
}

// segment is a segment of a JPEG.
func segment(marker byte, content string) []byte {
	b := []byte{0xff, marker, 0, 0}
	binary.BigEndian.PutUint16(b[2:], uint16(2+len(content)))
	return append(b, content...)
}

// exifWith is EXIF data with an orientation.
func exifWith(orientation byte) string {
	return "MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00"
}

func chunk(kind, content string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, kind...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// TestMetadataIsNoPicture changes metadata, which must not change the picture, and the picture, which must.
func TestMetadataIsNoPicture(t *testing.T) {
	jpg := read(t, samples+"photo-progressive.jpg")
	png := read(t, examples+"pink-circle-16-bit.png")
	heic := read(t, examples+"orange-square.heic")
	raw := read(t, samples+"portrait6.cr3")
	webp := read(t, examples+"yellow-star-on-blue.webp")
	const behindIHDR = 8 + 8 + 13 + 4
	middle := func(data []byte, at int) []byte {
		data = bytes.Clone(data)
		data[at] ^= 1
		return data
	}
	coded := bytes.Index(jpg, []byte{0xff, 0xda}) + 40
	mdat := bytes.Index(heic, []byte("mdat"))
	preview := bytes.LastIndex(raw, []byte{0xff, 0xda}) + 40
	irot := bytes.Index(heic, []byte("ispe")) + 11
	for _, c := range []struct {
		what, name    string
		before, after []byte
		same          bool
	}{
		{"a comment", "a.jpg", jpg, insert(jpg, 2, segment(0xfe, "words")), true},
		{"XMP", "a.jpg", jpg, insert(jpg, 2, segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x/>")), true},
		{"EXIF of an upright photo", "a.jpg", jpg, insert(jpg, 2, segment(0xe1, "Exif\x00\x00"+exifWith(1))), true},
		{"bytes after the end", "a.jpg", jpg, append(bytes.Clone(jpg), "a film"...), true},
		{"an orientation", "a.jpg", jpg, insert(jpg, 2, segment(0xe1, "Exif\x00\x00"+exifWith(6))), false},
		{"a profile", "a.jpg", jpg, insert(jpg, 2, segment(0xe2, "ICC_PROFILE\x00\x01\x01x")), false},
		{"the colour transform", "a.jpg", jpg, insert(jpg, 2, segment(0xee, "Adobe\x00\x64\x00\x00\x00\x00\x00")), false},
		{"coded data", "a.jpg", jpg, middle(jpg, coded), false},
		{"its end", "a.jpg", jpg, jpg[:len(jpg)-100], false},
		{"text", "a.png", png, insert(png, behindIHDR, chunk("tEXt", "a\x00b")), true},
		{"EXIF without turning", "a.png", png, insert(png, behindIHDR, chunk("eXIf", exifWith(1))), true},
		{"an orientation", "a.png", png, insert(png, behindIHDR, chunk("eXIf", exifWith(3))), false},
		{"gamma", "a.png", png, insert(png, behindIHDR, chunk("gAMA", "\x00\x00\x10\x00")), false},
		{"pixels", "a.png", png, middle(png, bytes.LastIndex(png, []byte("IDAT"))+30), false},
		{"a box behind", "a.heic", heic, append(bytes.Clone(heic), "\x00\x00\x00\x0cfreexxxx"...), true},
		{"coded data", "a.heic", heic, middle(heic, mdat+60), false},
		{"a property", "a.heic", heic, middle(heic, irot), false},
		{"bytes of the container", "a.cr3", raw, append(bytes.Clone(raw), "\x00\x00\x00\x0cfreexxxx"...), true},
		{"the preview", "a.cr3", raw, middle(raw, preview), false},
		{"anything", "a.webp", webp, middle(webp, len(webp)-1), false},
	} {
		t.Run(c.name+" "+c.what, func(t *testing.T) {
			a, b := idOf(t, c.name, c.before), idOf(t, c.name, c.after)
			if a.Picture == "" || (a.Picture == b.Picture) != c.same {
				t.Errorf("picture %q, then %q; same is to be %t", a.Picture, b.Picture, c.same)
			}
			if a.Head == b.Head || a.Whole == b.Whole && a.Whole != "" {
				t.Errorf("other bytes have the same hash: %+v %+v", a, b)
			}
			if isRAW := strings.HasSuffix(c.name, ".cr3"); isRAW != (a.Whole == "") {
				t.Errorf("hash of the whole file: %q", a.Whole)
			}
		})
	}
}

// TestOfEveryFile cuts every sample off at several places: an answer or an error, no panic, and no two alike.
func TestOfEveryFile(t *testing.T) {
	names, _ := filepath.Glob(samples + "*.*")
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(filepath.Base(name), "exif.") }) // others with EXIF
	more, _ := filepath.Glob(examples + "*.*")
	seen := map[string]string{}
	for _, name := range append(names, more...) {
		data := read(t, name)
		id := idOf(t, name, data)
		if was, twice := seen[id.Picture]; twice && id.Picture != "" && !bytes.Equal(read(t, was), data) {
			t.Errorf("%s has the picture of %s", name, was)
		}
		seen[id.Picture] = name
		for _, n := range []int{0, 1, 13, len(data) / 3, len(data) - 1} {
			part := data[:n]
			if _, err := Of(bytes.NewReader(part), int64(n), name); err != nil {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
			if _, err := Of(bytes.NewReader(part), int64(len(data)), name); err == nil {
				t.Errorf("%s cut to %d bytes while it is read: no error", name, n)
			}
		}
	}
}

func BenchmarkOf(b *testing.B) {
	jpg, err := os.ReadFile(samples + "photo-standard.jpg")
	if err != nil {
		b.Fatal(err)
	}
	at := bytes.Index(jpg, []byte{0xff, 0xda}) + 14
	coded := jpg[at : len(jpg)-2]
	big := bytes.Clone(jpg[:at])
	for len(big) < 3<<20 {
		big = append(big, coded...)
	}
	big = append(big, 0xff, 0xd9)
	b.SetBytes(int64(len(big)))
	for b.Loop() {
		if _, err := Of(bytes.NewReader(big), int64(len(big)), "a.jpg"); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzPicture(f *testing.F) {
	for _, name := range []string{samples + "photo-progressive.jpg", samples + "black.png", samples + "photo.heic"} {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Of(bytes.NewReader(data), int64(len(data)), "a.jpg")
		b, _ := Of(bytes.NewReader(data), int64(len(data)), "a.jpg")
		if err != nil || a != b {
			t.Fatalf("%v: %v, then %v", err, a, b)
		}
	})
}
