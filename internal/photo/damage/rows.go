package damage

import "io"

// Rows describes uncompressed pixels as they lie in a file, row after row.
type Rows struct {
	At       int64 // of the first, in bytes from the file's beginning
	RowBytes int64 // of a row's pixels
	Stride   int64 // from one row to the next
	Count    int64
	Pixel    int64 // bytes a pixel

	// Brightness: zeros are black, and the larger a byte the brighter. It is not
	// so where pixels are numbers in a palette.
	Brightness bool
}

// Lost looks for pixels that were replaced by zeros. It returns nil if it finds
// none, cannot tell, or cannot read them.
//
// Zeros are black pixels, so only where they begin and end can tell. Data are
// lost in blocks of a disk, which know nothing of rows: zeros begin in the middle
// of one and run on over the edge of the picture. It takes all of this to be lost:
//   - the row where they begin has at least edge pixels on both sides, and so has
//     the one where they end, unless they go on to the end of the pixels;
//   - more than a whole row of zeros lies between;
//   - the row before has hardly any black pixels above the zeros, nor has the
//     row itself beside them, and none at the picture's edge; so it is at the end;
//   - the pixels beside are no shadows: a picture may fade to black.
//
// In a picture of black things, or on black ground, an edge goes on in the next
// row near where it was.
func (w Rows) Lost(r io.ReaderAt) error {
	if w.Pixel < 1 || w.Stride < w.RowBytes || w.RowBytes < 2*edge*w.Pixel || w.RowBytes > longestRow || w.Count < 3 {
		return nil
	}
	end := w.At + w.Stride*(w.Count-1) + w.RowBytes
	lost := false
	if err := zeros(r, w.At, end, w.Stride, func(z run) bool {
		from, ok1 := w.edgeAt(r, z.start, -1)
		to, ok2 := w.edgeAt(r, z.end, 1)
		switch {
		case z.start == w.At && z.end == end: // black all over
		case z.start == w.At:
			lost = ok2 && to >= 2
		case z.end == end:
			lost = ok1 && from+2 < w.Count
		default:
			lost = ok1 && ok2 && to-from >= 2
		}
		return !lost
	}); err != nil || !lost {
		return nil
	}
	return lostZeros
}

// longestRow is how many bytes a row may have: two are held in memory.
const longestRow = 64 << 20

// edge is how many pixels there must be on both sides.
const edge = 3

// edgeAt looks at the place where zeros begin (direction -1) or end (1): the row
// it is in, and whether it is one that no picture has.
func (w Rows) edgeAt(r io.ReaderAt, at int64, direction int64) (row int64, ok bool) {
	row, column := (at-w.At)/w.Stride, (at-w.At)%w.Stride
	other := row + direction // the row on the side of the picture
	if other < 0 || other >= w.Count || column < edge*w.Pixel || column > w.RowBytes-edge*w.Pixel {
		return row, false
	}
	here, next := w.row(r, row), w.row(r, other)
	if here == nil || next == nil {
		return row, false
	}
	column -= column % w.Pixel
	before, after := here[:column], next[column:]
	if direction > 0 {
		column += w.Pixel // the first may be half zeros
		before, after = here[column:], next[:column]
	}
	return row, w.filled(before) && w.filled(after) && !w.black(here, direction) && !w.black(next, -direction)
}

// black reports whether a row's first (direction -1) or last pixel is black.
func (w Rows) black(row []byte, direction int64) bool {
	pixel := row[:w.Pixel]
	if direction > 0 {
		pixel = row[int64(len(row))-w.Pixel:]
	}
	return leading(pixel) == len(pixel)
}

func (w Rows) row(r io.ReaderAt, n int64) []byte {
	buf := make([]byte, w.RowBytes)
	if m, _ := r.ReadAt(buf, w.At+n*w.Stride); m < len(buf) {
		return nil
	}
	return buf
}

// filled reports whether there are hardly any black pixels in a part of a row,
// and few dark ones.
func (w Rows) filled(part []byte) bool {
	const dark = 16 // of 255
	black, sum, n := 0, 0, len(part)/int(w.Pixel)
	for i := range n {
		pixel := part[i*int(w.Pixel):][:w.Pixel]
		if leading(pixel) == len(pixel) {
			black++
		}
		for _, b := range pixel {
			sum += int(b)
		}
	}
	return n > 0 && black*8 <= n && (!w.Brightness || sum >= dark*len(part))
}
