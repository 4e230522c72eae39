// Package damage finds damaged pictures that decoders accept. Their data have
// mostly been replaced by runs of zeros: in copies that stopped half way, on file
// systems that set a file's length first, and in sectors that a disk has lost.
//
// Intact pictures contain zeros, too: black pixels, flat areas, padding. So each
// format has its own rule for when a run of zeros is damage. If a rule cannot
// tell, the picture counts as intact.
package damage

import (
	"errors"
	"io"
)

// Error is the damage of a picture.
type Error string

// Error returns the damage in words.
func (e Error) Error() string { return string(e) }

const (
	errZeros       Error = "a part of its data is lost and holds only zeros"
	errPartMissing Error = "a part of its data is lost"
)

// run is a run of zeros from offset start up to offset end.
type run struct{ start, end int64 }

func (z run) len() int64 { return z.end - z.start }

// findZeros calls f with each run of at least minZeros zeros in the bytes of r
// between two offsets, in order, until f returns false. It looks at one byte in
// minZeros, since no such run fits between two of them.
func findZeros(r io.ReaderAt, from, to, minZeros int64, f func(run) bool) error {
	const chunk = 1 << 20
	buf := make([]byte, min(chunk, max(0, to-from)))
	open := run{from, from} // the run at the end of the bytes read so far
	for at := from; at < to; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 { // the file has become shorter
			break
		}
		data := buf[:n]
		first := leadingZeros(data)
		open.end += int64(first)
		if first < n {
			if open.len() >= minZeros && !f(open) {
				return nil
			}
			last := n - trailingZeros(data)
			for i := first + int(minZeros); i < last; {
				start, end := i, i
				for start > first && data[start-1] == 0 {
					start--
				}
				for end < last && data[end] == 0 {
					end++
				}
				if data[i] == 0 && end-start >= int(minZeros) && !f(run{at + int64(start), at + int64(end)}) {
					return nil
				}
				i = end + int(minZeros)
			}
			open = run{at + int64(last), at + int64(n)}
		}
		at += int64(n)
	}
	if open.len() >= minZeros {
		f(open)
	}
	return nil
}

// leadingZeros returns the number of zeros at the beginning of data.
func leadingZeros(data []byte) int {
	for i, b := range data {
		if b != 0 {
			return i
		}
	}
	return len(data)
}

// trailingZeros returns the number of zeros at the end of data.
func trailingZeros(data []byte) int {
	n := len(data)
	for n > 0 && data[n-1] == 0 {
		n--
	}
	return len(data) - n
}
