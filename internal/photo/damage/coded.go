package damage

import "io"

// CheckCoded checks the data of a picture in a HEIF or AVIF file, which are coded
// with a video codec: length bytes of r from offset at. codec is the four-character
// code of the item, such as "hvc1". It returns nil if it finds no damage or cannot
// read the data.
//
// HEVC, VVC and AVC data never have three zeros in a row: emulation prevention
// puts a byte between them. AV1 has no such rule, but its arithmetic coder writes
// only a few zeros in a row: a black picture of 48 megapixels has fewer than four.
// Encoders may pad the data with some tens of zeros.
func CheckCoded(r io.ReaderAt, at, length int64, codec string) error {
	minZeros := int64(0)
	switch codec {
	case "hvc1", "hev1", "vvc1", "vvi1", "avc1":
		minZeros = 32
	case "av01":
		minZeros = 256
	default:
		return nil
	}
	found := false
	if err := findZeros(r, at, at+length, minZeros, func(run) bool { found = true; return false }); err != nil || !found {
		return nil
	}
	return errZeros
}
