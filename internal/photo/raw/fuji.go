package raw

import (
	"encoding/binary"
	"io"
)

// fuji calls consider for the preview that the header of a Fuji RAF file points to.
func fuji(r io.ReaderAt, consider func(offset, length int64)) {
	const pointer = 84 // of offset and length of the JPEG, big-endian
	var head [pointer + 8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:15]) != "FUJIFILMCCD-RAW" {
		return
	}
	consider(int64(binary.BigEndian.Uint32(head[pointer:])), int64(binary.BigEndian.Uint32(head[pointer+4:])))
}
