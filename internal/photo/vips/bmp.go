package vips

/*
#include <vips/vips.h>
*/
import "C"

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"photodesc/internal/photo"
	"photodesc/internal/photo/bmp"
)

// decodeBMP decodes a BMP in Go, because libvips uses ImageMagick for it, which is
// not safe for untrusted files.
func decodeBMP(f *file, opts Options) (*Image, error) {
	h, err := bmp.Read(f)
	if err != nil {
		return nil, bmpError(f.path, err)
	}
	if int64(h.Width)*int64(h.Height) > opts.MaxPixels {
		return nil, tooManyPixels(f.path, h.Width, h.Height, opts)
	}
	if max(h.Width, h.Height) > int(C.VIPS_MAX_COORD) { // the size would overflow in libvips
		return nil, photo.Errorf(photo.TooLarge, f.path, "it has %d × %d pixels, and no edge of more than %d is decoded: describe a smaller copy",
			h.Width, h.Height, C.VIPS_MAX_COORD)
	}
	var in io.ReaderAt = f
	inMemory := f.size <= inMemory
	need := int64(h.Width)*int64(h.Height)*int64(h.Bands()) + h.Stride()
	if inMemory {
		need += f.size
	}
	if need > opts.MaxBytes {
		return nil, tooMuchMemory(f.path, need, opts)
	}
	if inMemory {
		data, err := f.read(f.size)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(data)
	}
	var out *Image
	if h.Embedded() {
		out, err = decodeEmbedded(f, h, in, opts)
	} else {
		out, err = decodeBitmap(f, h, in, opts)
	}
	if err != nil {
		return nil, err
	}
	out.Format = photo.FormatBMP
	return out, nil
}

func decodeBitmap(f *file, h *bmp.Header, in io.ReaderAt, opts Options) (*Image, error) {
	pix, bands, err := h.Decode(in, f.size)
	if err != nil {
		return nil, bmpError(f.path, err)
	}
	if err := checkBitmap(f.path, in, h); err != nil {
		return nil, err
	}
	return decodePixels(f.path, pix, h.Width, h.Height, bands, opts)
}

// decodeEmbedded decodes a BMP that contains a JPEG or PNG.
func decodeEmbedded(f *file, h *bmp.Header, in io.ReaderAt, opts Options) (*Image, error) {
	data := make([]byte, max(0, min(f.size-h.Offset, inMemory)))
	n, err := in.ReadAt(data, h.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, cannotRead(f.path, err)
	}
	switch photo.Sniff(data[:n]) {
	case photo.FormatJPEG, photo.FormatPNG:
		return decodeBytes(f.path, data[:n], 0, opts)
	}
	return nil, bmpError(f.path, io.ErrUnexpectedEOF)
}

func bmpError(path string, err error) error {
	var reading *fs.PathError
	switch {
	case errors.Is(err, bmp.ErrUnsupported):
		return photo.Errorf(photo.Unsupported, path, "%w: save it as PNG", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return photo.Errorf(photo.Unreadable, path, "it is damaged or cut short: %w", err)
	case errors.As(err, &reading):
		return cannotRead(path, err)
	}
	return photo.Errorf(photo.Unreadable, path, "it is damaged: %w", err)
}
