package raw

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"strings"
	"testing"

	"photodesc/internal/photo/ifd"
)

// jpg is a JPEG of the given size in pixels.
func jpg(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// file puts together a RAW file: parts follow one another.
type file struct {
	bytes.Buffer
	order binary.ByteOrder
}

func newFile(order binary.ByteOrder, magic string) *file {
	f := &file{order: order}
	f.WriteString(magic)
	f.long(8)
	return f
}

func (f *file) short(v int) { binary.Write(f, f.order, uint16(v)) }
func (f *file) long(v int)  { binary.Write(f, f.order, uint32(v)) }

// tag is an entry of one value that stands in the entry, as a long.
type tag struct{ id, value int }

func (f *file) directory(next int, tags ...tag) {
	f.short(len(tags))
	for _, t := range tags {
		f.short(t.id)
		if t.id == ifd.Compression || t.id == ifd.Orientation {
			f.short(3)
			f.long(1)
			f.short(t.value)
			f.short(0)
			continue
		}
		f.short(4)
		f.long(1)
		f.long(t.value)
	}
	f.long(next)
}

const directoryLen = 2 + 4 // and 12 an entry

func find(tb testing.TB, data []byte) (Preview, error) {
	tb.Helper()
	return Find(bytes.NewReader(data), int64(len(data)))
}

func wantSize(t *testing.T, p Preview, err error, width, height, orientation int) {
	t.Helper()
	if err != nil || p.Width != width || p.Height != height || p.Orientation != orientation {
		t.Fatalf("got %+v, %v; want %d × %d, orientation %d", p, err, width, height, orientation)
	}
}

// Like Nikon and Sony: a thumbnail in the first directory, the preview in a sub-directory.
func TestPreviewInSubDirectory(t *testing.T) {
	for _, c := range []struct {
		order binary.ByteOrder
		magic string
	}{{binary.LittleEndian, "II*\x00"}, {binary.BigEndian, "MM\x00*"}} {
		small, large := jpg(t, 160, 120), jpg(t, 1600, 1200)
		f := newFile(c.order, c.magic)
		second := 8 + directoryLen + 4*12
		data := second + directoryLen + 2*12
		f.directory(0, tag{ifd.Orientation, 6}, tag{ifd.SubIFDs, second},
			tag{ifd.JPEGOffset, data}, tag{ifd.JPEGLength, len(small)})
		f.directory(0, tag{ifd.JPEGOffset, data + len(small)}, tag{ifd.JPEGLength, len(large)})
		f.Write(small)
		f.Write(large)
		p, err := find(t, f.Bytes())
		wantSize(t, p, err, 1600, 1200, 6)
		if !bytes.Equal(f.Bytes()[p.Offset:p.Offset+p.Length], large) {
			t.Error("other bytes than the preview's")
		}
	}
}

// Like Canon's CR2: the preview is a strip; another holds lossless data.
func TestPreviewInStrip(t *testing.T) {
	large, sensor := jpg(t, 1200, 800), jpg(t, 3000, 2000)
	sensor[bytes.Index(sensor, []byte{0xff, 0xc0})+1] = 0xc3
	f := newFile(binary.LittleEndian, "II*\x00")
	second := 8 + directoryLen + 3*12
	data := second + directoryLen + 3*12
	f.directory(second, tag{ifd.Compression, 6}, tag{ifd.StripOffsets, data}, tag{ifd.StripByteCounts, len(large)})
	f.directory(8, tag{ifd.Compression, 6}, tag{ifd.StripOffsets, data + len(large)}, tag{ifd.StripByteCounts, len(sensor)})
	f.Write(large)
	f.Write(sensor)
	p, err := find(t, f.Bytes())
	wantSize(t, p, err, 1200, 800, 0)
}

// Panasonic keeps it as the value of a tag.
func TestPreviewInTag(t *testing.T) {
	large := jpg(t, 1920, 1440)
	f := newFile(binary.LittleEndian, "IIU\x00")
	f.short(1)
	f.short(ifd.PanasonicJPEG)
	f.short(7)
	f.long(len(large))
	f.long(8 + directoryLen + 12)
	f.long(0)
	f.Write(large)
	p, err := find(t, f.Bytes())
	wantSize(t, p, err, 1920, 1440, 0)
}

func TestPreviewOfFuji(t *testing.T) {
	large := jpg(t, 1920, 1280)
	head := make([]byte, 160)
	copy(head, "FUJIFILMCCD-RAW 0201")
	binary.BigEndian.PutUint32(head[84:], uint32(len(head)))
	binary.BigEndian.PutUint32(head[88:], uint32(len(large)))
	p, err := find(t, append(head, large...))
	wantSize(t, p, err, 1920, 1280, 0)
}

// CR3, X3F, CRW and ORF keep it where no directory leads; the largest wins.
func TestPreviewCarved(t *testing.T) {
	var data []byte
	data = append(data, "\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01"...)
	data = append(data, jpg(t, 160, 120)...)
	data = append(data, bytes.Repeat([]byte{0xff, 0xd8, 0xff, 0x00}, 20)...)
	data = append(data, make([]byte, carveChunk-len(data)-1)...) // across two chunks
	data = append(data, jpg(t, 1620, 1080)...)
	data = append(data, make([]byte, 1000)...)
	p, err := find(t, data)
	wantSize(t, p, err, 1620, 1080, 0)
}

func TestNoPreview(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":  nil,
		"short":  []byte("II*"),
		"zeros":  make([]byte, 5000),
		"no IFD": []byte("II*\x00\xff\xff\xff\xff" + strings.Repeat("x", 500)),
	} {
		if _, err := find(t, data); !errors.Is(err, ErrNoPreview) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Directories that lead in circles, overlap or claim a million values end soon.
func TestHostileDirectories(t *testing.T) {
	loop := newFile(binary.LittleEndian, "II*\x00")
	loop.directory(8, tag{ifd.SubIFDs, 8})
	chain := newFile(binary.LittleEndian, "II*\x00")
	for i := range 10_000 {
		chain.directory(8 + (i+1)*directoryLen)
	}
	many := newFile(binary.LittleEndian, "II*\x00")
	many.short(0xffff)
	many.Write(bytes.Repeat([]byte{0x4a, 0x01, 4, 0, 0xff, 0xff, 0xff, 0xff, 8, 0, 0, 0}, 0xffff))
	for name, f := range map[string]*file{"loop": loop, "chain": chain, "many": many} {
		r := &readCounter{ReaderAt: bytes.NewReader(f.Bytes())}
		if _, err := Find(r, int64(f.Len())); !errors.Is(err, ErrNoPreview) {
			t.Errorf("%s: %v", name, err)
		}
		r.atMost(t, name, 5*maxDirectories)
	}
}

// readCounter counts the reads of a file, which are bounded for hostile ones.
type readCounter struct {
	io.ReaderAt
	n int
}

func (r *readCounter) ReadAt(p []byte, at int64) (int, error) {
	r.n++
	return r.ReaderAt.ReadAt(p, at)
}

func (r *readCounter) atMost(t *testing.T, name string, n int) {
	t.Helper()
	if r.n > n {
		t.Errorf("%s: %d reads", name, r.n)
	}
}

// The entries of a directory that is cut are used.
func TestCutDirectory(t *testing.T) {
	large := jpg(t, 1600, 1200)
	f := newFile(le, "II*\x00")
	second := 8 + directoryLen + len(large)
	f.directory(second)
	f.Write(large)
	f.directory(0, tag{ifd.Orientation, 3}, tag{ifd.JPEGOffset, second - len(large)}, tag{ifd.JPEGLength, len(large)}, tag{ifd.Compression, 1})
	p, err := find(t, f.Bytes()[:f.Len()-10])
	wantSize(t, p, err, 1600, 1200, 3)
}

func FuzzFind(f *testing.F) {
	small := jpg(f, 16, 16)
	d := newFile(binary.LittleEndian, "II*\x00")
	d.directory(0, tag{ifd.Orientation, 6}, tag{ifd.SubIFDs, 8}, tag{ifd.JPEGOffset, 62}, tag{ifd.JPEGLength, len(small)})
	d.Write(small)
	f.Add(d.Bytes())
	f.Add(small)
	f.Add([]byte("FUJIFILMCCD-RAW"))
	f.Add(cr3(6, small))
	f.Add(mrw(6, small))
	f.Add(crw(le, 90, small))
	f.Add(tiled(f, small, ifd.TileOffsets, 2, photometricLinearRaw))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := find(t, data)
		if err == nil && (p.Offset < 0 || p.Length <= 0 || p.Offset+p.Length > int64(len(data)) || p.Width < 1) {
			t.Errorf("%+v in %d bytes", p, len(data))
		}
	})
}
