// Package exif reads from EXIF data when, where and with what a photo was taken.
//
// EXIF is a block in the form of a TIFF file, so the same code reads the block in a
// JPEG, PNG, WebP or HEIF and the directories of a TIFF or a camera's RAW file. Every
// step is bounded, since files may be hostile, and what cannot be read is left out.
package exif

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"photodesc/internal/photo"
	"photodesc/internal/photo/ifd"
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
	maxText      = 256 // bytes
	maxFractions = 3
)

// identifier precedes EXIF data in a JPEG.
const identifier = "Exif\x00\x00"

// Block reads a block of EXIF data, with or without the identifier that a JPEG has
// before it.
func Block(data []byte) photo.ExifFields {
	data = bytes.TrimPrefix(data, []byte(identifier))
	return Read(bytes.NewReader(data), int64(len(data)))
}

// Read reads a TIFF file, EXIF data without an identifier, or a RAW file made of TIFF
// directories. Anything else has no fields.
func Read(r io.ReaderAt, size int64) (f photo.ExifFields) {
	in, ok := ifd.Open(r, size)
	if !ok {
		return f
	}
	d := directory{in.Directory(in.First)}
	d.main(&f)
	directory{in.Directory(d.Number(tagEXIF, 0))}.times(&f)
	directory{in.Directory(d.Number(tagGPS, 0))}.place(&f)
	return f
}

// Times reads a block whose first directory is the one with the times, as Canon's CR3
// has it.
func Times(r io.ReaderAt, size int64) (f photo.ExifFields) {
	if in, ok := ifd.Open(r, size); ok {
		directory{in.Directory(in.First)}.times(&f)
	}
	return f
}

// Place reads a block whose first directory is the one with the place, as Canon's CR3
// has it.
func Place(r io.ReaderAt, size int64) (f photo.ExifFields) {
	if in, ok := ifd.Open(r, size); ok {
		directory{in.Directory(in.First)}.place(&f)
	}
	return f
}

type directory struct{ ifd.Directory }

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

// text returns a text up to its first zero byte.
func (d directory) text(tag uint16) string {
	text, _, _ := strings.Cut(string(d.Bytes(tag, maxText)), "\x00")
	return strings.TrimSpace(text)
}

// fractions returns up to three fractions as text, "48/1 51/1 2952/100".
func (d directory) fractions(tag uint16) string {
	var parts []string
	for _, f := range d.Fractions(tag, maxFractions) {
		parts = append(parts, fmt.Sprintf("%d/%d", f[0], f[1]))
	}
	return strings.Join(parts, " ")
}
