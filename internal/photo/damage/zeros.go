// Package damage finds what decoders do not report: pictures that lost data and
// still decode. Copies that stopped half way on a file system that had already
// given them their length, and sectors that a disk has lost, are runs of zeros.
//
// Each format has a rule of its own for what a run of zeros means, because
// zeros are rightly there, too: as black pixels, as flat areas, as padding. A
// rule says nothing where it cannot tell: the photo is described then.
package damage

import (
	"errors"
	"io"
)

// Error says what of a picture is lost.
type Error string

func (e Error) Error() string { return string(e) }

const (
	lostZeros Error = "a part of its data is lost and holds only zeros"
	lostPart  Error = "a part of its data is lost"
)

// run is a run of zeros: bytes from start to end.
type run struct{ start, end int64 }

func (z run) len() int64 { return z.end - z.start }

// zeros calls f with each run of at least so many zeros in the bytes of r from
// one place to another, in their order, until f returns false. It looks at one
// byte in least: no such run lies between two of those.
func zeros(r io.ReaderAt, from, to, least int64, f func(run) bool) error {
	const chunk = 1 << 20
	buf := make([]byte, min(chunk, max(0, to-from)))
	open := run{from, from} // what the bytes read so far end with
	for at := from; at < to; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 { // the file has become shorter
			break
		}
		part := buf[:n]
		first := leading(part)
		open.end += int64(first)
		if first < n {
			if open.len() >= least && !f(open) {
				return nil
			}
			last := n - trailing(part)
			for i := first + int(least); i < last; {
				start, end := i, i
				for start > first && part[start-1] == 0 {
					start--
				}
				for end < last && part[end] == 0 {
					end++
				}
				if part[i] == 0 && end-start >= int(least) && !f(run{at + int64(start), at + int64(end)}) {
					return nil
				}
				i = end + int(least)
			}
			open = run{at + int64(last), at + int64(n)}
		}
		at += int64(n)
	}
	if open.len() >= least {
		f(open)
	}
	return nil
}

// leading and trailing are how many zeros data begins and ends with.
func leading(data []byte) int {
	for i, b := range data {
		if b != 0 {
			return i
		}
	}
	return len(data)
}

func trailing(data []byte) int {
	n := len(data)
	for n > 0 && data[n-1] == 0 {
		n--
	}
	return len(data) - n
}
