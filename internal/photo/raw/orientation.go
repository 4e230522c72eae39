package raw

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"

	"photodesc/internal/photo/ifd"
)

// containerOrientation returns the EXIF orientation that Canon's CR3 and CRW,
// Minolta's MRW and Sigma's X3F store in a format of their own, 0 if there is none.
// Formats made of TIFF directories do not need it, nor does Fuji's, which has only
// the orientation in the preview.
func containerOrientation(r io.ReaderAt, size int64) int {
	var head [16]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return 0
	}
	switch {
	case string(head[4:12]) == "ftypcrx ":
		return cr3Orientation(r, size)
	case isMinolta(r):
		return mrwOrientation(r, size)
	case string(head[6:14]) == "HEAPCCDR":
		return crwOrientation(r, size)
	case string(head[:4]) == "FOVb":
		return x3fOrientation(r)
	}
	return 0
}

// Orientation returns the EXIF orientation (1 to 8) in the first directory of a
// TIFF block, such as EXIF data; 0 if there is none.
func Orientation(tiff []byte) int {
	return tiffOrientation(bytes.NewReader(tiff), 0, int64(len(tiff)))
}

// tiffOrientation returns the orientation in the first directory of a TIFF block
// within a file.
func tiffOrientation(r io.ReaderAt, offset, length int64) int {
	in, ok := ifd.Open(io.NewSectionReader(r, offset, length), length)
	if !ok {
		return 0
	}
	if o := in.Directory(in.First).Number(ifd.Orientation, 0); 1 <= o && o <= 8 {
		return int(o)
	}
	return 0
}

// maxBlocks is how many boxes or blocks at one level of a container are read.
// Cameras write fewer than twenty.
const maxBlocks = 256

// cr3Orientation reads the TIFF block with IFD0 of a CR3.
func cr3Orientation(r io.ReaderAt, size int64) int {
	orientation := 0
	cr3Blocks(r, size, func(name string, block *io.SectionReader) {
		if name == "CMT1" && orientation == 0 {
			orientation = tiffOrientation(block, 0, block.Size())
		}
	})
	return orientation
}

// cr3Blocks calls f with the boxes in Canon's own box of a CR3, an ISO media file:
// CMT1 to CMT4 are TIFF blocks.
func cr3Blocks(r io.ReaderAt, size int64, f func(name string, block *io.SectionReader)) {
	const canon = "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48"
	boxes(r, 0, size, func(name string, at, end int64) {
		if name != "moov" {
			return
		}
		boxes(r, at, end, func(name string, at, end int64) {
			var id [len(canon)]byte
			if _, err := r.ReadAt(id[:], at); name != "uuid" || err != nil || string(id[:]) != canon {
				return
			}
			boxes(r, at+int64(len(canon)), end, func(name string, at, end int64) {
				f(name, io.NewSectionReader(r, at, end-at))
			})
		})
	})
}

// boxes calls f with the name of each box of an ISO media file from at to end, and
// with the range of its content.
func boxes(r io.ReaderAt, at, end int64, f func(name string, at, end int64)) {
	for range maxBlocks {
		var head [16]byte
		n, _ := r.ReadAt(head[:], at) // fewer than 16 bytes at the end of the file
		if at+8 > end || n < 8 {
			return
		}
		length, header := int64(binary.BigEndian.Uint32(head[:])), int64(8)
		switch length {
		case 0: // up to the end
			length = end - at
		case 1:
			length, header = int64(binary.BigEndian.Uint64(head[8:])&math.MaxInt64), 16
		}
		if length < header || length > end-at {
			return
		}
		f(string(head[4:8]), at+header, at+length)
		at += length
	}
}

func isMinolta(r io.ReaderAt) bool {
	var head [4]byte
	_, err := r.ReadAt(head[:], 0)
	return err == nil && string(head[:]) == "\x00MRM"
}

// mrwOrientation reads the TIFF block of an MRW, which has IFD0.
func mrwOrientation(r io.ReaderAt, size int64) int {
	at, length, ok := mrwBlock(r, size)
	if !ok {
		return 0
	}
	return tiffOrientation(r, at, length)
}

// crwOrientation reads CRW, a tree of heaps. Each heap ends with the offset of its
// directory. The entry ImageInfo has the angle.
func crwOrientation(r io.ReaderAt, size int64) int {
	var head [6]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(head[:2]) == "MM" {
		order = binary.BigEndian
	}
	h := heaps{r, order, maxBlocks}
	return h.orientation(int64(order.Uint32(head[2:])), size)
}

type heaps struct {
	r         io.ReaderAt
	order     binary.ByteOrder
	remaining int // how many more heaps are read, since they may form a cycle
}

// orientation searches the heap from start to end and the heaps inside it.
func (h *heaps) orientation(start, end int64) int {
	const (
		imageInfo  = 0x1810
		kindMask   = 0x3800 // of a tag
		inEntry    = 0x4000 // the value is in the directory itself
		entry      = 10     // bytes
		angleAt    = 12     // after width, height and the pixels' shape
		kind1, kid = 0x2800, 0x3000
	)
	var place [4]byte
	if h.remaining--; h.remaining < 0 || end-start < 4 {
		return 0
	}
	if _, err := h.r.ReadAt(place[:], end-4); err != nil {
		return 0
	}
	table := start + int64(h.order.Uint32(place[:]))
	var count [2]byte
	if _, err := h.r.ReadAt(count[:], table); err != nil || table >= end {
		return 0
	}
	entries := make([]byte, entry*min(int(h.order.Uint16(count[:])), maxBlocks))
	n, _ := h.r.ReadAt(entries, table+2)
	for e := entries[:n-n%entry]; len(e) > 0; e = e[entry:] {
		tag := h.order.Uint16(e)
		length, at := int64(h.order.Uint32(e[2:])), start+int64(h.order.Uint32(e[6:]))
		switch {
		case tag&inEntry != 0 || at+length > end:
		case tag == imageInfo:
			var angle [4]byte
			if _, err := h.r.ReadAt(angle[:], at+angleAt); err == nil && length >= angleAt+4 {
				return fromAngle(h.order.Uint32(angle[:]))
			}
		case tag&kindMask == kind1 || tag&kindMask == kid:
			if o := h.orientation(at, at+length); o != 0 {
				return o
			}
		}
	}
	return 0
}

// x3fOrientation reads the angle in the header of X3F files before version 4;
// later ones have only the preview's.
func x3fOrientation(r io.ReaderAt) int {
	const angleAt, version4 = 36, 4 << 16
	var head [angleAt + 4]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || binary.LittleEndian.Uint32(head[4:]) >= version4 {
		return 0
	}
	return fromAngle(binary.LittleEndian.Uint32(head[angleAt:]))
}

// fromAngle returns the EXIF orientation of a picture that must be rotated clockwise
// by this many degrees to be upright.
func fromAngle(degrees uint32) int {
	switch degrees {
	case 0:
		return 1
	case 90:
		return 6
	case 180:
		return 3
	case 270:
		return 8
	}
	return 0
}
