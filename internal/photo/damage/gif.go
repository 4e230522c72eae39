package damage

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"io"
)

// maxPixels is how many pixels are counted at most: it takes 10 ns each.
const maxPixels = 64 << 20

const shortGIF Error = "its first picture has no data for a part of it"

// GIF looks for lost data in the first picture of a GIF. It returns nil if it
// finds none, or cannot tell.
//
// A picture is a chain of blocks, and a length of 0 ends it. Zeros do, too, and
// decoders show what there was. What follows tells: a GIF has three marks for
// that, and 0 is none of them. Only if there is something else, or zeros stand in
// the data, the pixels are counted.
func GIF(data []byte) error {
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
	width := int(data[at]) // of codes, in bits
	coded, at := gifBlocks(data, at+1)
	const few = 16
	end := data[min(at, len(data)):min(at+few, len(data))]
	follows := bytes.TrimLeft(end, "\x00") // some programs pad
	odd := len(follows) == 0 && len(end) == few || len(follows) > 0 && !bytes.Contains([]byte("!,;"), follows[:1])
	if !odd && !hasZeros(coded) {
		return nil
	}
	if width < 1 || width > 8 || pixels > maxPixels {
		return nil
	}
	// A row that lacks is not seen, and some encoders leave out the last pixels.
	if n := gifPixels(coded, width, pixels); n < pixels-row {
		return shortGIF
	}
	return nil
}

func hasZeros(data []byte) (found bool) {
	const least = 64
	zeros(bytes.NewReader(data), 0, int64(len(data)), least, func(run) bool {
		found = true
		return false
	})
	return found
}

// gifPicture returns where the first picture's description is, behind its mark.
func gifPicture(data []byte) (at int, ok bool) {
	const header = 13 // with the description of the screen
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

// gifBlocks returns the content of the chain of blocks that begins at at, and
// where it ends.
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

// gifBlocksEnd returns where that chain ends, without its content.
func gifBlocksEnd(data []byte, at int) int {
	for at < len(data) && data[at] != 0 {
		at += 1 + int(data[at])
	}
	return at + 1
}

// gifPixels counts the pixels that data code, up to most.
func gifPixels(data []byte, width, most int) (n int) {
	r := lzw.NewReader(bytes.NewReader(data), lzw.LSB, max(width, 2))
	defer r.Close()
	buf := make([]byte, 64<<10)
	for n < most {
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
