package bmp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Decode returns the pixels: Bands bytes each, red, green, blue and perhaps
// alpha, not premultiplied; rows from the top, without padding. bands is 3 where
// the header promises alpha but all of it is zero: such files, as screenshots
// are, hold no transparency, and other programs show them opaque.
//
// It takes Width*Height*Bands bytes of memory and little more, and takes them
// only if the file, of size bytes, can hold the pixels. The error wraps
// io.ErrUnexpectedEOF if it ends before they do.
func (h *Header) Decode(r io.ReaderAt, size int64) (pix []byte, bands int, err error) {
	if need := h.Offset + h.least(); need > size {
		return nil, 0, fmt.Errorf("%w: %d bytes for %d × %d pixels", io.ErrUnexpectedEOF, size, h.Width, h.Height)
	}
	in := bufio.NewReaderSize(io.NewSectionReader(r, h.Offset, size-h.Offset), 256<<10)
	bands = h.Bands()
	pix = make([]byte, int64(h.Width)*int64(h.Height)*int64(bands))
	if h.Compressed() {
		return pix, bands, h.runs(in, pix)
	}
	convert := h.converter()
	row := make([]byte, h.Stride())
	for i := range h.Height {
		part := row
		if i == h.Height-1 {
			part = row[:h.RowBytes()] // the last padding may be missing
		}
		if _, err := io.ReadFull(in, part); err == io.EOF {
			return nil, 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return nil, 0, err
		}
		convert(h.row(pix, i, bands), row)
	}
	if bands == 4 {
		pix, bands = opaque(pix)
	}
	return pix, bands, nil
}

// row is the part of pix for the i-th row of the file.
func (h *Header) row(pix []byte, i, bands int) []byte {
	if !h.TopDown {
		i = h.Height - 1 - i
	}
	n := h.Width * bands
	return pix[i*n:][:n]
}

// opaque takes alpha out if it is zero everywhere.
func opaque(pix []byte) ([]byte, int) {
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

// converter returns what makes a row of pixels of a row of the file.
func (h *Header) converter() func(out, in []byte) {
	switch h.Bits {
	case 24:
		return func(out, in []byte) {
			for i := 0; i+2 < len(out); i += 3 {
				out[i], out[i+1], out[i+2] = in[i+2], in[i+1], in[i]
			}
		}
	case 16, 32:
		return h.fields()
	}
	perByte, mask := 8/h.Bits, byte(1<<h.Bits-1)
	return func(out, in []byte) {
		for x := 0; len(out) > 0; x++ {
			shift := 8 - h.Bits*(x%perByte+1)
			out = out[copy(out, h.palette[in[x/perByte]>>shift&mask][:]):]
		}
	}
}

// fields is the converter of 16 and 32 bits a pixel.
func (h *Header) fields() func(out, in []byte) {
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
				out[i] = channels[i].of(pixel)
			}
		}
	}
}
