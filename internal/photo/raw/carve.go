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

// carve hands the place of each thing in the file that begins like a JPEG to
// consider, its length running to the file's end: a decoder stops at the
// JPEG's own. It finds the previews of CR3, CRW, X3F and ORF.
func carve(r io.ReaderAt, size int64, consider func(offset, length int64)) error {
	start := []byte{0xff, 0xd8, 0xff}
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
			consider(base+int64(at), size-base-int64(at))
			if hits++; hits >= carveHits {
				return nil
			}
			at += len(start)
		}
		if err == io.EOF || n < len(buf) {
			return nil
		}
		base += int64(n - len(start) + 1) // a start may lie across two chunks
	}
	return nil
}
