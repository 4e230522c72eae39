package raw

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"photodesc/internal/photo/ifd"
)

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// block is a TIFF block with IFD0 and an orientation (0: without).
func block(order binary.ByteOrder, orientation int) []byte {
	magic := "II*\x00"
	if order == be {
		magic = "MM\x00*"
	}
	f := newFile(order, magic)
	tags := []tag{{0x0100, 4000}}
	if orientation != 0 {
		tags = append(tags, tag{ifd.Orientation, orientation})
	}
	f.directory(0, tags...)
	return f.Bytes()
}

func box(name string, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	return append(append(be.AppendUint32(nil, uint32(8+len(content))), name...), content...)
}

// box64 is a box whose length takes 8 bytes.
func box64(name string, content []byte) []byte {
	out := append(be.AppendUint32(nil, 1), name...)
	return append(be.AppendUint64(out, uint64(16+len(content))), content...)
}

var canonID = []byte("\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48")

func cr3(orientation int, preview []byte) []byte {
	return bytes.Join([][]byte{
		box("ftyp", []byte("crx \x00\x00\x00\x01crx isom")),
		box("moov",
			box("uuid", []byte("sixteen bytes id"), box("CMT1", block(le, 2))), // not Canon's
			box("uuid", canonID, box("CNCV", []byte("CanonCR3_001")), box("CMT1", block(le, orientation)))),
		box64("mdat", preview),
	}, nil)
}

func mrw(orientation int, preview []byte) []byte {
	part := func(name string, content []byte) []byte {
		return append(be.AppendUint32([]byte(name), uint32(len(content))), content...)
	}
	blocks := append(part("\x00PRD", make([]byte, 24)), part("\x00TTW", block(be, orientation))...)
	return append(part("\x00MRM", blocks), preview...)
}

type appender interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// heap is a CRW heap: values, their directory, and the directory's place.
func heap(order appender, values map[uint16][]byte) []byte {
	var data, entries []byte
	for tag, v := range values {
		entries = order.AppendUint16(entries, tag)
		entries = order.AppendUint32(entries, uint32(len(v)))
		entries = order.AppendUint32(entries, uint32(len(data)))
		data = append(data, v...)
	}
	table := len(data)
	data = append(order.AppendUint16(data, uint16(len(values))), entries...)
	return order.AppendUint32(data, uint32(table))
}

func crw(order appender, degrees int, preview []byte) []byte {
	info := make([]byte, 28)
	order.PutUint32(info[12:], uint32(degrees))
	magic := "II"
	if order == appender(be) {
		magic = "MM"
	}
	head := append(order.AppendUint32([]byte(magic), 26), "HEAPCCDR"...)
	head = append(head, make([]byte, 12)...)
	return append(head, heap(order, map[uint16][]byte{
		0x2007: preview,
		0x300a: heap(order, map[uint16][]byte{0x1810: info, 0x5029: make([]byte, 8)}),
	})...)
}

func x3f(version, degrees int, preview []byte) []byte {
	head := make([]byte, 104)
	copy(head, "FOVb")
	le.PutUint32(head[4:], uint32(version))
	le.PutUint32(head[36:], uint32(degrees))
	return append(head, preview...)
}

// Each container's own place for the orientation is found. Fuji's RAF has none.
func TestContainerOrientation(t *testing.T) {
	p := jpg(t, 1200, 800)
	broken := bytes.Clone(p) // as Minolta writes it
	broken[0] = 0x2a
	broken[3] = 0xdb
	for _, c := range []struct {
		name string
		data []byte
		want int
	}{
		{"CR3", cr3(6, p), 6},
		{"CR3, upside down", cr3(3, p), 3},
		{"CR3 without", cr3(0, p), 0},
		{"CR3 with nonsense", cr3(9, p), 0},
		{"MRW", mrw(8, p), 8},
		{"MRW without", mrw(0, p), 0},
		{"CRW", crw(le, 90, p), 6},
		{"CRW, the other way", crw(le, 270, p), 8},
		{"CRW, upright", crw(le, 0, p), 1},
		{"CRW, big-endian", crw(be, 180, p), 3},
		{"CRW with nonsense", crw(le, 45, p), 0},
		{"X3F", x3f(2<<16|3, 90, p), 6},
		{"X3F of version 4", x3f(4<<16, 90, p), 0},
		{"RAF", raf(p), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := containerOrientation(bytes.NewReader(c.data), int64(len(c.data))); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			got, err := find(t, c.data)
			wantSize(t, got, err, 1200, 800, c.want)
			// Cut anywhere, it finds what is there and nothing else.
			for n := 0; n < 300; n++ {
				if got := containerOrientation(bytes.NewReader(c.data[:n]), int64(n)); got != 0 && got != c.want {
					t.Errorf("of %d bytes: %d", n, got)
				}
			}
		})
	}
	got, err := find(t, mrw(6, broken))
	wantSize(t, got, err, 1200, 800, 6)
}

func raf(preview []byte) []byte {
	head := make([]byte, 160)
	copy(head, "FUJIFILMCCD-RAW 0201")
	be.PutUint32(head[84:], uint32(len(head)))
	be.PutUint32(head[88:], uint32(len(preview)))
	return append(head, preview...)
}

// The first directory decides, not one of a preview further on.
func TestOrientationOfFirstDirectory(t *testing.T) {
	for magic, order := range map[string]binary.ByteOrder{"II*\x00": le, "MM\x00*": be, "IIRO": le, "IIRS": le, "MMOR": be, "IIU\x00": le} {
		p := jpg(t, 1200, 800)
		f := newFile(order, magic)
		second := 8 + directoryLen + 2*12
		f.directory(0, tag{ifd.Orientation, 6}, tag{ifd.SubIFDs, second})
		f.directory(0, tag{ifd.Orientation, 1}, tag{ifd.JPEGOffset, second + directoryLen + 3*12}, tag{ifd.JPEGLength, len(p)})
		f.Write(p)
		got, err := find(t, f.Bytes())
		wantSize(t, got, err, 1200, 800, 6)
	}
}

// Heaps and boxes that lead in circles, or claim more than there is, end soon.
func TestHostileContainers(t *testing.T) {
	circle := crw(le, 0, nil)
	self := map[uint16][]byte{}
	for i := range 200 {
		self[uint16(0x2800+i)] = nil
	}
	circle = append(circle[:26], heap(le, self)...)
	for at := 28; at+10 <= len(circle)-4; at += 10 { // every entry is the whole heap
		le.PutUint32(circle[at+2:], uint32(len(circle)-26))
		le.PutUint32(circle[at+6:], 0)
	}
	var empty []byte
	for range 100_000 {
		empty = append(empty, box("free")...)
	}
	endless := append(box("ftyp", []byte("crx ")), empty...)
	for name, data := range map[string][]byte{
		"circle": circle, "boxes": endless,
		"zero blocks": append([]byte("\x00MRM\x00\x00\x00\x00"), make([]byte, 1<<20)...),
		"wide box":    append(box("ftyp", []byte("crx ")), "\x00\x00\x00\x01moov\xff\xff\xff\xff\xff\xff\xff\xff"...),
	} {
		r := &readCounter{ReaderAt: bytes.NewReader(data)}
		if got := containerOrientation(r, int64(len(data))); got != 0 {
			t.Errorf("%s: %d", name, got)
		}
		r.atMost(t, name, 5*maxBlocks)
	}
}

// tiled is a DNG in the manner of converters: a thumbnail, and the picture in
// pieces that are JPEGs, as tiles or strips.
func tiled(tb testing.TB, thumb []byte, tag0, pieces, photometric int) []byte {
	piece := jpg(tb, 800, 600)
	f := newFile(le, "II*\x00")
	const second = 8 + directoryLen + 4*12
	places := second + directoryLen + 3*12
	data := places + 4*pieces
	f.directory(0, tag{ifd.Compression, 7}, tag{ifd.StripOffsets, data}, tag{ifd.StripByteCounts, len(thumb)}, tag{ifd.SubIFDs, second})
	f.short(3)
	for _, t := range []struct{ id, typ, count, value int }{
		{ifd.Compression, 3, 1, 34892}, {ifd.Photometric, 3, 1, photometric}, {tag0, 4, pieces, places},
	} {
		if t.id == tag0 && pieces == 1 {
			t.value = data + len(thumb)
		}
		f.short(t.id)
		f.short(t.typ)
		f.long(t.count)
		f.long(t.value)
	}
	f.long(0)
	for i := range pieces {
		f.long(data + len(thumb) + i*len(piece))
	}
	f.Write(thumb)
	for range pieces {
		f.Write(piece)
	}
	return f.Bytes()
}

// A JPEG that is a piece of the sensor's picture is no preview: the small
// preview is, and without one there is none.
func TestPiecesAreNoPreview(t *testing.T) {
	const ycbcr = 6
	thumb, none := jpg(t, 256, 192), bytes.Repeat([]byte{1}, minJPEG)
	for _, c := range []struct {
		name                     string
		tag, pieces, photometric int
	}{
		{"tiles", ifd.TileOffsets, 4, photometricLinearRaw},
		{"tiles of a shown picture", ifd.TileOffsets, 4, ycbcr},
		{"one tile", ifd.TileOffsets, 1, photometricLinearRaw},
		{"strips", ifd.StripOffsets, 4, ycbcr},
		{"one strip of the sensor's", ifd.StripOffsets, 1, photometricLinearRaw},
		{"more tiles than JPEGs are looked at", ifd.TileOffsets, 2 * carveHits, photometricCFA},
	} {
		p, err := find(t, tiled(t, thumb, c.tag, c.pieces, c.photometric))
		if err != nil || p.Width != 256 {
			t.Errorf("%s: %+v, %v", c.name, p, err)
		}
		p, err = find(t, tiled(t, none, c.tag, c.pieces, c.photometric))
		if !errors.Is(err, ErrNoPreview) || !errors.Is(err, errOnlyParts) {
			t.Errorf("%s and no preview: %+v, %v", c.name, p, err)
		}
		// A preview behind the pieces, where no directory leads.
		late := append(tiled(t, none, c.tag, c.pieces, c.photometric), jpg(t, 1024, 768)...)
		if p, err = find(t, late); err != nil || p.Width != 1024 {
			t.Errorf("%s and a preview behind: %+v, %v", c.name, p, err)
		}
	}
	if got := fmt.Sprint(errOnlyParts); got != "there is no preview picture in this RAW file, the JPEGs in it are pieces of the sensor's picture" {
		t.Error(got)
	}
}
