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

// tags has the tags that are read, with their largest number of values.
var tags = map[uint16]int64{
	ifd.PanasonicJPEG: 0, ifd.Compression: 1, ifd.Photometric: 1, ifd.Orientation: 1, ifd.JPEGOffset: 1, ifd.JPEGLength: 1,
	ifd.StripByteCounts: 1, ifd.StripOffsets: maxTiles, ifd.TileOffsets: maxTiles, ifd.SubIFDs: maxDirectories,
}

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
	in, ok := openTIFF(r, size)
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
		if o := d.First(ifd.Orientation, 0); orientation == 0 && 1 <= o && o <= 8 {
			orientation = int(o)
		}
		consider(d.First(ifd.JPEGOffset, -1), d.First(ifd.JPEGLength, -1))
		if inParts(d) {
			for _, offset := range append(d.Values[ifd.TileOffsets], d.Values[ifd.StripOffsets]...) {
				if len(parts) < maxTiles {
					parts[offset] = true
				}
			}
		} else if c := d.First(ifd.Compression, 0); c == compressionJPEG || c == compressionOldJPEG {
			consider(d.First(ifd.StripOffsets, -1), d.First(ifd.StripByteCounts, -1))
		}
		if p, ok := d.Undefined[ifd.PanasonicJPEG]; ok {
			consider(p.Offset, p.Length)
		}
		queue = append(queue, d.Values[ifd.SubIFDs]...)
		queue = append(queue, d.Next)
	}
	return orientation, parts
}

// openTIFF reads the header of a TIFF file, or of a RAW format with another magic
// number.
func openTIFF(r io.ReaderAt, size int64) (in *ifd.Reader, ok bool) {
	in, ok = ifd.Open(r, size, tags)
	switch in.Magic {
	case ifd.TIFF, ifd.BigTIFF, 'O'<<8 | 'R', 'S'<<8 | 'R', 'U': // the last three are Olympus' and Panasonic's
		return in, ok
	}
	return in, false
}

// inParts reports whether the directory's data are parts of a picture or the
// sensor's data, so that a JPEG among them is not a preview.
func inParts(d ifd.Directory) bool {
	p := d.First(ifd.Photometric, -1)
	return len(d.Values[ifd.TileOffsets]) > 0 || len(d.Values[ifd.StripOffsets]) > 1 || p == photometricCFA || p == photometricLinearRaw
}
