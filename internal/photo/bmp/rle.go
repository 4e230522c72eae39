package bmp

import (
	"bufio"
	"errors"
	"io"
)

var errTooManyRows = errors.New("its run-length data has more rows than the picture")

// decodeRuns decodes run-length data into pix, three bytes a pixel. Pixels that
// the data skip have the first colour of the palette, or are black with 24 bits.
func (h *Header) decodeRuns(in *bufio.Reader, pix []byte) error {
	if first := h.palette[0]; first != [3]byte{} {
		for i := range pix {
			pix[i] = first[i%3]
		}
	}
	x, y := 0, 0
	set := func(colour [3]byte) {
		if x < h.Width && y < h.Height {
			copy(h.row(pix, y, 3)[x*3:], colour[:])
		}
		x++
	}
	const endOfLine, endOfBitmap, delta = 0, 1, 2
	for {
		// The end mark may be missing after the last pixel.
		count, err := in.ReadByte()
		if err == io.EOF && (y >= h.Height || y == h.Height-1 && x >= h.Width) {
			return nil
		}
		var code byte
		if err == nil && (count == 0 || h.compression != rle24) {
			code, err = in.ReadByte()
		}
		if err != nil {
			return unexpected(err)
		}
		switch {
		case count > 0:
			err = h.decodeRun(in, int(count), code, set)
		case code == endOfBitmap:
			return nil
		case code == endOfLine:
			x, y = 0, y+1
		case code == delta:
			var d [2]byte
			_, err = io.ReadFull(in, d[:])
			x, y = x+int(d[0]), y+int(d[1])
		default:
			err = h.decodeLiteral(in, int(code), set)
		}
		if err != nil {
			return unexpected(err)
		}
		if y > h.Height {
			return errTooManyRows
		}
	}
}

// unexpected turns io.EOF into io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// decodeRun sets count pixels to the colour of one code or, with 4 bits, to its
// two colours alternately.
func (h *Header) decodeRun(in *bufio.Reader, count int, code byte, set func([3]byte)) error {
	switch h.compression {
	case rle24:
		var c [3]byte
		if _, err := io.ReadFull(in, c[:]); err != nil {
			return err
		}
		for range count {
			set([3]byte{c[2], c[1], c[0]})
		}
	case rle8:
		for range count {
			set(h.palette[code])
		}
	case rle4:
		for i := range count {
			set(h.palette[code>>(4*(1-i%2))&15])
		}
	}
	return nil
}

// decodeLiteral sets count pixels to the colours that follow in the data. These
// are padded to an even number of bytes.
func (h *Header) decodeLiteral(in *bufio.Reader, count int, set func([3]byte)) error {
	n := count
	switch h.compression {
	case rle4:
		n = (count + 1) / 2
	case rle24:
		n = count * 3
	}
	var buf [256 * 3]byte
	data := buf[:(n+1)&^1]
	if _, err := io.ReadFull(in, data); err != nil {
		return err
	}
	for i := range count {
		switch h.compression {
		case rle24:
			set([3]byte{data[i*3+2], data[i*3+1], data[i*3]})
		case rle8:
			set(h.palette[data[i]])
		case rle4:
			set(h.palette[data[i/2]>>(4*(1-i%2))&15])
		}
	}
	return nil
}
