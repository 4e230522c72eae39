package tiff

import "math"

// The TIFF tags that are read.
const (
	tagNewSubfileType  = 254
	tagSubfileType     = 255
	tagImageWidth      = 256
	tagImageLength     = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagStripOffsets    = 273
	tagOrientation     = 274
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanarConfig    = 284
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagSubIFDs         = 330
	tagInkSet          = 332
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagIndexed         = 346
	tagProfile         = 34675
)

var wanted = func() map[uint16]bool {
	m := make(map[uint16]bool)
	for _, tag := range []uint16{tagNewSubfileType, tagSubfileType, tagImageWidth, tagImageLength, tagBitsPerSample,
		tagCompression, tagPhotometric, tagOrientation, tagSamplesPerPixel, tagRowsPerStrip, tagPlanarConfig, tagTileWidth,
		tagTileLength, tagSubIFDs, tagInkSet, tagExtraSamples, tagSampleFormat, tagIndexed, tagProfile} {
		m[tag] = true
	}
	return m
}()

// entries holds the values of one directory's tags.
type entries map[uint16][]int64

// first returns the tag's first value, or missing if there is none.
func (e entries) first(tag uint16, missing int64) int64 {
	if v := e[tag]; len(v) > 0 {
		return v[0]
	}
	return missing
}

// ints returns the tag's values or, if there are none and missing is not negative,
// missing.
func (e entries) ints(tag uint16, missing int) []int {
	var out []int
	for _, v := range e[tag] {
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
	number := func(tag uint16, missing int64) int { return int(min(e.first(tag, missing), math.MaxInt32)) }
	d := Directory{
		Width: e.first(tagImageWidth, 0), Height: e.first(tagImageLength, 0),
		Subfile:      e.subfile(),
		Photometric:  number(tagPhotometric, -1),
		Compression:  number(tagCompression, 1),
		Samples:      number(tagSamplesPerPixel, 1),
		ExtraSamples: e.ints(tagExtraSamples, -1),
		Bits:         e.ints(tagBitsPerSample, 1),
		Format:       e.ints(tagSampleFormat, formatUint),
		Planar:       e.first(tagPlanarConfig, 1) == 2,
		Inks:         number(tagInkSet, 1),
		Indexed:      e.first(tagIndexed, 0) == 1,
	}
	_, d.HasProfile = e[tagProfile]
	d.Thumbnail = d.Subfile&subfileReduced != 0
	d.NoPicture = d.Subfile&(subfileMask|subfileDepth) != 0
	if o := e.first(tagOrientation, 0); 1 <= o && o <= 8 {
		d.Orient = int(o)
	}
	rows := e.first(tagRowsPerStrip, math.MaxInt64)
	d.ChunkBytes = d.bytes(d.Width, min(rows, d.Height))
	if w, h := e.first(tagTileWidth, 0), e.first(tagTileLength, 0); w > 0 && h > 0 {
		d.Tiled, d.ChunkBytes = true, d.bytes(w, h)
	}
	return d
}

// subfile returns NewSubfileType, or the equivalent of the old SubfileType, in which
// 1 is a full picture, 2 a reduced one, and 3 a page.
func (e entries) subfile() uint32 {
	if _, ok := e[tagNewSubfileType]; !ok {
		switch e.first(tagSubfileType, 0) {
		case 2:
			return subfileReduced
		case 3:
			return subfilePage
		}
	}
	return uint32(e.first(tagNewSubfileType, 0))
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
