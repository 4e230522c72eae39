package vips

/*
#include "decode.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"regexp"
	"slices"

	"photodesc/internal/photo"
	"photodesc/internal/photo/exif"
	"photodesc/internal/photo/tiff"
)

// maxTIFFPages is how many further pages of a TIFF are examined if its main picture
// is blank.
const maxTIFFPages = 8

// decodeTIFF decodes the main picture of a TIFF file or, if that is blank, the first
// later page that is not.
func decodeTIFF(f *file, opts Options, untrusted bool) (*Image, error) {
	in := input{file: f}
	if f.whole() {
		if f.size > opts.MaxBytes {
			return nil, tooMuchMemory(f.path, f.size, opts)
		}
		var err error
		if in.data, err = f.read(f.size); err != nil {
			return nil, err
		}
	}
	r := in.reader()
	header, err := tiff.Read(r, r.Size())
	switch {
	case errors.Is(err, tiff.ErrNoDirectory):
		return in.decode(noRequest, opts) // libvips reports the damage
	case err != nil:
		return nil, cannotRead(f.path, err)
	}
	main, err := header.Main()
	if err != nil {
		return nil, photo.Errorf(photo.Unreadable, f.path, "it is damaged or cut short: %w", err)
	}
	layout, err := main.Layout()
	if err == nil && layout.Reader == tiff.Raw {
		return decodeRaw(f, opts, untrusted)
	}
	img, err := decodeDirectory(in, main, opts)
	if err != nil {
		return nil, err
	}
	fields := exif.Read(r, r.Size()) // libvips reads none of a TIFF's
	img.addExif(fields)
	if !blank(img) {
		return img, nil
	}
	pixels := int64(0)
	for _, page := range header.After(main, maxTIFFPages) {
		if pixels += page.Width * page.Height; pixels > maxPagePixels {
			break
		}
		if shown, err := decodeDirectory(in, page, opts); err == nil && !blank(shown) {
			shown.addExif(fields)
			return shown, nil
		}
	}
	return img, nil
}

// decodeDirectory decodes one picture of a TIFF file with the reader for its layout.
func decodeDirectory(in input, d tiff.Directory, opts Options) (*Image, error) {
	layout, err := d.Layout()
	if err != nil {
		return nil, unsupportedTIFF(in.file.path, err.Error())
	}
	if err := in.checkStrips(d); err != nil {
		return nil, err
	}
	req := C.pd_request{tiff: tiffRequest(d, layout)}
	img, err := in.decode(req, opts)
	if err == nil && layout.Reader == tiff.Plain && d.Bits[0] == 16 && !d.HasProfile && oneShade(img.Pix) {
		// Some instruments use no more than 12 of the 16 bits.
		req.tiff.reader = C.PD_TIFF_SAMPLES
		return in.decode(req, opts)
	}
	return img, err
}

// oneShade reports whether all pixels are nearly black, or all are nearly white.
func oneShade(pix []byte) bool {
	const tolerance = 16
	return slices.Max(pix) <= tolerance || slices.Min(pix) >= 255-tolerance
}

func tiffRequest(d tiff.Directory, layout tiff.Layout) C.pd_tiff {
	readers := map[tiff.Reader]C.int{
		tiff.Plain: C.PD_TIFF_PLAIN, tiff.Samples: C.PD_TIFF_SAMPLES, tiff.RGBA: C.PD_TIFF_RGBA,
	}
	t := C.pd_tiff{
		reader:      readers[layout.Reader],
		page:        C.int(d.Page),
		subifd:      C.int(d.SubIFD),
		offset:      C.uint64_t(d.Offset),
		photometric: C.int(layout.Photometric),
		colours:     C.int(layout.Colours),
		alpha:       C.int(layout.Alpha),
		orientation: C.int(cmp.Or(d.Orient, 1)),
		chunk:       C.int64_t(d.ChunkBytes),
	}
	if layout.Premultiplied {
		t.premultiplied = 1
	}
	return t
}

// kindNotRead matches messages of libtiff and libvips about intact files of a kind
// that they do not decode.
var kindNotRead = regexp.MustCompile(`(?i)not supported|unsupported|not configured|not implemented|can ?not handle`)

func unsupportedTIFF(path, reason string) error {
	return photo.Errorf(photo.Unsupported, path, "this kind of TIFF is not read: %s"+
		"\nsave it as a TIFF or PNG of 8 bits, RGB", reason)
}
