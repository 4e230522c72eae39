package identity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"slices"
	"strings"

	"photodesc/internal/photo/heif"
	"photodesc/internal/photo/raw"
)

// This file hashes the pictures of formats that consist of chunks or boxes.

// pngChunks are the kinds of chunks that decide what a PNG shows, frames of an animation included.
var pngChunks = strings.Fields("IHDR PLTE tRNS IDAT acTL fcTL fdAT cICP iCCP sRGB gAMA cHRM")

// maxChunks bounds the chunks of a PNG that are looked at.
const maxChunks = 1 << 20

// png hashes the picture of a PNG. It is false for one whose chunks are damaged.
func png(h hash.Hash, r io.ReaderAt, size int64) (known bool, err error) {
	_, _ = io.WriteString(h, "photodesc png\n")
	orientation := 0
	at := int64(8) // after the signature
	for range maxChunks {
		var head [8]byte
		if _, err := readFull(r, head[:], at); errors.Is(err, errChanged) {
			return false, nil // it ends without IEND
		} else if err != nil {
			return false, err
		}
		kind, length := string(head[4:]), int64(binary.BigEndian.Uint32(head[:]))
		if length > size-at-8 {
			return false, nil
		}
		switch {
		case slices.Contains(pngChunks, kind):
			h.Write(head[:])
			if err := copyRange(h, r, at+8, at+8+length); err != nil {
				return false, err
			}
		case kind == "eXIf" && length <= maxExif:
			block := make([]byte, length)
			if _, err := readFull(r, block, at+8); err != nil {
				return false, err
			}
			orientation = raw.Orientation(bytes.TrimPrefix(block, []byte("Exif\x00\x00")))
		case kind == "IEND":
			number(h, int64(uprightIfNone(orientation)))
			return true, nil
		}
		at += 8 + length + 4 // and a checksum
	}
	return false, nil
}

// maxExif bounds an EXIF block that is read for its orientation, in bytes.
const maxExif = 1 << 20

// heic hashes the main picture of a HEIF or AVIF. It is false where the places of its data are not known.
func heic(h hash.Hash, r io.ReaderAt, size int64) (known bool, err error) {
	f, err := heif.Read(r, size)
	if err != nil {
		return false, nil // the decoder tells what is wrong with it
	}
	parts := f.Parts()
	if len(parts) == 0 {
		return false, nil
	}
	_, _ = io.WriteString(h, "photodesc heif\n")
	h.Write(f.Appearance())
	for _, p := range parts {
		_, _ = io.WriteString(h, p.Codec)
		number(h, p.Length)
		if err := copyRange(h, r, p.At, p.At+p.Length); err != nil {
			return false, err
		}
	}
	return true, nil
}
