package bmp

import (
	"bufio"
	"errors"
	"io"
)

var errLines = errors.New("its run lengths have more lines than the picture")

// runs decodes run lengths into pix, three bytes a pixel. Pixels that they pass
// over keep the palette's first colour, or are black with 24 bits.
func (h *Header) runs(in *bufio.Reader, pix []byte) error {
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
		// The picture may end with its last pixel instead of a mark.
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
			err = h.run(in, int(count), code, set)
		case code == endOfBitmap:
			return nil
		case code == endOfLine:
			x, y = 0, y+1
		case code == delta:
			var d [2]byte
			_, err = io.ReadFull(in, d[:])
			x, y = x+int(d[0]), y+int(d[1])
		default:
			err = h.literal(in, int(code), set)
		}
		if err != nil {
			return unexpected(err)
		}
		if y > h.Height {
			return errLines
		}
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// run sets count pixels to what one code says: a colour, or two in turns.
func (h *Header) run(in *bufio.Reader, count int, code byte, set func([3]byte)) error {
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

// literal sets count pixels to a colour each. They are padded to two bytes.
func (h *Header) literal(in *bufio.Reader, count int, set func([3]byte)) error {
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
