package tiff

import (
	"math"

	"photodesc/internal/photo/ifd"
)

// entries holds the values of one directory's tags.
type entries struct{ ifd.Directory }

// ints returns the tag's values or, if there are none and missing is not negative,
// missing.
func (e entries) ints(tag uint16, missing int) []int {
	var out []int
	for _, v := range e.Numbers(tag, maxSamples) {
		out = append(out, int(min(v, math.MaxInt32)))
	}
	if len(out) == 0 && missing >= 0 {
		out = []int{missing}
	}
	return out
}

// The bits of NewSubfileType.
const (
	subfileReduced = 1
	subfilePage    = 2
	subfileMask    = 4
	subfileDepth   = 8 // of DNG
)

// directory returns the Directory that the values describe.
func (e entries) directory() Directory {
	number := func(tag uint16, missing int64) int { return int(min(e.Number(tag, missing), math.MaxInt32)) }
	d := Directory{
		Width: e.Number(ifd.ImageWidth, 0), Height: e.Number(ifd.ImageLength, 0),
		Subfile:      e.subfile(),
		Photometric:  number(ifd.Photometric, -1),
		Compression:  number(ifd.Compression, 1),
		Samples:      number(ifd.SamplesPerPixel, 1),
		ExtraSamples: e.ints(ifd.ExtraSamples, -1),
		Bits:         e.ints(ifd.BitsPerSample, 1),
		Format:       e.ints(ifd.SampleFormat, formatUint),
		Planar:       e.Number(ifd.PlanarConfig, 1) == 2,
		Inks:         number(ifd.InkSet, 1),
		Indexed:      e.Number(ifd.Indexed, 0) == 1,
	}
	d.HasProfile = e.Has(ifd.Profile)
	d.Thumbnail = d.Subfile&subfileReduced != 0
	d.NoPicture = d.Subfile&(subfileMask|subfileDepth) != 0
	if o := e.Number(ifd.Orientation, 0); 1 <= o && o <= 8 {
		d.Orient = int(o)
	}
	rows := e.Number(ifd.RowsPerStrip, math.MaxInt64)
	d.ChunkBytes = d.bytes(d.Width, min(rows, d.Height))
	if w, h := e.Number(ifd.TileWidth, 0), e.Number(ifd.TileLength, 0); w > 0 && h > 0 {
		d.Tiled, d.ChunkBytes = true, d.bytes(w, h)
	}
	return d
}

// subfile returns NewSubfileType, or the equivalent of the old SubfileType, in which
// 1 is a full picture, 2 a reduced one, and 3 a page.
func (e entries) subfile() uint32 {
	if !e.Has(ifd.NewSubfileType) {
		switch e.Number(ifd.SubfileType, 0) {
		case 2:
			return subfileReduced
		case 3:
			return subfilePage
		}
	}
	return uint32(e.Number(ifd.NewSubfileType, 0))
}

// bytes returns the bytes of width × height pixels without padding, at most 1<<60.
func (d Directory) bytes(width, height int64) int64 {
	bits := 1
	for _, b := range d.Bits {
		bits = max(bits, b)
	}
	n := float64(width) * float64(height) * float64(d.Samples) * float64(bits) / 8
	return int64(min(n, 1<<60))
}
