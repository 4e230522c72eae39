package vips

import (
	"errors"
	"io"

	"photodesc/internal/photo"
	"photodesc/internal/photo/identity"
	"photodesc/internal/photo/raw"
)

// decodeRaw decodes the camera's preview in a RAW file. If there is none, libvips'
// untrusted loaders are tried, if the user allows them.
func decodeRaw(f *file, opts Options, untrusted bool) (*Image, error) {
	preview, err := raw.Find(f, f.size)
	switch {
	case errors.Is(err, raw.ErrNoPreview) && untrusted:
		return decodeFile(f, photo.FormatRAW, opts)
	case errors.Is(err, raw.ErrNoPreview):
		return nil, photo.Errorf(photo.Unsupported, f.path,
			"%w, and sensor data is not developed: describe a JPEG made from it, or run with --untrusted-loaders", err)
	case err != nil:
		return nil, cannotRead(f.path, err)
	}
	const maxPreview = 64 << 20 // bytes; preview.Length may extend far beyond the JPEG
	data := make([]byte, min(preview.Length, maxPreview))
	n, err := f.ReadAt(data, preview.Offset)
	if n == 0 || err != nil && !errors.Is(err, io.EOF) {
		return nil, cannotRead(f.path, err)
	}
	data[0] = 0xff // see raw.Preview
	f.picture = identity.JPEG(data[:n], preview.Orientation)
	img, err := decodeBytes(f.path, data[:n], preview.Orientation, opts)
	if err != nil {
		return nil, err
	}
	img.Format = photo.FormatRAW
	// What the preview lacks may be in the container.
	img.addExif(raw.Exif(f, f.size))
	return img, nil
}
