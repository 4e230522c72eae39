package vips

/*
#include "decode.h"
*/
import "C"

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"

	"photodesc/internal/photo"
	"photodesc/internal/photo/tiff"
)

// decodeTIFF decodes the main picture of a TIFF file, by the reader that gets
// its colours right.
func decodeTIFF(f *file, opts Options, untrusted bool) (*Image, error) {
	var data []byte
	var in io.ReaderAt = f
	if f.whole() {
		if f.size > opts.MaxBytes {
			return nil, tooMuchMemory(f.path, f.size, opts)
		}
		var err error
		if data, err = f.read(f.size); err != nil {
			return nil, err
		}
		in = bytes.NewReader(data)
	}
	decode := func(req C.pd_request) (*Image, error) {
		if data == nil {
			return call(f.path, &req, opts)
		}
		return withData(f.path, data, req, opts)
	}
	req := C.pd_request{fd: C.int(f.Fd()), size: C.size_t(f.size)}
	header, err := tiff.Read(in, f.size)
	switch {
	case errors.Is(err, tiff.ErrNoDirectory):
		return decode(req) // libvips finds the words for it
	case err != nil:
		return nil, cannotRead(f.path, err)
	}
	main, err := header.Main()
	if err != nil {
		return nil, photo.Errorf(photo.Unreadable, f.path, "it is damaged or cut short: %w", err)
	}
	layout, err := main.Layout()
	if err != nil {
		return nil, unsupportedTIFF(f.path, err.Error())
	}
	if layout.Reader == tiff.Raw {
		return decodeRaw(f, opts, untrusted)
	}
	req.tiff = tiffRequest(main, layout)
	img, err := decode(req)
	if err == nil && layout.Reader == tiff.Plain && main.Bits[0] == 16 && !main.HasProfile && oneShade(img.Pix) {
		// Some instruments use no more than 12 of the 16 bits.
		req.tiff.reader = C.PD_TIFF_SAMPLES
		return decode(req)
	}
	return img, err
}

// oneShade reports whether pixels are all black or all white, or nearly.
func oneShade(pix []byte) bool {
	const nearly = 16
	least, most := slices.Min(pix), slices.Max(pix)
	return most <= nearly || least >= 255-nearly
}

func tiffRequest(main tiff.Directory, layout tiff.Layout) C.pd_tiff {
	readers := map[tiff.Reader]C.int{
		tiff.Plain: C.PD_TIFF_PLAIN, tiff.Samples: C.PD_TIFF_SAMPLES, tiff.RGBA: C.PD_TIFF_RGBA,
	}
	t := C.pd_tiff{
		reader:      readers[layout.Reader],
		page:        C.int(main.Page),
		subifd:      C.int(main.SubIFD),
		offset:      C.uint64_t(main.Offset),
		photometric: C.int(layout.Photometric),
		colours:     C.int(layout.Colours),
		alpha:       C.int(layout.Alpha),
		orientation: C.int(cmp.Or(main.Orient, 1)),
		chunk:       C.int64_t(main.ChunkBytes),
	}
	if layout.Premultiplied {
		t.premultiplied = 1
	}
	return t
}

// kindNotRead is how libtiff and libvips word that a whole file is of a kind
// that they do not read.
var kindNotRead = regexp.MustCompile(`(?i)not supported|unsupported|not configured|not implemented|can ?not handle`)

func unsupportedTIFF(path, reason string) error {
	return photo.Errorf(photo.Unsupported, path, "this kind of TIFF is not read: %s"+
		"\nsave it as a TIFF or PNG of 8 bits, RGB", reason)
}
