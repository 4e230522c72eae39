package damage

import "io"

// Rows is the layout of uncompressed pixels in a file.
type Rows struct {
	At         int64 // the offset of the first row, in bytes
	RowBytes   int64 // the bytes of the pixels of a row
	Stride     int64 // the bytes from the start of a row to the start of the next
	Count      int64 // rows
	PixelBytes int64 // bytes a pixel

	// Brightness reports whether larger bytes are brighter and zeros are black. It
	// is false if pixels are indices into a palette.
	Brightness bool
}

// Check looks for pixels that were replaced by zeros. It returns nil if it finds
// none, cannot tell, or cannot read them.
//
// Zeros are black pixels, so only where they begin and end distinguishes lost data
// from a black area. Data are lost in blocks of a disk, which are not aligned to
// rows: the zeros begin in the middle of a row and continue in the next rows. They
// are damage if all of this holds:
//   - The row where they begin has at least minBeside pixels on both sides of that
//     point. So has the row where they end, unless they continue to the last pixel.
//   - They cover more than one whole row.
//   - The row before has hardly any black pixels above the zeros, the rest of the
//     row itself has hardly any, and neither has one at the picture's edge. The
//     same holds at the end of the zeros.
//   - The pixels beside the zeros are not dark, since a picture may fade to black.
//
// The edge of a black object or a black background, in contrast, continues in the
// next row at nearly the same column.
func (w Rows) Check(r io.ReaderAt) error {
	if w.PixelBytes < 1 || w.Stride < w.RowBytes || w.RowBytes < 2*minBeside*w.PixelBytes || w.RowBytes > maxRowBytes || w.Count < 3 {
		return nil
	}
	end := w.At + w.Stride*(w.Count-1) + w.RowBytes
	damaged := false
	if err := findZeros(r, w.At, end, w.Stride, func(z run) bool {
		first, startCut := w.cutAt(r, z.start, -1)
		last, endCut := w.cutAt(r, z.end, 1)
		switch {
		case z.start == w.At && z.end == end: // the whole picture is black
		case z.start == w.At:
			damaged = endCut && last >= 2
		case z.end == end:
			damaged = startCut && first+2 < w.Count
		default:
			damaged = startCut && endCut && last-first >= 2
		}
		return !damaged
	}); err != nil || !damaged {
		return nil
	}
	return errZeros
}

// maxRowBytes is the longest row that is checked; two are held in memory.
const maxRowBytes = 64 << 20

// minBeside is how many pixels there must be on both sides of the point where
// zeros begin or end.
const minBeside = 3

// cutAt examines the offset at, where zeros begin (direction -1) or end (1). It
// returns its row, and whether the change to zeros there is one that pictures do
// not have.
func (w Rows) cutAt(r io.ReaderAt, at int64, direction int64) (row int64, cut bool) {
	row, column := (at-w.At)/w.Stride, (at-w.At)%w.Stride
	other := row + direction // the neighbouring row that is not zeros
	if other < 0 || other >= w.Count || column < minBeside*w.PixelBytes || column > w.RowBytes-minBeside*w.PixelBytes {
		return row, false
	}
	here, next := w.row(r, row), w.row(r, other)
	if here == nil || next == nil {
		return row, false
	}
	column -= column % w.PixelBytes
	before, after := here[:column], next[column:]
	if direction > 0 {
		column += w.PixelBytes // the first pixel may be partly zeros
		before, after = here[column:], next[:column]
	}
	return row, w.bright(before) && w.bright(after) && !w.edgeIsBlack(here, direction) && !w.edgeIsBlack(next, -direction)
}

// edgeIsBlack reports whether a row's first (direction -1) or last (1) pixel is black.
func (w Rows) edgeIsBlack(row []byte, direction int64) bool {
	pixel := row[:w.PixelBytes]
	if direction > 0 {
		pixel = row[int64(len(row))-w.PixelBytes:]
	}
	return leadingZeros(pixel) == len(pixel)
}

// row reads the pixels of a row, or returns nil.
func (w Rows) row(r io.ReaderAt, n int64) []byte {
	buf := make([]byte, w.RowBytes)
	if m, _ := r.ReadAt(buf, w.At+n*w.Stride); m < len(buf) {
		return nil
	}
	return buf
}

// bright reports whether hardly any of these pixels are black, and they are not
// dark on average.
func (w Rows) bright(pixels []byte) bool {
	const dark = 16 // of 255
	black, sum, n := 0, 0, len(pixels)/int(w.PixelBytes)
	for i := range n {
		pixel := pixels[i*int(w.PixelBytes):][:w.PixelBytes]
		if leadingZeros(pixel) == len(pixel) {
			black++
		}
		for _, b := range pixel {
			sum += int(b)
		}
	}
	return n > 0 && black*8 <= n && (!w.Brightness || sum >= dark*len(pixels))
}
