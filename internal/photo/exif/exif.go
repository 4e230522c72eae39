// Package exif reads from EXIF data when, where and with what a photo was taken.
//
// EXIF is a block in the form of a TIFF file, so the same code reads the block in a
// JPEG, PNG, WebP or HEIF and the directories of a TIFF or a camera's RAW file. Every
// step is bounded, since files may be hostile, and what cannot be read is left out.
package exif

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"photodesc/internal/photo"
)

// The tags that are read.
const (
	tagMake      = 0x010f
	tagModel     = 0x0110
	tagChanged   = 0x0132
	tagEXIF      = 0x8769 // where the directory with the times is
	tagGPS       = 0x8825 // where the directory with the place is
	tagOriginal  = 0x9003
	tagDigitized = 0x9004

	tagOffsetChanged   = 0x9010
	tagOffsetOriginal  = 0x9011
	tagOffsetDigitized = 0x9012

	tagLatitudeRef  = 1
	tagLatitude     = 2
	tagLongitudeRef = 3
	tagLongitude    = 4
)

// Limits of what is read, far above what cameras write.
const (
	maxEntries = 1024 // of a directory
	maxText    = 256  // bytes
	maxNumbers = 3
)

// identifier precedes EXIF data in a JPEG.
const identifier = "Exif\x00\x00"

// Block reads a block of EXIF data, with or without the identifier that a JPEG has
// before it.
func Block(data []byte) photo.ExifFields {
	return Read(bytes.NewReader(bytes.TrimPrefix(data, []byte(identifier))))
}

// Read reads a TIFF file, EXIF data without an identifier, or a RAW file made of TIFF
// directories. Anything else has no fields.
func Read(r io.ReaderAt) (f photo.ExifFields) {
	t, first, ok := open(r)
	if !ok {
		return f
	}
	d := t.directory(first)
	d.main(&f)
	if at, ok := d.number(tagEXIF); ok {
		t.directory(at).times(&f)
	}
	if at, ok := d.number(tagGPS); ok {
		t.directory(at).place(&f)
	}
	return f
}

// Times reads a block whose first directory is the one with the times, as Canon's CR3
// has it.
func Times(r io.ReaderAt) (f photo.ExifFields) {
	if t, first, ok := open(r); ok {
		t.directory(first).times(&f)
	}
	return f
}

// Place reads a block whose first directory is the one with the place, as Canon's CR3
// has it.
func Place(r io.ReaderAt) (f photo.ExifFields) {
	if t, first, ok := open(r); ok {
		t.directory(first).place(&f)
	}
	return f
}

func (d directory) main(f *photo.ExifFields) {
	f.Make, f.Model = d.text(tagMake), d.text(tagModel)
	f.Changed = d.text(tagChanged)
	// Some RAW formats have the times here.
	d.times(f)
}

func (d directory) times(f *photo.ExifFields) {
	for tag, to := range map[uint16]*string{
		tagOriginal: &f.Original, tagDigitized: &f.Digitized,
		tagOffsetChanged: &f.OffsetChanged, tagOffsetOriginal: &f.OffsetOriginal, tagOffsetDigitized: &f.OffsetDigitized,
	} {
		if s := d.text(tag); s != "" {
			*to = s
		}
	}
}

func (d directory) place(f *photo.ExifFields) {
	f.Latitude, f.LatitudeRef = d.fractions(tagLatitude), d.text(tagLatitudeRef)
	f.Longitude, f.LongitudeRef = d.fractions(tagLongitude), d.text(tagLongitudeRef)
}

// tiff is a block in the form of a TIFF file.
type tiff struct {
	r     io.ReaderAt
	order binary.ByteOrder
}

// open reads the header, of TIFF or of a RAW format that differs only in its magic
// number, such as Olympus' and Panasonic's. first is where the first directory is.
func open(r io.ReaderAt) (t tiff, first int64, ok bool) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return t, 0, false
	}
	switch string(head[:4]) {
	case "II*\x00", "IIRO", "IIRS", "IIU\x00":
		t = tiff{r, binary.LittleEndian}
	case "MM\x00*", "MMOR":
		t = tiff{r, binary.BigEndian}
	default:
		return t, 0, false
	}
	return t, int64(t.order.Uint32(head[4:])), true
}

// directory has the entries of a directory by their tags.
type directory struct {
	tiff
	entries map[uint16][]byte // 12 bytes each
}

func (t tiff) directory(at int64) directory {
	d := directory{t, nil}
	var count [2]byte
	if _, err := t.r.ReadAt(count[:], at); err != nil {
		return d
	}
	n := int(t.order.Uint16(count[:]))
	if n > maxEntries {
		return d
	}
	const size = 12
	buf := make([]byte, n*size)
	got, _ := t.r.ReadAt(buf, at+2) // a cut file may lack the end
	d.entries = make(map[uint16][]byte, n)
	for e := range slices.Chunk(buf[:got-got%size], size) {
		if tag := t.order.Uint16(e); d.entries[tag] == nil {
			d.entries[tag] = e
		}
	}
	return d
}

// The types of values that are read.
const (
	typeText      = 2
	typeLong      = 4
	typeRational  = 5
	typeUndefined = 7
	typeIFD       = 13
)

// number returns an offset.
func (d directory) number(tag uint16) (int64, bool) {
	e := d.entries[tag]
	if e == nil || d.order.Uint16(e[2:]) != typeLong && d.order.Uint16(e[2:]) != typeIFD {
		return 0, false
	}
	return int64(d.order.Uint32(e[8:])), true
}

// text returns a text up to its first zero byte.
func (d directory) text(tag uint16) string {
	e := d.entries[tag]
	if e == nil || d.order.Uint16(e[2:]) != typeText && d.order.Uint16(e[2:]) != typeUndefined {
		return ""
	}
	text, _, _ := strings.Cut(string(d.value(e, 1, maxText)), "\x00")
	return strings.TrimSpace(text)
}

// fractions returns up to three fractions as text, "48/1 51/1 2952/100".
func (d directory) fractions(tag uint16) string {
	e := d.entries[tag]
	if e == nil || d.order.Uint16(e[2:]) != typeRational {
		return ""
	}
	var parts []string
	for v := range slices.Chunk(d.value(e, 8, maxNumbers), 8) {
		if len(v) == 8 {
			parts = append(parts, fmt.Sprintf("%d/%d", d.order.Uint32(v), d.order.Uint32(v[4:])))
		}
	}
	return strings.Join(parts, " ")
}

// value returns up to limit values of so many bytes each.
func (d directory) value(e []byte, size, limit uint32) []byte {
	length := min(d.order.Uint32(e[4:]), limit) * size
	if length <= 4 {
		return e[8 : 8+length]
	}
	data := make([]byte, length)
	n, _ := d.r.ReadAt(data, int64(d.order.Uint32(e[8:])))
	return data[:n]
}
