package damage

import (
	"compress/zlib"
	"errors"
	"io"
)

// CheckStrip checks a compressed strip or tile of a TIFF: length bytes of r from
// offset at. compression is its Compression tag; it decodes to at most pixelBytes
// bytes. It returns nil if it finds no damage, cannot tell, or cannot read the
// data. Zeros at the end of a strip are left to the decoder, which then gets too
// few pixels.
//
// LZW codes repeated bytes with ever longer table entries, and PackBits a run of
// them with two bytes, so a long run of zeros in their data is damage. Deflate may
// contain one, but has a checksum, which libtiff ignores.
func CheckStrip(r io.ReaderAt, at, length int64, compression int, pixelBytes int64) error {
	const (
		lzw, deflate, oldDeflate, packBits = 5, 8, 32946, 32773

		minZeros = 64
	)
	end := at + length
	hasZeros := func(n int64) (found bool) {
		findZeros(r, at, end, n, func(z run) bool {
			found = z.end < end
			return !found
		})
		return found
	}
	damaged := false
	switch compression {
	case lzw:
		damaged = hasZeros(minZeros)
	case packBits:
		damaged = hasZeros(4 * minZeros)
	case deflate, oldDeflate:
		if !hasZeros(minZeros) {
			return nil
		}
		z, err := zlib.NewReader(io.NewSectionReader(r, at, length))
		if err == nil {
			_, err = io.CopyN(io.Discard, z, pixelBytes)
		}
		damaged = err != nil && !errors.Is(err, io.EOF)
	}
	if damaged {
		return errZeros
	}
	return nil
}
