// Package ifd reads the directories (IFDs) of TIFF files, BigTIFF files, and formats
// that differ from TIFF only in their magic number, such as many RAW formats.
//
// The package is pure Go, and every step is bounded, since files may be hostile.
package ifd

import (
	"encoding/binary"
	"errors"
	"io"
)

// The magic numbers of TIFF and BigTIFF. Many RAW formats have another one.
const (
	TIFF    = 42
	BigTIFF = 43
)

// maxEntries is how many entries a directory may have, far more than programs write.
const maxEntries = 4096

// Reader reads the directories of one file.
type Reader struct {
	Magic uint16 // of the file
	First int64  // offset of the first directory
	Err   error  // of reading, other than the end of the file

	r      io.ReaderAt
	limits map[uint16]int64
	order  binary.ByteOrder
	big    bool // BigTIFF: 64-bit offsets
}

// Open reads the header of the file r of size bytes. limits has the tags whose values
// are to be read, with the largest number of values of each. ok reports whether the
// header is one of TIFF or like it; if not, Err may be the reason.
func Open(r io.ReaderAt, size int64, limits map[uint16]int64) (in *Reader, ok bool) {
	in = &Reader{r: io.NewSectionReader(r, 0, size), limits: limits}
	head := in.read(make([]byte, 16), 0)
	if len(head) < 8 {
		return in, false
	}
	switch string(head[:2]) {
	case "II":
		in.order = binary.LittleEndian
	case "MM":
		in.order = binary.BigEndian
	default:
		return in, false
	}
	in.Magic = in.order.Uint16(head[2:])
	in.big = in.Magic == BigTIFF
	if !in.big {
		in.First = in.offset(head[4:])
		return in, true
	}
	if len(head) < 16 || in.order.Uint16(head[4:]) != 8 {
		return in, false
	}
	in.First = in.offset(head[8:])
	return in, true
}

// Directory holds the values of a directory's tags.
type Directory struct {
	// Values has the whole numbers of each tag that was asked for, nil for a tag of
	// another type. Of entries with the same tag the first is used.
	Values map[uint16][]int64

	// Undefined has the place of the bytes of tags of the type UNDEFINED.
	Undefined map[uint16]Range

	Next  int64 // offset of the next directory, 0 if there is none, or -1 if it cannot be read
	Whole bool  // there are entries, and all were read
}

// Range is a part of a file, in bytes.
type Range struct{ Offset, Length int64 }

// First returns the tag's first value, or missing if there is none.
func (d Directory) First(tag uint16, missing int64) int64 {
	if v := d.Values[tag]; len(v) > 0 {
		return v[0]
	}
	return missing
}

// Directory reads the directory at an offset. Of a damaged one it returns the entries
// that precede the damage.
func (in *Reader) Directory(at int64) Directory {
	d := Directory{Values: make(map[uint16][]int64), Undefined: make(map[uint16]Range), Next: -1}
	const headerBytes = 8 // of the file
	countBytes, entryBytes, offsetBytes := 2, 12, 4
	if in.big {
		countBytes, entryBytes, offsetBytes = 8, 20, 8
	}
	head := in.read(make([]byte, countBytes), at)
	if at < headerBytes || len(head) < countBytes {
		return d
	}
	n := uint64(in.order.Uint16(head))
	if in.big {
		n = in.order.Uint64(head)
	}
	if n > maxEntries {
		return d
	}
	all := int(n) * entryBytes
	buf := in.read(make([]byte, all+offsetBytes), at+int64(countBytes))
	d.Whole = n > 0 && len(buf) >= all
	for i := 0; i < all && i+entryBytes <= len(buf); i += entryBytes {
		in.entry(d, buf[i:i+entryBytes])
	}
	if len(buf) == all+offsetBytes {
		d.Next = in.offset(buf[all:])
	}
	return d
}

// The types of whole numbers, and that of bytes without a meaning.
const (
	typeByte      = 1
	typeShort     = 3
	typeLong      = 4
	typeSByte     = 6
	typeUndefined = 7
	typeSShort    = 8
	typeSLong     = 9
	typeIFD       = 13
	typeLong8     = 16
	typeSLong8    = 17
	typeIFD8      = 18
)

// widths has the bytes of the types of whole numbers. Signed ones are read as
// unsigned, since no tag that is read has negative values.
var widths = map[uint16]int64{typeByte: 1, typeSByte: 1, typeShort: 2, typeSShort: 2, typeLong: 4, typeSLong: 4, typeIFD: 4,
	typeLong8: 8, typeSLong8: 8, typeIFD8: 8}

// entry adds an entry's values to d, if its tag was asked for.
func (in *Reader) entry(d Directory, entry []byte) {
	tag, kind := in.order.Uint16(entry), in.order.Uint16(entry[2:])
	limit, asked := in.limits[tag]
	if _, twice := d.Values[tag]; twice || !asked {
		return
	}
	d.Values[tag] = nil
	count, value := int64(in.order.Uint32(entry[4:])), entry[8:]
	if in.big {
		count, value = int64(in.order.Uint64(entry[4:])), entry[12:]
	}
	if kind == typeUndefined {
		d.Undefined[tag] = Range{in.offset(value), count}
	}
	width := widths[kind]
	if width == 0 || count < 0 {
		return
	}
	data := value
	if count > int64(len(value))/width {
		data = in.read(make([]byte, min(count, limit)*width), in.offset(value))
	}
	for range min(count, limit, int64(len(data))/width) {
		d.Values[tag] = append(d.Values[tag], in.number(data[:width]))
		data = data[width:]
	}
}

// number parses an unsigned number of 1 to 8 bytes. One of more than 63 bits gives 0.
func (in *Reader) number(b []byte) int64 {
	switch len(b) {
	case 1:
		return int64(b[0])
	case 2:
		return int64(in.order.Uint16(b))
	case 4:
		return int64(in.order.Uint32(b))
	}
	return max(int64(in.order.Uint64(b)), 0)
}

// offset parses an offset of 32 bits, or 64 in BigTIFF.
func (in *Reader) offset(b []byte) int64 {
	if in.big {
		return in.number(b[:8])
	}
	return in.number(b[:4])
}

// read reads into buf from offset at up to the end of the file and returns what it read.
func (in *Reader) read(buf []byte, at int64) []byte {
	n, err := in.r.ReadAt(buf, at)
	if err != nil && !errors.Is(err, io.EOF) {
		in.Err = err
	}
	return buf[:n]
}
