package damage

import (
	"compress/zlib"
	"errors"
	"io"
)

// Strip looks for lost data in a compressed strip or tile of a TIFF: so many
// bytes from a place in r, its Compression, and how many bytes of pixels it holds
// at most. It returns nil if it finds none, cannot tell, or cannot read them. Strips that end in zeros are left to the
// decoder, which then has too few pixels.
//
// LZW never codes two zeros in the same way, and PackBits needs two bytes for
// any number of them. Deflate may hold zeros as they are; it has a checksum, at
// which libtiff does not look.
func Strip(r io.ReaderAt, at, length int64, compression int, pixels int64) error {
	const (
		lzw, deflate, oldDeflate, packBits = 5, 8, 32946, 32773

		least = 64
	)
	end := at + length
	found := func(n int64) (inside bool) {
		zeros(r, at, end, n, func(z run) bool {
			inside = z.end < end
			return !inside
		})
		return inside
	}
	lost := false
	switch compression {
	case lzw:
		lost = found(least)
	case packBits:
		lost = found(4 * least)
	case deflate, oldDeflate:
		if !found(least) {
			return nil
		}
		z, err := zlib.NewReader(io.NewSectionReader(r, at, length))
		if err == nil {
			_, err = io.CopyN(io.Discard, z, pixels)
		}
		lost = err != nil && !errors.Is(err, io.EOF)
	}
	if lost {
		return lostZeros
	}
	return nil
}
