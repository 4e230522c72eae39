// Package ifd reads the directories (IFDs) of TIFF and BigTIFF files, EXIF data, and
// RAW formats that differ from TIFF only in their magic number.
//
// The package is pure Go, and every step is bounded, since files may be hostile. What
// cannot be read is missing; [Reader.Err] has errors of the storage.
package ifd

import (
	"encoding/binary"
	"errors"
	"io"
)

// The magic numbers of TIFF, BigTIFF, and Olympus' and Panasonic's RAW formats.
const (
	TIFF      = 42
	BigTIFF   = 43
	olympus   = 'O'<<8 | 'R'
	olympusS  = 'S'<<8 | 'R'
	panasonic = 'U'
)

// maxEntries is how many entries a directory may have, far more than programs write.
const maxEntries = 4096

// Reader reads the directories of one file.
type Reader struct {
	Magic uint16 // of the file
	First int64  // offset of the first directory
	Err   error  // of reading, other than the end of the file

	r     io.ReaderAt
	order binary.ByteOrder
	big   bool // BigTIFF: 64-bit offsets
}

// Open reads the header of the file r of size bytes. ok reports whether it is one of
// the formats; if not, Err may be the reason.
func Open(r io.ReaderAt, size int64) (in *Reader, ok bool) {
	in = &Reader{r: io.NewSectionReader(r, 0, size)}
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
	switch in.Magic {
	case TIFF, olympus, olympusS, panasonic:
		in.First = in.offset(head[4:])
		return in, true
	case BigTIFF:
		in.big = true
		if len(head) == 16 && in.order.Uint16(head[4:]) == 8 {
			in.First = in.offset(head[8:])
			return in, true
		}
	}
	return in, false
}

// Directory is a directory of a file. Of entries with the same tag the first counts.
type Directory struct {
	Next  int64 // offset of the next directory, 0 if there is none, or -1 if it cannot be read
	Whole bool  // there are entries, and all were read

	in      *Reader
	entries map[uint16][]byte
}

// Directory reads the directory at an offset. Of a damaged one it returns the entries
// that precede the damage.
func (in *Reader) Directory(at int64) Directory {
	d := Directory{Next: -1, in: in, entries: make(map[uint16][]byte)}
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
		if tag := in.order.Uint16(buf[i:]); d.entries[tag] == nil {
			d.entries[tag] = buf[i : i+entryBytes]
		}
	}
	if len(buf) == all+offsetBytes {
		d.Next = in.offset(buf[all:])
	}
	return d
}

// Has reports whether there is an entry with the tag.
func (d Directory) Has(tag uint16) bool { return d.entries[tag] != nil }

// Number returns the first of the tag's whole numbers, or missing if there is none.
func (d Directory) Number(tag uint16, missing int64) int64 {
	if v := d.Numbers(tag, 1); len(v) > 0 {
		return v[0]
	}
	return missing
}

// Numbers returns up to limit of the tag's whole numbers. Signed ones are read as
// unsigned, since no tag that is read has negative values.
func (d Directory) Numbers(tag uint16, limit int64) []int64 {
	v := d.values(tag, limit)
	switch v.kind {
	case typeASCII, typeRational, typeUndefined:
		return nil
	}
	var out []int64
	for ; len(v.data) > 0; v.data = v.data[v.width:] {
		out = append(out, d.in.number(v.data[:v.width]))
	}
	return out
}

// Bytes returns up to limit bytes of a tag with text or bytes without a type.
func (d Directory) Bytes(tag uint16, limit int64) []byte {
	if v := d.values(tag, limit); v.kind == typeASCII || v.kind == typeUndefined {
		return v.data
	}
	return nil
}

// Fractions returns numerator and denominator of up to limit of the tag's fractions.
func (d Directory) Fractions(tag uint16, limit int64) (out [][2]int64) {
	v := d.values(tag, limit)
	if v.kind != typeRational {
		return nil
	}
	for ; len(v.data) > 0; v.data = v.data[v.width:] {
		out = append(out, [2]int64{d.in.number(v.data[:4]), d.in.number(v.data[4:8])})
	}
	return out
}

// Range returns where the bytes of a tag without a type are. ok reports whether there
// is such a tag. The range may be outside the file.
func (d Directory) Range(tag uint16) (offset, length int64, ok bool) {
	v := d.values(tag, 0)
	return v.offset, v.count, v.kind == typeUndefined
}

// The types of values.
const (
	typeByte      = 1
	typeASCII     = 2
	typeShort     = 3
	typeLong      = 4
	typeRational  = 5
	typeSByte     = 6
	typeUndefined = 7
	typeSShort    = 8
	typeSLong     = 9
	typeIFD       = 13
	typeLong8     = 16
	typeSLong8    = 17
	typeIFD8      = 18
)

// widths has the bytes of a value of each type that is read.
var widths = map[uint16]int64{typeByte: 1, typeASCII: 1, typeShort: 2, typeLong: 4, typeRational: 8, typeSByte: 1, typeUndefined: 1,
	typeSShort: 2, typeSLong: 4, typeIFD: 4, typeLong8: 8, typeSLong8: 8, typeIFD8: 8}

// values are those of one entry.
type values struct {
	kind          uint16 // the type; 0: there is no entry, or it has no values that are read
	count, offset int64  // offset is where the values are if they do not fit into the entry
	width         int64  // bytes of a value
	data          []byte // of whole values
}

// values reads up to limit values of an entry.
func (d Directory) values(tag uint16, limit int64) values {
	entry := d.entries[tag]
	if entry == nil {
		return values{}
	}
	in := d.in
	v := values{kind: in.order.Uint16(entry[2:]), count: int64(in.order.Uint32(entry[4:]))}
	inEntry := entry[8:]
	if in.big {
		v.count, inEntry = int64(in.order.Uint64(entry[4:])), entry[12:]
	}
	v.offset, v.width = in.offset(inEntry), widths[v.kind]
	if v.width == 0 || v.count < 0 {
		return values{}
	}
	n := min(v.count, limit)
	if v.count <= int64(len(inEntry))/v.width {
		v.data = inEntry[:n*v.width]
		return v
	}
	v.data = in.read(make([]byte, n*v.width), v.offset)
	v.data = v.data[:int64(len(v.data))/v.width*v.width]
	return v
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
