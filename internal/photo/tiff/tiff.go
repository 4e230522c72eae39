// Package tiff reads the directories of a TIFF file. It finds the main picture and
// how its samples are to be decoded.
//
// A TIFF may contain thumbnails, masks, pages, channels that are not colours, and
// kinds of samples that decoders misinterpret without an error. So the directories
// are read before the file is decoded. Classic TIFF and BigTIFF are supported, in
// both byte orders.
//
// The package is pure Go, and every step is bounded, since files may be hostile.
package tiff

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
)

// Limits of what is read of a file's directories, far above what programs write.
// Pages beyond maxPages are never the main picture.
const (
	maxPages   = 256
	maxSubIFDs = 32 // of one page
	maxEntries = 4096
	maxValues  = 64 // of one entry
)

// Directory is the directory (IFD) of one picture in a TIFF file. A number that is
// missing in the file has the default of the TIFF specification.
type Directory struct {
	Page   int // the index in the chain of pages, from 0
	SubIFD int // the index among the page's SubIFDs, from 0; -1 for the page itself

	Offset int64 // of the directory in the file, in bytes

	Width, Height int64 // pixels, as stored; 0 if missing

	Subfile    uint32 // NewSubfileType, or the equivalent of the old SubfileType
	Thumbnail  bool   // by Subfile, a reduced copy of another picture
	NoPicture  bool   // by Subfile, a mask, a depth map or the like
	Orient     int    // 1 to 8 as in EXIF; 0 if missing
	HasProfile bool   // there is an ICC profile

	Photometric  int // -1 if missing
	Compression  int
	Samples      int   // a pixel, including those that are not colours
	ExtraSamples []int // the kinds of the samples after the colours
	Bits         []int // of each sample; if there are fewer values, the last one applies to the rest
	Format       []int // SampleFormat of each sample, as Bits
	Planar       bool  // each sample is stored in a separate plane
	Tiled        bool  // in tiles, not in strips
	Inks         int   // InkSet; 1 is CMYK
	Indexed      bool  // samples are indices into a table of the colour space

	// ChunkBytes is the size in bytes of one decoded strip or tile.
	ChunkBytes int64
}

// File holds the directories of a TIFF file.
type File struct {
	Directories []Directory // each page followed by its SubIFDs; at least one

	// Cut reports whether a page or SubIFD that the file refers to is missing.
	Cut bool
}

// ErrNoDirectory means that a file is not a TIFF or has no readable directory.
var ErrNoDirectory = errors.New("it has no readable TIFF directory")

// Read reads the directories of the TIFF file r of size bytes. The error is
// ErrNoDirectory or one of reading.
func Read(r io.ReaderAt, size int64) (File, error) {
	in := reader{r: r, size: size}
	at, ok := in.header()
	if !ok {
		return File{}, cmp.Or(in.err, ErrNoDirectory)
	}
	var f File
	seen := make(map[int64]bool)
	// add adds the directory at an offset to the list, unless it is in it already.
	add := func(at int64, page, subIFD int) (e entries, next int64) {
		if seen[at] {
			return nil, 0
		}
		seen[at] = true
		e, next, ok := in.entries(at)
		if !ok {
			f.Cut = true
			return nil, 0
		}
		d := e.directory()
		d.Page, d.SubIFD, d.Offset = page, subIFD, at
		f.Directories = append(f.Directories, d)
		return e, next
	}
	for page := 0; page < maxPages && at != 0; page++ {
		e, next := add(at, page, -1)
		subs := e[tagSubIFDs]
		for i, sub := range subs[:min(len(subs), maxSubIFDs)] {
			add(sub, page, i)
		}
		at = next
	}
	if in.err != nil || len(f.Directories) == 0 {
		return File{}, cmp.Or(in.err, ErrNoDirectory)
	}
	return f, nil
}

// reader reads a TIFF file's directories.
type reader struct {
	r     io.ReaderAt
	size  int64
	order binary.ByteOrder
	big   bool  // BigTIFF: 64-bit offsets
	err   error // of reading, other than the end of the file

	strips bool // also read the offsets and lengths of strips and tiles
}

// read reads into buf from offset at up to the end of the file and returns what it read.
func (in *reader) read(buf []byte, at int64) []byte {
	if at < 0 || at >= in.size {
		return nil
	}
	n, err := in.r.ReadAt(buf, at)
	if err != nil && !errors.Is(err, io.EOF) {
		in.err = err
	}
	return buf[:n]
}

// header reads the file's first bytes and returns the first directory's offset.
func (in *reader) header() (first int64, ok bool) {
	head := in.read(make([]byte, 16), 0)
	if len(head) < 8 {
		return 0, false
	}
	switch string(head[:2]) {
	case "II":
		in.order = binary.LittleEndian
	case "MM":
		in.order = binary.BigEndian
	default:
		return 0, false
	}
	switch in.order.Uint16(head[2:]) {
	case 42:
		return int64(in.order.Uint32(head[4:])), true
	case 43:
		in.big = true
		if len(head) < 16 || in.order.Uint16(head[4:]) != 8 {
			return 0, false
		}
		return int64(in.order.Uint64(head[8:])), true
	}
	return 0, false
}

// entries reads the directory at offset at. next is the offset of the next one, 0 if
// there is none, or -1 if it cannot be read.
func (in *reader) entries(at int64) (e entries, next int64, ok bool) {
	const headerBytes = 8 // of the file
	if at < headerBytes {
		return nil, 0, false
	}
	countBytes, entryBytes, offsetBytes := 2, 12, 4
	if in.big {
		countBytes, entryBytes, offsetBytes = 8, 20, 8
	}
	head := in.read(make([]byte, countBytes), at)
	if len(head) < countBytes {
		return nil, 0, false
	}
	n := uint64(in.order.Uint16(head))
	if in.big {
		n = in.order.Uint64(head)
	}
	if n == 0 || n > maxEntries {
		return nil, 0, false
	}
	all := int(n) * entryBytes
	buf := in.read(make([]byte, all+offsetBytes), at+int64(countBytes))
	if len(buf) < all {
		return nil, 0, false
	}
	e = make(entries)
	for i := 0; i < all; i += entryBytes {
		tag := in.order.Uint16(buf[i:])
		if _, twice := e[tag]; in.wants(tag) && !twice {
			e[tag] = in.values(buf[i : i+entryBytes])
		}
	}
	next = -1 // the file ends before it
	if len(buf) == all+offsetBytes {
		next = in.offset(buf[all:])
	}
	return e, next, true
}

// offset parses an offset of 32 bits, or 64 in BigTIFF. An impossible one gives 0.
func (in *reader) offset(b []byte) int64 {
	if !in.big {
		return int64(in.order.Uint32(b))
	}
	return max(int64(in.order.Uint64(b)), 0)
}

// The types of whole numbers.
const (
	typeByte   = 1
	typeShort  = 3
	typeLong   = 4
	typeSByte  = 6
	typeSShort = 8
	typeSLong  = 9
	typeIFD    = 13
	typeLong8  = 16
	typeSLong8 = 17
	typeIFD8   = 18
)

// wants reports whether a tag's values are read.
func (in *reader) wants(tag uint16) bool {
	return wanted[tag] || in.strips && placesOfPixels(tag)
}

// placesOfPixels reports whether a tag has the offsets or lengths of strips or tiles.
func placesOfPixels(tag uint16) bool {
	switch tag {
	case tagStripOffsets, tagStripByteCounts, tagTileOffsets, tagTileByteCounts:
		return true
	}
	return false
}

// maxValues returns how many values of a tag are read.
func (in *reader) maxValues(tag uint16) int64 {
	if placesOfPixels(tag) {
		return maxStrips
	}
	return maxValues
}

// values reads an entry's whole numbers, up to maxValues. It returns nil for an entry
// with other values, such as the bytes of a profile.
func (in *reader) values(entry []byte) []int64 {
	// The widths of the types of whole numbers in bytes. Signed ones are read as
	// unsigned, since no wanted value is negative.
	width, ok := map[uint16]int64{typeByte: 1, typeSByte: 1, typeShort: 2, typeSShort: 2, typeLong: 4, typeSLong: 4, typeIFD: 4,
		typeLong8: 8, typeSLong8: 8, typeIFD8: 8}[in.order.Uint16(entry[2:])]
	if !ok {
		return nil
	}
	count, value := int64(in.order.Uint32(entry[4:])), entry[8:]
	if in.big {
		count, value = int64(in.order.Uint64(entry[4:])), entry[12:]
	}
	if count < 0 {
		return nil
	}
	inEntry := count <= int64(len(value))/width
	count = min(count, in.maxValues(in.order.Uint16(entry)))
	data := value
	if !inEntry {
		data = in.read(make([]byte, count*width), in.offset(value))
	}
	var out []int64
	for ; count > 0 && int64(len(data)) >= width; count, data = count-1, data[width:] {
		switch width {
		case 1:
			out = append(out, int64(data[0]))
		case 2:
			out = append(out, int64(in.order.Uint16(data)))
		case 4:
			out = append(out, int64(in.order.Uint32(data)))
		case 8:
			out = append(out, max(int64(in.order.Uint64(data)), 0))
		}
	}
	return out
}
