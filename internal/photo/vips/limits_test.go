package vips

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"photodesc/internal/photo"
	"photodesc/internal/photo/heif"
	"photodesc/internal/photo/tiff"
)

// A JPEG that is watched for damage is within the limits of all: one of several scans
// keeps all coefficients in memory, 24 GiB of them in 65,000 × 65,000 pixels.
func TestSuspiciousJPEGWithinLimits(t *testing.T) {
	data := testdata(t, "photo-progressive.jpg")
	sof := bytes.Index(data, []byte{0xff, 0xc2})
	scan := bytes.Index(data, []byte{0xff, 0xda})
	huge := bytes.Clone(data)
	for i := range 4 {
		huge[sof+5+i] = 0xfd
	}
	clear(huge[scan+500 : scan+1000])
	failsAs(t, write(t, "huge.jpg", huge), photo.TooLarge, "million")

	// 144 million pixels are allowed, 824 MiB for their coefficients are not.
	for i, b := range []byte{0x2e, 0xe0, 0x2e, 0xe0} {
		huge[sof+5+i] = b
	}
	before := peak(t)
	_, err := Decode(write(t, "large.jpg", huge), Options{Longest: 512, MaxBytes: 128 << 20})
	if photo.KindOf(err) != photo.TooLarge {
		t.Error(err)
	}
	if grown := peak(t) - before; grown > 128<<20 {
		t.Errorf("%d MiB were taken", grown>>20)
	}
}

// A JPEG of a kind that is not read is not called damaged for zeros in its data.
func TestSuspiciousJPEGNotRead(t *testing.T) {
	data := testdata(t, "photo-standard.jpg")
	data[bytes.Index(data, []byte{0xff, 0xc0})+4] = 12 // bits
	scan := bytes.Index(data, []byte{0xff, 0xda})
	clear(data[scan+500 : scan+1000])
	failsAs(t, write(t, "12.jpg", data), photo.Unsupported, "precision")
}

// Strips that lie over each other are not looked at more often than makes sense.
func TestOverlappingStrips(t *testing.T) {
	const strips, size = 100_000, 8 << 20
	for _, compression := range []int{1, 5, 8} {
		data := bytes.Repeat([]byte{1}, size)
		copy(data, "II*\x00\x08\x00\x00\x00")
		offsets, counts := 1000, 1000+4*strips
		entry := func(tag, kind, n, value int) []byte {
			out := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(tag)), uint16(kind))
			return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(out, uint32(n)), uint32(value))
		}
		ifd := bytes.Join([][]byte{{9, 0},
			entry(256, 4, 1, 100), entry(257, 4, 1, strips), entry(258, 3, 1, 8), entry(259, 3, 1, compression), entry(262, 3, 1, 1),
			entry(273, 4, strips, offsets), entry(277, 3, 1, 1), entry(278, 4, 1, 1), entry(279, 4, strips, counts), {0, 0, 0, 0}}, nil)
		copy(data[8:], ifd)
		for i := range strips {
			binary.LittleEndian.PutUint32(data[offsets+4*i:], 1<<20)
			binary.LittleEndian.PutUint32(data[counts+4*i:], 7<<20-uint32(i%2))
		}
		f := file{size: size}
		in := input{file: &f, data: data}
		header, err := tiff.Read(bytes.NewReader(data), size)
		if err != nil {
			t.Fatal(err)
		}
		start := cpuTime(t)
		if err := in.checkStrips(header.Directories[0]); err != nil {
			t.Error(err)
		}
		if d := cpuTime(t) - start; d > 5*time.Second {
			t.Errorf("compression %d: it took %v of CPU", compression, d)
		}
	}
}

// Nor are the parts of a HEIF.
func TestOverlappingParts(t *testing.T) {
	const extents, size = 60_000, 4 << 20
	box := func(kind string, content ...[]byte) []byte {
		body := bytes.Join(content, nil)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
	}
	iloc := []byte{0, 0, 0, 0, 0x44, 0, 0, 1, 0, 1, 0, 0}
	iloc = binary.BigEndian.AppendUint16(iloc, extents)
	for range extents {
		iloc = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(iloc, 1<<20), 3<<20)
	}
	data := append(box("ftyp", []byte("heic\x00\x00\x00\x00heic")), box("meta", make([]byte, 4),
		box("pitm", []byte{0, 0, 0, 0, 0, 1}),
		box("iinf", []byte{0, 0, 0, 0, 0, 1}, box("infe", []byte{2, 0, 0, 0, 0, 1, 0, 0}, []byte("hvc1"), []byte{0})),
		box("iloc", iloc))...)
	data = append(data, bytes.Repeat([]byte{1}, size-len(data))...)
	f, err := heif.Read(bytes.NewReader(data), size)
	if err != nil || len(f.Parts()) < 1000 {
		t.Fatal(err, f)
	}
	start := cpuTime(t)
	in := input{file: &file{size: size}, data: data}
	if err := in.checkItems(); err != nil {
		t.Error(err)
	}
	if d := cpuTime(t) - start; d > 5*time.Second {
		t.Errorf("it took %v of CPU", d)
	}
}

// A BMP with an edge that libvips has no number for is not described as one pixel, and
// a row counts as memory.
func TestWideBMP(t *testing.T) {
	data := testdata(t, "grey8.bmp")
	binary.LittleEndian.PutUint32(data[18:], 400_000_000)
	binary.LittleEndian.PutUint32(data[22:], 1)
	binary.LittleEndian.PutUint16(data[28:], 4)
	binary.LittleEndian.PutUint32(data[30:], 2) // run lengths
	failsAs(t, write(t, "wide.bmp", data), photo.TooLarge, "no edge of more than")

	binary.LittleEndian.PutUint32(data[18:], 9_000_000)
	binary.LittleEndian.PutUint16(data[28:], 32)
	binary.LittleEndian.PutUint32(data[30:], 0)
	_, err := Decode(write(t, "row.bmp", data), Options{MaxBytes: 40_000_000})
	if photo.KindOf(err) != photo.TooLarge {
		t.Error(err)
	}
}
