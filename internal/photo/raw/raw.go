// Package raw finds the JPEG preview in a camera's RAW file.
//
// Developing the sensor's data would need a library as large as the rest of the
// program, and the preview is what the photographer saw. It is found without knowing
// the camera: in the TIFF directories of which most RAW formats consist, in the
// header of Fuji's format, and otherwise by searching for the header of a JPEG.
//
// The package is pure Go, and every step is bounded, since files may be hostile.
package raw

import (
	"errors"
	"fmt"
	"io"
)

// Preview is a JPEG inside a RAW file.
type Preview struct {
	Offset int64 // of its first byte in the file, which must be replaced by 0xff
	Length int64 // bytes; the JPEG may end earlier
	Width  int   // pixels, as stored
	Height int

	// Orientation is the EXIF orientation (1 to 8) of the RAW file, 0 if it has
	// none. It applies only if the preview has none itself: the preview's EXIF is
	// written together with its pixels, and a converter that rotates the preview
	// changes the EXIF there, not in the container. exiftool and LibRaw do the same.
	Orientation int
}

// ErrNoPreview means that the file has no JPEG that can be a preview.
var ErrNoPreview = errors.New("there is no preview picture in this RAW file")

// errOnlyParts is the ErrNoPreview of a file whose JPEGs are parts of a picture.
var errOnlyParts = fmt.Errorf("%w, the JPEGs in it are pieces of the sensor's picture", ErrNoPreview)

// minPreviewEdge is the longest edge in pixels below which a JPEG that the
// directories point to is taken for a thumbnail. The file is then searched for a
// larger one, which many cameras store in a private place.
const minPreviewEdge = 1000

// Find returns the largest preview in the file r of size bytes. The error wraps
// ErrNoPreview or is one of reading.
func Find(r io.ReaderAt, size int64) (Preview, error) {
	var best Preview
	consider := func(offset, length int64) {
		if offset < 0 || length < minJPEG || offset > size-minJPEG {
			return
		}
		length = min(length, size-offset)
		w, h, err := jpegSize(io.NewSectionReader(r, offset, length))
		if err == nil && w*h > best.Width*best.Height {
			best.Offset, best.Length, best.Width, best.Height = offset, length, w, h
		}
	}

	orientation, parts := directories(r, size, consider)
	if orientation == 0 {
		orientation = containerOrientation(r, size)
	}
	best.Orientation = orientation
	fuji(r, consider)
	if max(best.Width, best.Height) < minPreviewEdge {
		if err := carve(r, size, parts, consider); err != nil && best.Width == 0 {
			return best, err
		}
	}
	switch {
	case best.Width == 0 && len(parts) > 0:
		return best, errOnlyParts
	case best.Width == 0:
		return best, ErrNoPreview
	}
	return best, nil
}
