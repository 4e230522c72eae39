package raw

import (
	"encoding/binary"
	"io"

	"photodesc/internal/photo"
	"photodesc/internal/photo/exif"
)

// Exif returns what a RAW file says of when, where and with what it was taken. It reads
// TIFF directories, Canon's CR3 and Minolta's MRW. Other formats have it in the preview
// only, as Fuji's, or nowhere.
func Exif(r io.ReaderAt, size int64) (f photo.ExifFields) {
	var head [12]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return f
	}
	switch {
	case string(head[4:]) == "ftypcrx ":
		cr3Blocks(r, size, func(name string, block *io.SectionReader) {
			switch name {
			case "CMT1":
				f = f.Or(exif.Read(block, block.Size()))
			case "CMT2":
				f = f.Or(exif.Times(block, block.Size()))
			case "CMT4":
				f = f.Or(exif.Place(block, block.Size()))
			}
		})
	case isMinolta(r):
		if at, length, ok := mrwBlock(r, size); ok {
			f = exif.Read(io.NewSectionReader(r, at, length), length)
		}
	default:
		f = exif.Read(r, size)
	}
	return f
}

// mrwBlock finds the TIFF block of an MRW, a list of blocks before the sensor's data.
func mrwBlock(r io.ReaderAt, size int64) (at, length int64, ok bool) {
	const header = 8
	at = header
	for range maxBlocks {
		var head [header]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return 0, 0, false
		}
		length = int64(binary.BigEndian.Uint32(head[4:]))
		if string(head[:4]) == "\x00TTW" {
			return at + header, length, true
		}
		at += header + length
		if head[0] != 0 || at >= size {
			break
		}
	}
	return 0, 0, false
}
