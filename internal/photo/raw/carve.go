package raw

import (
	"bytes"
	"io"
)

const (
	carveBytes = 256 << 20 // how far into a file to look
	carveHits  = 256       // how many JPEG headers to try
	carveChunk = 1 << 20
)

// carve calls consider for each place in the file that begins like a JPEG. The
// length extends to the end of the file; a decoder stops at the end of the JPEG. It
// finds the previews of CR3, CRW, MRW, X3F and ORF. It ignores the offsets in skip.
func carve(r io.ReaderAt, size int64, skip map[int64]bool, consider func(offset, length int64)) error {
	err := carveStart(r, size, []byte{0xff, 0xd8, 0xff}, 0, skip, consider)
	if err == nil && isMinolta(r) { // these JPEGs have another first byte, and their fourth is always the same
		err = carveStart(r, size, []byte{0xd8, 0xff, 0xdb}, 1, skip, consider)
	}
	return err
}

// carveStart is carve for JPEGs that have the bytes start at offset within.
func carveStart(r io.ReaderAt, size int64, start []byte, within int64, skip map[int64]bool, consider func(offset, length int64)) error {
	buf := make([]byte, carveChunk)
	hits := 0
	for base := int64(0); base < min(size, carveBytes); {
		n, err := r.ReadAt(buf, base)
		if err != nil && err != io.EOF {
			return err
		}
		for at := 0; ; {
			i := bytes.Index(buf[at:n], start)
			if i < 0 {
				break
			}
			at += i
			if offset := base + int64(at) - within; !skip[offset] {
				consider(offset, size-offset)
				if hits++; hits >= carveHits {
					return nil
				}
			}
			at += len(start)
		}
		if err == io.EOF || n < len(buf) {
			return nil
		}
		base += int64(n - len(start) + 1) // the bytes may cross the border of two chunks
	}
	return nil
}
