package raw

import (
	"encoding/binary"
	"io"
)

// Bounds on a file's directories: far above what cameras write.
const (
	maxDirectories = 64
	maxEntries     = 1024
	maxValues      = 64 // read of one entry
)

// The TIFF tags that matter here.
const (
	tagPanasonicJPEG = 0x002e // RW2: the preview itself is the value
	tagCompression   = 0x0103
	tagStripOffsets  = 0x0111
	tagOrientation   = 0x0112
	tagStripCounts   = 0x0117
	tagSubIFDs       = 0x014a
	tagJPEGOffset    = 0x0201
	tagJPEGLength    = 0x0202
)

const (
	compressionOldJPEG = 6
	compressionJPEG    = 7
)

// directories walks a TIFF file's image directories, hands each place that may
// be a JPEG to consider, and returns the first orientation it meets (0: none).
// A file that is no TIFF, or a damaged one, yields what it has until there.
func directories(r io.ReaderAt, size int64, consider func(offset, length int64)) (orientation int) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return 0
	}
	t := tiff{r: r}
	switch string(head[:2]) {
	case "II":
		t.order = binary.LittleEndian
	case "MM":
		t.order = binary.BigEndian
	default:
		return 0
	}
	queue := []int64{int64(t.order.Uint32(head[4:]))}
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
		if c := d.first(tagCompression); c == compressionJPEG || c == compressionOldJPEG {
			if len(d[tagStripOffsets]) == 1 {
				consider(d.first(tagStripOffsets), d.first(tagStripCounts))
			}
		}
		if p := d[tagPanasonicJPEG]; len(p) == 2 {
			consider(p[0], p[1])
		}
		queue = append(queue, d[tagSubIFDs]...)
		queue = append(queue, next)
	}
	return orientation
}

type tiff struct {
	r     io.ReaderAt
	order binary.ByteOrder
}

// ifd holds the values of one directory's tags. A tag of raw bytes holds their
// place in the file instead: offset and length.
type ifd map[uint16][]int64

// first is the tag's first value, or -1.
func (d ifd) first(tag uint16) int64 {
	if v := d[tag]; len(v) > 0 {
		return v[0]
	}
	return -1
}

// directory reads the directory at offset at and says where the next one is (0: nowhere).
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
		switch tag {
		case tagCompression, tagStripOffsets, tagOrientation, tagStripCounts, tagSubIFDs,
			tagJPEGOffset, tagJPEGLength, tagPanasonicJPEG:
			d[tag] = t.values(e)
		}
	}
	if got == len(buf) {
		next = int64(t.order.Uint32(buf[n*12:]))
	}
	return d, next
}

// values reads an entry's numbers, at most maxValues of them.
func (t tiff) values(e []byte) []int64 {
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
		count = min(count, maxValues)
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
