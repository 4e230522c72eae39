package damage

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"io"
)

// maxPixels is the largest number of pixels that CheckGIF counts; each takes 10 ns.
const maxPixels = 64 << 20

const errShortGIF Error = "the data of its first picture end too early"

// CheckGIF checks the first picture of a GIF. It returns nil if it finds no
// damage or cannot tell.
//
// A picture is a chain of blocks that a block of length 0 ends. Zeros in place of
// lost data therefore end the picture early, and decoders show what came before.
// One of three marks must follow a picture, and 0 is not one of them. The pixels
// are counted only if something else follows or the data contain zeros.
func CheckGIF(data []byte) error {
	at, ok := gifPicture(data)
	if !ok {
		return nil
	}
	const header = 9
	d := data[at:]
	if len(d) < header+2 {
		return nil
	}
	pixels := int(binary.LittleEndian.Uint16(d[4:])) * int(binary.LittleEndian.Uint16(d[6:]))
	row := int(binary.LittleEndian.Uint16(d[4:]))
	at += header
	if flags := d[8]; flags&0x80 != 0 {
		at += 3 << (flags&7 + 1)
	}
	if at+1 >= len(data) {
		return nil
	}
	codeBits := int(data[at])
	coded, at := gifBlocks(data, at+1)
	const maxPadding = 16
	after := data[min(at, len(data)):min(at+maxPadding, len(data))]
	mark := bytes.TrimLeft(after, "\x00") // some programs pad with zeros
	noMark := len(mark) == 0 && len(after) == maxPadding || len(mark) > 0 && !bytes.Contains([]byte("!,;"), mark[:1])
	if !noMark && !hasZeros(coded) {
		return nil
	}
	if codeBits < 1 || codeBits > 8 || pixels > maxPixels {
		return nil
	}
	// One missing row is not visible, and some encoders leave out the last pixels.
	if n := gifPixels(coded, codeBits, pixels); n < pixels-row {
		return errShortGIF
	}
	return nil
}

// hasZeros reports whether data contain a run of at least 64 zeros.
func hasZeros(data []byte) (found bool) {
	const minZeros = 64
	findZeros(bytes.NewReader(data), 0, int64(len(data)), minZeros, func(run) bool {
		found = true
		return false
	})
	return found
}

// gifPicture returns the offset of the first picture's descriptor, after its mark.
func gifPicture(data []byte) (at int, ok bool) {
	const header = 13 // with the logical screen descriptor
	if len(data) < header {
		return 0, false
	}
	at = header
	if flags := data[10]; flags&0x80 != 0 {
		at += 3 << (flags&7 + 1)
	}
	for at < len(data) {
		switch data[at] {
		case ',':
			return at + 1, true
		case '!':
			at = gifBlocksEnd(data, at+2)
		case 0: // padding
			at++
		default:
			return 0, false
		}
	}
	return 0, false
}

// gifBlocks returns the content of the chain of blocks at offset at, and the
// offset after it.
func gifBlocks(data []byte, at int) (content []byte, end int) {
	for at < len(data) {
		n := int(data[at])
		at++
		if n == 0 {
			break
		}
		content = append(content, data[min(at, len(data)):min(at+n, len(data))]...)
		at += n
	}
	return content, at
}

// gifBlocksEnd returns the offset after the chain of blocks at offset at.
func gifBlocksEnd(data []byte, at int) int {
	for at < len(data) && data[at] != 0 {
		at += 1 + int(data[at])
	}
	return at + 1
}

// gifPixels counts the pixels in LZW data with codes of codeBits bits, up to limit.
func gifPixels(data []byte, codeBits, limit int) (n int) {
	r := lzw.NewReader(bytes.NewReader(data), lzw.LSB, max(codeBits, 2))
	defer r.Close()
	buf := make([]byte, 64<<10)
	for n < limit {
		m, err := r.Read(buf)
		n += m
		if err != nil {
			if !errors.Is(err, io.EOF) && m == 0 {
				return n
			}
			break
		}
	}
	return n
}
