package raw

import (
	"bufio"
	"errors"
	"io"
)

// minJPEG is a length in bytes that every JPEG exceeds.
const minJPEG = 100

// maxSegments is how many segments may precede the size, far more than cameras write.
const maxSegments = 512

var errNotJPEG = errors.New("not a JPEG that can be shown")

// jpegSize reads a JPEG's header up to its size. It accepts only JPEGs that can be a
// preview: 8 bits, grey or three colours, and not lossless, which cameras use for
// the sensor's data. It ignores the first byte, which differs in Minolta's previews.
func jpegSize(s *io.SectionReader) (width, height int, err error) {
	r := bufio.NewReaderSize(s, 512)
	var b [8]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil || b[1] != 0xd8 {
		return 0, 0, errNotJPEG
	}
	for range maxSegments {
		if _, err := io.ReadFull(r, b[:4]); err != nil || b[0] != 0xff {
			return 0, 0, errNotJPEG
		}
		marker, length := b[1], int64(b[2])<<8|int64(b[3])
		if length < 2 || marker < 0xc0 {
			return 0, 0, errNotJPEG
		}
		switch marker {
		case 0xc0, 0xc1, 0xc2: // baseline, extended, progressive
			if _, err := io.ReadFull(r, b[:6]); err != nil {
				return 0, 0, errNotJPEG
			}
			bits, comps := b[0], b[5]
			height, width = int(b[1])<<8|int(b[2]), int(b[3])<<8|int(b[4])
			if bits != 8 || (comps != 1 && comps != 3) || length != 8+3*int64(comps) || width == 0 || height == 0 {
				return 0, 0, errNotJPEG
			}
			return width, height, nil
		case 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf, 0xd9, 0xda:
			return 0, 0, errNotJPEG // lossless or rare kinds, or the data begin without a size
		}
		if _, err := r.Discard(int(length - 2)); err != nil {
			return 0, 0, errNotJPEG
		}
	}
	return 0, 0, errNotJPEG
}
