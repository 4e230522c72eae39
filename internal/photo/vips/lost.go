package vips

import (
	"photodesc/internal/photo"
	"photodesc/internal/photo/damage"
	"photodesc/internal/photo/heif"
)

// lostData looks for data that the file has lost and its decoder does not miss.
// JPEGs are looked at in decodeJPEG.
func (in input) lostData(format string) (err error) {
	switch format {
	case photo.FormatWebP:
		err = damage.WebP(in.data)
	case photo.FormatGIF:
		err = damage.GIF(in.data)
	case photo.FormatHEIF, photo.FormatAVIF:
		err = in.lostParts()
	}
	if err != nil {
		return damaged(in.file.path, err)
	}
	return nil
}

// lostParts looks at the coded data of a HEIF or AVIF.
func (in input) lostParts() error {
	f, err := heif.Read(in.reader(), in.reader().Size())
	if err != nil {
		return nil // the decoder says what is wrong
	}
	for _, part := range f.Parts() {
		if err := damage.Coded(in.reader(), part.At, part.Length, part.Codec); err != nil {
			return err
		}
	}
	return nil
}
