package bmp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Decode returns the pixels of a file of size bytes: rows from the top, without
// padding, with bands bytes a pixel in the order red, green, blue, alpha. Alpha is
// not premultiplied. bands is 3 if the header declares alpha but every alpha value
// is zero: such files, for example screenshots, are opaque, and other programs
// show them so.
//
// It allocates Width*Height*Bands bytes and little more, after checking that the
// file is long enough to hold the pixels. The error wraps io.ErrUnexpectedEOF if
// the file is too short.
func (h *Header) Decode(r io.ReaderAt, size int64) (pix []byte, bands int, err error) {
	if need := h.Offset + h.minPixelBytes(); need > size {
		return nil, 0, fmt.Errorf("%w: %d bytes for %d × %d pixels", io.ErrUnexpectedEOF, size, h.Width, h.Height)
	}
	in := bufio.NewReaderSize(io.NewSectionReader(r, h.Offset, size-h.Offset), 256<<10)
	bands = h.Bands()
	pix = make([]byte, int64(h.Width)*int64(h.Height)*int64(bands))
	if h.Compressed() {
		return pix, bands, h.decodeRuns(in, pix)
	}
	convert := h.converter()
	row := make([]byte, h.Stride())
	for i := range h.Height {
		stored := row
		if i == h.Height-1 {
			stored = row[:h.RowBytes()] // the padding of the last row may be missing
		}
		if _, err := io.ReadFull(in, stored); err == io.EOF {
			return nil, 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return nil, 0, err
		}
		convert(h.row(pix, i, bands), row)
	}
	if bands == 4 {
		pix, bands = dropZeroAlpha(pix)
	}
	return pix, bands, nil
}

// row returns the slice of pix that holds the i-th row of the file.
func (h *Header) row(pix []byte, i, bands int) []byte {
	if !h.TopDown {
		i = h.Height - 1 - i
	}
	n := h.Width * bands
	return pix[i*n:][:n]
}

// dropZeroAlpha removes the alpha channel if it is zero everywhere. It returns
// the pixels and their bytes a pixel.
func dropZeroAlpha(pix []byte) ([]byte, int) {
	for i := 3; i < len(pix); i += 4 {
		if pix[i] != 0 {
			return pix, 4
		}
	}
	n := 0
	for i := 0; i < len(pix); i += 4 {
		n += copy(pix[n:], pix[i:i+3])
	}
	return pix[:n], 3
}

// converter returns the function that converts a row of the file to pixels.
func (h *Header) converter() func(out, in []byte) {
	switch h.Bits {
	case 24:
		return func(out, in []byte) {
			for i := 0; i+2 < len(out); i += 3 {
				out[i], out[i+1], out[i+2] = in[i+2], in[i+1], in[i]
			}
		}
	case 16, 32:
		return h.maskConverter()
	}
	perByte, mask := 8/h.Bits, byte(1<<h.Bits-1)
	return func(out, in []byte) {
		for x := 0; len(out) > 0; x++ {
			shift := 8 - h.Bits*(x%perByte+1)
			out = out[copy(out, h.palette[in[x/perByte]>>shift&mask][:]):]
		}
	}
}

// maskConverter is the converter for 16 and 32 bits a pixel.
func (h *Header) maskConverter() func(out, in []byte) {
	bands := h.Bands()
	channels := make([]channel, bands)
	for i := range channels {
		channels[i] = newChannel(h.masks[i])
	}
	step := h.Bits / 8
	return func(out, in []byte) {
		for ; len(out) > 0; out, in = out[bands:], in[step:] {
			pixel := uint32(binary.LittleEndian.Uint16(in))
			if step == 4 {
				pixel = binary.LittleEndian.Uint32(in)
			}
			for i := range channels {
				out[i] = channels[i].value(pixel)
			}
		}
	}
}
