// Package bmp reads Windows and OS/2 bitmaps of every depth into pixels.
//
// golang.org/x/image/bmp reads only the commonest kinds: no run-length encoding,
// no 16 bits a pixel, no bit fields, no OS/2 headers, and no gap before the
// pixels. libvips uses ImageMagick for BMP, which is not safe for untrusted files.
package bmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// ErrUnsupported means that the file may be intact but is of a kind that this
// package does not read. The errors of Read and Decode that wrap it say which.
var ErrUnsupported = errors.New("this kind of BMP is not supported")

// Header describes a bitmap.
type Header struct {
	Width, Height int // pixels
	Bits          int // a pixel: 1, 2, 4, 8, 16, 24 or 32
	TopDown       bool

	// Offset is where the pixels begin in the file, in bytes.
	Offset int64

	compression compression
	masks       [4]uint32 // of red, green, blue and alpha, for 16 and 32 bits
	palette     [256][3]byte
}

type compression int

const (
	uncompressed compression = iota
	rle4
	rle8
	rle24
	embedded // a JPEG or PNG
)

const fileHeader = 14 // bytes

// Read reads the header of the bitmap r. The error wraps io.ErrUnexpectedEOF if
// the file ends before the header does.
func Read(r io.ReaderAt) (*Header, error) {
	const (
		core    = 12  // bytes of the OS/2 1 header
		longest = 124 // bytes of the longest Windows header; later fields are not needed
	)
	buf := make([]byte, fileHeader+longest+16)
	n, err := r.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if n < fileHeader+core {
		return nil, io.ErrUnexpectedEOF
	}
	le := binary.LittleEndian
	length := int64(le.Uint32(buf[fileHeader:]))
	if length != core && (length < 16 || length > 1024) {
		return nil, fmt.Errorf("%w: its header has %d bytes", ErrUnsupported, length)
	}
	if int64(n) < fileHeader+min(length, longest) {
		return nil, io.ErrUnexpectedEOF
	}
	d := buf[fileHeader : fileHeader+min(length, longest)]
	h := &Header{Offset: int64(le.Uint32(buf[10:]))}
	if length == core {
		h.Width, h.Height, h.Bits = int(le.Uint16(d[4:])), int(le.Uint16(d[6:])), int(le.Uint16(d[10:]))
	} else {
		h.Width, h.Height, h.Bits = int(int32(le.Uint32(d[4:]))), int(int32(le.Uint32(d[8:]))), int(le.Uint16(d[14:]))
	}
	if h.Height < 0 {
		h.Height, h.TopDown = -h.Height, true
	}
	if h.Width <= 0 || h.Height == 0 || h.Height > math.MaxInt32 {
		return nil, errors.New("it has no pixels")
	}

	at := fileHeader + length // the offset of the masks or the palette
	if err := h.readCompression(d, buf[:n], &at); err != nil {
		return nil, err
	}
	if h.Bits <= 8 && h.compression != embedded {
		if err := h.readPalette(r, d, &at); err != nil {
			return nil, err
		}
	}
	if h.Offset < fileHeader+length { // some programs write 0
		h.Offset = at
	}
	return h, nil
}

// readCompression reads the compression and the colour masks from the header d.
// start is the beginning of the file. Short headers are followed by the masks at
// *at, which is then advanced past them.
func (h *Header) readCompression(d, start []byte, at *int64) error {
	const (
		biRGB, biRLE8, biRLE4, biBitFields, biJPEG, biPNG, biAlphaBitFields = 0, 1, 2, 3, 4, 5, 6

		os2Long   = 64 // the header of OS/2 2, whose compression codes differ
		info      = 40
		withMasks = 52
		withAlpha = 56
	)
	le := binary.LittleEndian
	os2 := len(d) == os2Long || len(d) < info
	code := uint32(biRGB)
	if len(d) >= 20 {
		code = le.Uint32(d[16:])
	}
	if !os2 && (code == biJPEG || code == biPNG) {
		h.compression = embedded
		return nil
	}
	switch h.Bits {
	case 1, 2, 4, 8, 24:
	case 16:
		h.masks = [4]uint32{0x7c00, 0x03e0, 0x001f}
	case 32:
		h.masks = [4]uint32{0xff0000, 0x00ff00, 0x0000ff}
	default:
		return fmt.Errorf("%w: it has %d bits a pixel", ErrUnsupported, h.Bits)
	}
	deep := h.Bits == 16 || h.Bits == 32
	switch {
	case code == biRGB:
		if h.Bits == 32 && !os2 && len(d) >= withAlpha {
			h.masks[3] = le.Uint32(d[52:]) // as Chromium and other programs do
		}
		return nil
	case code == biRLE8 && h.Bits == 8:
		h.compression = rle8
		return nil
	case code == biRLE4 && h.Bits == 4:
		h.compression = rle4
		return nil
	case os2 && code == 4 && h.Bits == 24:
		h.compression = rle24
		return nil
	case os2 && code == 3 && h.Bits == 1:
		return fmt.Errorf("%w: it has fax compression", ErrUnsupported)
	case deep && (code == biBitFields || code == biAlphaBitFields):
	default:
		return fmt.Errorf("%w: compression %d with %d bits a pixel", ErrUnsupported, code, h.Bits)
	}

	// The masks are a part of long headers, and follow short ones.
	n, source := 3, d[min(len(d), info):]
	if code == biAlphaBitFields || len(d) >= withAlpha {
		n = 4
	}
	if len(d) < withMasks {
		source = start[min(int64(len(start)), *at):]
		*at += int64(4 * n)
	}
	if len(source) < 4*n {
		return io.ErrUnexpectedEOF
	}
	for i := range n {
		h.masks[i] = le.Uint32(source[4*i:])
	}
	return nil
}

// readPalette reads the palette at *at and advances *at past it.
func (h *Header) readPalette(r io.ReaderAt, d []byte, at *int64) error {
	size, count := 4, int64(1)<<h.Bits
	if len(d) < 16 {
		size = 3 // OS/2 1
	} else if len(d) >= 36 {
		if used := int64(binary.LittleEndian.Uint32(d[32:])); used > 0 {
			count = used
		}
	}
	if available := h.Offset - *at; available > 0 {
		count = min(count, available/int64(size))
	}
	count = min(count, int64(len(h.palette)))
	buf := make([]byte, count*int64(size))
	if _, err := r.ReadAt(buf, *at); err == io.EOF && len(buf) > 0 {
		return io.ErrUnexpectedEOF
	} else if err != nil && err != io.EOF {
		return err
	}
	for i := range count {
		c := buf[i*int64(size):]
		h.palette[i] = [3]byte{c[2], c[1], c[0]}
	}
	*at += int64(len(buf))
	return nil
}

// RowBytes returns the length in bytes of an uncompressed row without its padding.
func (h *Header) RowBytes() int64 { return (int64(h.Width)*int64(h.Bits) + 7) / 8 }

// Stride returns the distance in bytes between the starts of two uncompressed rows.
func (h *Header) Stride() int64 { return (h.RowBytes() + 3) &^ 3 }

// Compressed reports whether the pixels are run-length encoded or stored as a
// file of another format.
func (h *Header) Compressed() bool { return h.compression != uncompressed }

// Embedded reports whether the pixels are a JPEG or PNG at Offset.
func (h *Header) Embedded() bool { return h.compression == embedded }

// Bands returns the bytes a pixel that the header declares: 3, or 4 with alpha.
func (h *Header) Bands() int {
	if h.masks[3] != 0 {
		return 4
	}
	return 3
}

// minPixelBytes returns a lower bound of the bytes that hold the pixels in the file.
func (h *Header) minPixelBytes() int64 {
	if h.Compressed() {
		return 2
	}
	return h.Stride()*int64(h.Height-1) + h.RowBytes()
}

// channel extracts one colour of a pixel as 8 bits.
type channel struct {
	mask  uint32
	shift int
	table []byte // the 8-bit value of each value of a colour with fewer than 8 bits
}

func newChannel(mask uint32) channel {
	shift := bits.TrailingZeros32(mask)
	width := 32 - bits.LeadingZeros32(mask) - shift
	switch {
	case mask == 0:
		return channel{table: []byte{0}}
	case width >= 8:
		return channel{mask: mask, shift: shift + width - 8}
	}
	c := channel{mask: mask, shift: shift, table: make([]byte, 1<<width)}
	maxValue := len(c.table) - 1
	for v := range c.table {
		c.table[v] = byte((v*255 + maxValue/2) / maxValue)
	}
	return c
}

// value returns the colour's value in a pixel, 0 to 255.
func (c *channel) value(pixel uint32) byte {
	v := pixel & c.mask >> c.shift
	if c.table != nil {
		return c.table[v]
	}
	return byte(v)
}
