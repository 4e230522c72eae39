package xmp

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"photodesc/internal/photo"
)

var errPicture = errors.New("its structure is not understood")

// pictureSum is a hash of a JPEG or PNG without its metadata in XMP: of a JPEG from the
// picture's data to the end of the file, of a PNG all chunks that are no text.
func pictureSum(r io.Reader, format string) (sum [sha256.Size]byte, err error) {
	b := bufio.NewReaderSize(r, 1<<16)
	h := sha256.New()
	if format == photo.FormatJPEG {
		err = toScan(b)
		if err == nil {
			_, err = io.Copy(h, b)
		}
	} else {
		err = pngChunks(b, h)
	}
	return [sha256.Size]byte(h.Sum(nil)), err
}

// toScan reads a JPEG to the start of its first scan.
func toScan(b *bufio.Reader) error {
	if _, err := b.Discard(2); err != nil {
		return err
	}
	for {
		marker, err := b.ReadByte()
		if err != nil {
			return err
		}
		if marker != 0xff {
			return errPicture
		}
		for marker == 0xff { // any number of them may stand before a marker
			if marker, err = b.ReadByte(); err != nil {
				return err
			}
		}
		switch {
		case marker == 0xda:
			return nil
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd7:
			continue // they have no content
		}
		var length [2]byte
		if _, err := io.ReadFull(b, length[:]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint16(length[:]))
		if n < 2 {
			return errPicture
		}
		if _, err := b.Discard(n - 2); err != nil {
			return err
		}
	}
}

// pngChunks writes all chunks of a PNG but those of texts.
func pngChunks(b *bufio.Reader, w io.Writer) error {
	if _, err := b.Discard(8); err != nil {
		return err
	}
	for {
		var head [8]byte
		if _, err := io.ReadFull(b, head[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		to := w
		if kind := string(head[4:]); kind == "iTXt" {
			to = io.Discard
		}
		_, _ = to.Write(head[:]) // a hash has no errors
		if _, err := io.CopyN(to, b, int64(binary.BigEndian.Uint32(head[:]))+4); err != nil {
			return err
		}
	}
}
