package damage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

// CheckWebP checks the picture of a WebP, or the first frame of an animation. It
// returns nil if it finds no damage or cannot tell.
//
// Intact pictures contain zeros, too: they code blocks that match the prediction,
// such as black or white areas. A picture with many zeros is therefore decoded
// once more here. If it is intact, the decoder needs all of the data. If zeros
// have replaced other data, it needs less or more. This takes some 8 bytes of
// memory and 50 ns a pixel. A picture of more than maxPixels is not decoded.
func CheckWebP(data []byte, maxPixels int) error {
	const header = 12 // RIFF, its length, WEBP
	kind, chunk := webpPicture(data[min(header, len(data)):])
	if !hasZeros(chunk) {
		return nil
	}
	const maxPadding = 32
	switch kind {
	case "VP8L":
		r := bytes.NewReader(chunk)
		c, err := vp8l.DecodeConfig(bytes.NewReader(chunk))
		if err != nil || c.Width*c.Height > maxPixels {
			return nil
		}
		if _, err := vp8l.Decode(r); errors.Is(err, io.ErrUnexpectedEOF) || err == nil && r.Len() >= maxPadding {
			return errZeros
		}
	case "VP8 ":
		// This decoder reports whether the data were enough, but not how much of
		// them it read. So it is tried without the last bytes as well, which an
		// intact picture needs.
		enough, ok := vp8Enough(chunk, maxPixels)
		if !ok {
			return nil
		}
		if !enough {
			return errZeros
		}
		if enough, ok := vp8Enough(chunk[:max(0, len(chunk)-maxPadding)], maxPixels); ok && enough {
			return errZeros
		}
	}
	return nil
}

// vp8Enough reports whether data are enough for the picture; ok is false if it
// cannot be decoded here.
func vp8Enough(data []byte, maxPixels int) (enough, ok bool) {
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(data), len(data))
	h, err := d.DecodeFrameHeader()
	if err != nil || h.Width*h.Height > maxPixels {
		return false, false
	}
	_, err = d.DecodeFrame()
	return err == nil, err == nil || errors.Is(err, io.ErrUnexpectedEOF)
}

// webpPicture returns the chunk with the picture in a list of chunks, or that
// in the first frame of an animation.
func webpPicture(data []byte) (kind string, chunk []byte) {
	const header, frame = 8, 16
	for len(data) >= header {
		kind, length := string(data[:4]), int64(binary.LittleEndian.Uint32(data[4:]))
		data = data[header:]
		chunk := data[:min(length, int64(len(data)))]
		switch kind {
		case "VP8 ", "VP8L":
			return kind, chunk
		case "ANMF": // a frame: a header and chunks, none of them ANMF
			data = chunk[min(frame, len(chunk)):]
			continue
		}
		data = data[min(length+length&1, int64(len(data))):]
	}
	return "", nil
}
