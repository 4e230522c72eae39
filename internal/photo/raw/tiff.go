package raw

import (
	"io"

	"photodesc/internal/photo/ifd"
)

// Limits of what is read of a file's directories, far above what cameras write.
const (
	maxDirectories = 64
	maxTiles       = 1 << 16 // offsets of a picture's strips or tiles
)

const (
	compressionOldJPEG = 6
	compressionJPEG    = 7
)

const (
	photometricCFA       = 32803 // the sensor's own values
	photometricLinearRaw = 34892 // the same, interpolated
)

// directories walks a TIFF file's directories and calls consider for each range that
// may be a JPEG, except for parts of a picture: tiles, and strips if there are
// several. It returns the first orientation (0: none) and the offsets of those
// parts. Of a damaged file it returns what precedes the damage.
func directories(r io.ReaderAt, size int64, consider func(offset, length int64)) (orientation int, parts map[int64]bool) {
	in, ok := ifd.Open(r, size)
	if !ok {
		return 0, nil
	}
	parts = make(map[int64]bool)
	queue := []int64{in.First}
	seen := make(map[int64]bool)
	for len(queue) > 0 && len(seen) < maxDirectories {
		at := queue[0]
		queue = queue[1:]
		if seen[at] || at < 8 || at >= size {
			continue
		}
		seen[at] = true
		d := in.Directory(at)
		if o := d.Number(ifd.Orientation, 0); orientation == 0 && 1 <= o && o <= 8 {
			orientation = int(o)
		}
		consider(d.Number(ifd.JPEGOffset, -1), d.Number(ifd.JPEGLength, -1))
		if inParts(d) {
			for _, offset := range append(d.Numbers(ifd.TileOffsets, maxTiles), d.Numbers(ifd.StripOffsets, maxTiles)...) {
				if len(parts) < maxTiles {
					parts[offset] = true
				}
			}
		} else if c := d.Number(ifd.Compression, 0); c == compressionJPEG || c == compressionOldJPEG {
			consider(d.Number(ifd.StripOffsets, -1), d.Number(ifd.StripByteCounts, -1))
		}
		if offset, length, ok := d.Range(ifd.PanasonicJPEG); ok {
			consider(offset, length)
		}
		queue = append(queue, d.Numbers(ifd.SubIFDs, maxDirectories)...)
		queue = append(queue, d.Next)
	}
	return orientation, parts
}

// inParts reports whether the directory's data are parts of a picture or the
// sensor's data, so that a JPEG among them is not a preview.
func inParts(d ifd.Directory) bool {
	p := d.Number(ifd.Photometric, -1)
	return len(d.Numbers(ifd.TileOffsets, 1)) > 0 || len(d.Numbers(ifd.StripOffsets, 2)) > 1 || p == photometricCFA || p == photometricLinearRaw
}
