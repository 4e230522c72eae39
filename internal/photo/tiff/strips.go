package tiff

import (
	"io"

	"photodesc/internal/photo/ifd"
)

// maxStrips is how many strips or tiles of a picture are read: one for each row of
// the tallest picture that is decoded.
const maxStrips = 1 << 20

// Strip is a strip or tile of a picture, as it lies in the file.
type Strip struct{ At, Length int64 } // bytes

// Strips returns the strips or tiles of a picture in its file r of size bytes.
// Adjacent uncompressed strips are joined. It returns nil if they cannot be read.
func (d Directory) Strips(r io.ReaderAt, size int64) []Strip {
	offsetTag, countTag := uint16(ifd.StripOffsets), uint16(ifd.StripByteCounts)
	if d.Tiled {
		offsetTag, countTag = ifd.TileOffsets, ifd.TileByteCounts
	}
	in, ok := ifd.Open(r, size)
	if !ok {
		return nil
	}
	e := in.Directory(d.Offset)
	offsets, counts := e.Numbers(offsetTag, maxStrips), e.Numbers(countTag, maxStrips)
	join := d.Uncompressed() && !d.Tiled
	if !e.Whole || in.Err != nil || len(offsets) != len(counts) {
		return nil
	}
	var list []Strip
	for i, at := range offsets {
		if last := len(list) - 1; join && last >= 0 && list[last].At+list[last].Length == at {
			list[last].Length += counts[i]
		} else {
			list = append(list, Strip{at, counts[i]})
		}
	}
	return list
}

// PixelBytes returns the bytes a pixel of a row, or 0 if they are not a whole
// number. In a planar picture they are those of one sample.
func (d Directory) PixelBytes() int64 {
	bits := d.Bits[0]
	for _, b := range d.Bits {
		if b != bits {
			return 0
		}
	}
	if bits%8 != 0 || d.Photometric == yCbCr { // several pixels share their colours
		return 0
	}
	if d.Planar {
		return int64(bits / 8)
	}
	return int64(bits/8) * int64(d.Samples)
}

// Uncompressed reports whether the pixels are not compressed.
func (d Directory) Uncompressed() bool { return d.Compression == 1 }

// HasPalette reports whether the pixels are indices into a table of colours.
func (d Directory) HasPalette() bool { return d.Photometric == palette || d.Indexed }
