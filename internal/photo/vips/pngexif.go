package vips

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"

	"photodesc/internal/photo/raw"
)

// pngOrientation returns the EXIF orientation of a PNG from places that libvips does
// not read, 0 if there is none: an eXIf chunk after the pixels, as written by
// ImageMagick 6, or a text chunk with hexadecimal digits, which was used before PNG
// got the eXIf chunk in 2017. An eXIf chunk takes precedence over text, because
// today's programs change only the chunk. A chunk that libvips reads takes
// precedence over both.
func pngOrientation(r io.ReaderAt, size int64) int {
	const (
		signature = 8
		header    = 8       // length and name of a chunk
		maxChunks = 1 << 17 // of 8 KB, as most programs write them: 1 GB
		maxText   = 1 << 20
		maxTexts  = 256 // common programs write up to a dozen
	)
	at, texts, fromText := int64(signature), 0, 0
	for range maxChunks {
		var head [header]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return fromText
		}
		length := int64(binary.BigEndian.Uint32(head[:]))
		switch name := string(head[4:]); name {
		case "IEND":
			return fromText
		case "eXIf", "tEXt", "zTXt", "iTXt":
			data := make([]byte, max(0, min(length, maxText, size-at-header)))
			n, _ := r.ReadAt(data, at+header)
			if name == "eXIf" {
				if o := raw.Orientation(exifBlock(data[:n])); o != 0 {
					return o
				}
			} else if texts++; fromText == 0 && texts <= maxTexts {
				fromText = textOrientation(name, data[:n])
			}
		}
		at += header + length + 4 // and a checksum
	}
	return fromText
}

// exifBlock returns EXIF data without the identifier that precedes them in a JPEG.
func exifBlock(data []byte) []byte { return bytes.TrimPrefix(data, []byte("Exif\x00\x00")) }

// textOrientation returns the orientation in a text chunk, or 0.
func textOrientation(name string, data []byte) int {
	keyword, text, ok := bytes.Cut(data, []byte{0})
	if k := strings.ToLower(string(keyword)); !ok || k != "raw profile type exif" && k != "raw profile type app1" {
		return 0
	}
	compressed := name == "zTXt"
	switch name {
	case "zTXt":
		text = text[min(1, len(text)):] // the compression method; there is only one
	case "iTXt":
		if len(text) < 2 {
			return 0
		}
		compressed = text[0] == 1
		_, text, _ = bytes.Cut(text[2:], []byte{0}) // the language
		_, text, _ = bytes.Cut(text, []byte{0})     // the keyword in it
	}
	if compressed {
		z, err := zlib.NewReader(bytes.NewReader(text))
		if err != nil {
			return 0
		}
		const maxBytes = 1 << 20
		text, _ = io.ReadAll(io.LimitReader(z, maxBytes)) // the intact beginning if it is damaged
	}
	return raw.Orientation(exifBlock(profile16(text)))
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
