package damage

import "io"

// Coded looks for lost data in a picture that was coded by a film's codec, as
// HEIF and AVIF have it: so many bytes from a place in r, and the codec's name
// there. It returns nil if it finds none, or cannot read them.
//
// HEVC, VVC and AVC never code three zeros in a row: a number is put between
// them (emulation prevention). AV1 has no such rule, but its arithmetic coder
// writes no more than a few, even of a picture that is black all over: a picture
// of 48 megapixels has no four. Encoders may pad, by some tens at most.
func Coded(r io.ReaderAt, at, length int64, codec string) error {
	least := int64(0)
	switch codec {
	case "hvc1", "hev1", "vvc1", "vvi1", "avc1":
		least = 32
	case "av01":
		least = 256
	default:
		return nil
	}
	lost := false
	if err := zeros(r, at, at+length, least, func(run) bool { lost = true; return false }); err != nil || !lost {
		return nil
	}
	return lostZeros
}
