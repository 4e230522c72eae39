package raw

import (
	"encoding/binary"
	"io"
)

// Limits of what is read of a file's directories, far above what cameras write.
const (
	maxDirectories = 64
	maxEntries     = 1024
	maxValues      = 64      // of one entry
	maxTiles       = 1 << 16 // offsets of one entry with a picture's strips or tiles
)

// The TIFF tags that are read.
const (
	tagPanasonicJPEG = 0x002e // RW2: its value is the preview
	tagCompression   = 0x0103
	tagPhotometric   = 0x0106
	tagStripOffsets  = 0x0111
	tagOrientation   = 0x0112
	tagStripCounts   = 0x0117
	tagTileOffsets   = 0x0144
	tagSubIFDs       = 0x014a
	tagJPEGOffset    = 0x0201
	tagJPEGLength    = 0x0202
)

const (
	compressionOldJPEG = 6
	compressionJPEG    = 7
)

const (
	photometricCFA       = 32803 // the sensor's own values
	photometricLinearRaw = 34892 // the same, interpolated
)

// directories walks a TIFF file's directories and calls consider for each range that
// may be a JPEG, except for parts of a picture: tiles, and strips if there are
// several. It returns the first orientation (0: none) and the offsets of those
// parts. Of a damaged file it returns what precedes the damage.
func directories(r io.ReaderAt, size int64, consider func(offset, length int64)) (orientation int, parts map[int64]bool) {
	t, first, ok := openTIFF(r)
	if !ok {
		return 0, nil
	}
	parts = make(map[int64]bool)
	queue := []int64{first}
	seen := make(map[int64]bool)
	for len(queue) > 0 && len(seen) < maxDirectories {
		at := queue[0]
		queue = queue[1:]
		if seen[at] || at < 8 || at >= size {
			continue
		}
		seen[at] = true
		d, next := t.directory(at)
		if o := d.first(tagOrientation); orientation == 0 && 1 <= o && o <= 8 {
			orientation = int(o)
		}
		consider(d.first(tagJPEGOffset), d.first(tagJPEGLength))
		if d.inParts() {
			for _, offset := range append(d[tagTileOffsets], d[tagStripOffsets]...) {
				if len(parts) < maxTiles {
					parts[offset] = true
				}
			}
		} else if c := d.first(tagCompression); c == compressionJPEG || c == compressionOldJPEG {
			consider(d.first(tagStripOffsets), d.first(tagStripCounts))
		}
		if p := d[tagPanasonicJPEG]; len(p) == 2 {
			consider(p[0], p[1])
		}
		queue = append(queue, d[tagSubIFDs]...)
		queue = append(queue, next)
	}
	return orientation, parts
}

type tiff struct {
	r     io.ReaderAt
	order binary.ByteOrder
}

// openTIFF reads the header of a TIFF, or of a format that differs only in its magic
// number, such as Olympus' and Panasonic's. first is the offset of the first
// directory.
func openTIFF(r io.ReaderAt) (t tiff, first int64, ok bool) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return t, 0, false
	}
	switch string(head[:2]) {
	case "II":
		t = tiff{r, binary.LittleEndian}
	case "MM":
		t = tiff{r, binary.BigEndian}
	default:
		return t, 0, false
	}
	switch string(head[:4]) {
	case "II*\x00", "MM\x00*", "IIRO", "IIRS", "MMOR", "IIU\x00":
		return t, int64(t.order.Uint32(head[4:])), true
	}
	return t, 0, false
}

// inParts reports whether the directory's data are parts of a picture or the
// sensor's data, so that a JPEG among them is not a preview.
func (d ifd) inParts() bool {
	p := d.first(tagPhotometric)
	return len(d[tagTileOffsets]) > 0 || len(d[tagStripOffsets]) > 1 || p == photometricCFA || p == photometricLinearRaw
}

// ifd holds the values of one directory's tags. For a tag of undefined type it holds
// the offset and the length of its bytes.
type ifd map[uint16][]int64

// first returns the tag's first value, or -1.
func (d ifd) first(tag uint16) int64 {
	if v := d[tag]; len(v) > 0 {
		return v[0]
	}
	return -1
}

// directory reads the directory at offset at. next is the offset of the next one, or 0.
func (t tiff) directory(at int64) (d ifd, next int64) {
	var count [2]byte
	if _, err := t.r.ReadAt(count[:], at); err != nil {
		return nil, 0
	}
	n := int(t.order.Uint16(count[:]))
	if n > maxEntries {
		return nil, 0
	}
	buf := make([]byte, n*12+4)
	got, _ := t.r.ReadAt(buf, at+2) // the last directory of a cut file may lack its end
	d = make(ifd)
	for i := 0; i < n && (i+1)*12 <= got; i++ {
		e := buf[i*12:]
		tag := t.order.Uint16(e)
		if d[tag] != nil { // of entries with the same tag the first is used
			continue
		}
		switch tag {
		case tagTileOffsets, tagStripOffsets:
			d[tag] = t.values(e, maxTiles)
		case tagCompression, tagPhotometric, tagOrientation, tagStripCounts, tagSubIFDs,
			tagJPEGOffset, tagJPEGLength, tagPanasonicJPEG:
			d[tag] = t.values(e, maxValues)
		}
	}
	if got == len(buf) {
		next = int64(t.order.Uint32(buf[n*12:]))
	}
	return d, next
}

// values reads up to limit numbers of an entry.
func (t tiff) values(e []byte, limit int64) []int64 {
	const (
		typeShort     = 3
		typeLong      = 4
		typeUndefined = 7
		typeIFD       = 13
	)
	count := int64(t.order.Uint32(e[4:]))
	width := int64(4)
	switch t.order.Uint16(e[2:]) {
	case typeShort:
		width = 2
	case typeLong, typeIFD:
	case typeUndefined:
		return []int64{int64(t.order.Uint32(e[8:])), count}
	default:
		return nil
	}
	data := e[8:12]
	if count*width > 4 {
		count = min(count, limit)
		data = make([]byte, count*width)
		if _, err := t.r.ReadAt(data, int64(t.order.Uint32(e[8:]))); err != nil {
			return nil
		}
	}
	out := make([]int64, 0, count)
	for i := range count {
		if width == 2 {
			out = append(out, int64(t.order.Uint16(data[i*2:])))
		} else {
			out = append(out, int64(t.order.Uint32(data[i*4:])))
		}
	}
	return out
}
