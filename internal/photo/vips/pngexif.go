package vips

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"

	"photodesc/internal/photo"
	"photodesc/internal/photo/exif"
	"photodesc/internal/photo/raw"
)

// pngExif is what a PNG's EXIF data say.
type pngExif struct {
	orientation int // 1 to 8; 0: not said
	fields      photo.ExifFields
}

// or returns what e says, and of what it does not say what other says.
func (e pngExif) or(other pngExif) pngExif {
	return pngExif{cmp.Or(e.orientation, other.orientation), e.fields.Or(other.fields)}
}

func pngExifOf(data []byte) pngExif {
	data = exifBlock(data)
	return pngExif{raw.Orientation(data), exif.Block(data)}
}

// readPNGExif reads EXIF data of a PNG from places that libvips does not read: an eXIf
// chunk after the pixels, as written by ImageMagick 6, or a text chunk with hexadecimal
// digits, which was used before PNG got the eXIf chunk in 2017. An eXIf chunk takes
// precedence over text, because today's programs change only the chunk. A chunk that
// libvips reads takes precedence over both.
func readPNGExif(r io.ReaderAt, size int64) pngExif {
	const (
		signature = 8
		header    = 8       // length and name of a chunk
		maxChunks = 1 << 17 // of 8 KB, as most programs write them: 1 GB
		maxText   = 1 << 20
		maxTexts  = 256 // common programs write up to a dozen
	)
	at, texts := int64(signature), 0
	var fromChunk, fromText pngExif
	for range maxChunks {
		var head [header]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			break
		}
		length := int64(binary.BigEndian.Uint32(head[:]))
		switch name := string(head[4:]); name {
		case "IEND":
			return fromChunk.or(fromText)
		case "eXIf", "tEXt", "zTXt", "iTXt":
			data := make([]byte, max(0, min(length, maxText, size-at-header)))
			n, _ := r.ReadAt(data, at+header)
			if name == "eXIf" {
				fromChunk = fromChunk.or(pngExifOf(data[:n]))
			} else if texts++; texts <= maxTexts {
				fromText = fromText.or(textExif(name, data[:n]))
			}
		}
		at += header + length + 4 // and a checksum
	}
	return fromChunk.or(fromText)
}

// exifBlock returns EXIF data without the identifier that precedes them in a JPEG.
func exifBlock(data []byte) []byte { return bytes.TrimPrefix(data, []byte("Exif\x00\x00")) }

// textExif reads the EXIF data in a text chunk.
func textExif(name string, data []byte) (none pngExif) {
	keyword, text, ok := bytes.Cut(data, []byte{0})
	if k := strings.ToLower(string(keyword)); !ok || k != "raw profile type exif" && k != "raw profile type app1" {
		return none
	}
	compressed := name == "zTXt"
	switch name {
	case "zTXt":
		text = text[min(1, len(text)):] // the compression method; there is only one
	case "iTXt":
		if len(text) < 2 {
			return none
		}
		compressed = text[0] == 1
		_, text, _ = bytes.Cut(text[2:], []byte{0}) // the language
		_, text, _ = bytes.Cut(text, []byte{0})     // the keyword in it
	}
	if compressed {
		z, err := zlib.NewReader(bytes.NewReader(text))
		if err != nil {
			return none
		}
		const maxBytes = 1 << 20
		text, _ = io.ReadAll(io.LimitReader(z, maxBytes)) // the intact beginning if it is damaged
	}
	return pngExifOf(profile16(text))
}

// profile16 decodes ImageMagick's text of a profile: a line with its name, one
// with its length, and lines of hexadecimal digits.
func profile16(text []byte) []byte {
	text = bytes.TrimLeft(text, "\r\n")
	_, text, _ = bytes.Cut(text, []byte("\n"))
	_, text, _ = bytes.Cut(text, []byte("\n"))
	digits := bytes.Join(bytes.Fields(text), nil)
	out := make([]byte, hex.DecodedLen(len(digits)))
	n, _ := hex.Decode(out, digits[:len(digits)&^1])
	return out[:n]
}
