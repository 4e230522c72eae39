// Package raw finds the JPEG that a camera put into its RAW file for preview.
//
// Developing the sensor's data needs a library as large as the rest of the
// program, and the preview is what the photographer saw. It is found without
// knowing the camera: by the TIFF directories most RAW formats are made of, by
// the header of Fuji's, and else by looking for a JPEG's header in the bytes.
//
// Pure Go, and every step is bounded, since the files come from anywhere.
package raw

import (
	"errors"
	"fmt"
	"io"
)

// Preview is a JPEG inside a RAW file.
type Preview struct {
	Offset int64 // of its first byte in the file; that byte is 0xff, whatever the file has there
	Length int64 // at most; the JPEG may end earlier
	Width  int   // pixels, as stored
	Height int

	// Orientation is the EXIF orientation (1 to 8) of the RAW file, 0 if it has
	// none. It holds for a preview without one of its own: a camera writes a
	// preview's own EXIF together with its pixels, and a converter that turns
	// the preview says so there, not in the container. exiftool, LibRaw and the
	// viewers that use them do the same.
	Orientation int
}

// ErrNoPreview is returned when the file has no JPEG that could be shown.
var ErrNoPreview = errors.New("there is no preview picture in this RAW file")

// errOnlyParts is the ErrNoPreview of a file that has other JPEGs.
var errOnlyParts = fmt.Errorf("%w, the JPEGs in it are pieces of the sensor's picture", ErrNoPreview)

// goodEdge is how long a preview's longest edge must be, in pixels, for the
// directories' word to be enough. Many cameras keep a thumbnail there and the
// real preview in a private place.
const goodEdge = 1000

// Find returns the largest preview in the file r of the given size in bytes.
// It returns ErrNoPreview, or the error of reading.
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
	if max(best.Width, best.Height) < goodEdge {
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
