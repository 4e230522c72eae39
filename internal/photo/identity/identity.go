// Package identity computes hashes by which a photo's file is known again under another name, and by which a changed picture
// is told from changed metadata. Nothing is decoded, so a hash depends neither on the decoder nor on its options.
//
// Hashes are the first 128 bits of SHA-256 as hexadecimal digits: Go computes it with the instructions of x86 and ARM, at some
// 1.7 GB/s on Zen 4, and 128 bits rule out that two photos are taken for one, by chance or on purpose.
package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"photodesc/internal/photo"
	"photodesc/internal/photo/raw"
)

// ID is what is known of a file's content. Each hash is "" where it is not known.
type ID struct {
	Whole   string // of all bytes; "" for RAW files, which are not read whole
	Head    string // of the size, the first and the last 64 KiB
	Picture string // of the bytes that carry the picture, its orientation and its colours, see [Picture]
}

const (
	headBytes = 64 << 10
	digits    = 32

	// maxPicture is the largest JPEG in bytes that is searched for its picture; larger ones count whole.
	maxPicture = 64 << 20
)

// errChanged says that a file became shorter while it was read.
var errChanged = errors.New("the file was changed while it was read")

// Of returns all hashes of a file of size bytes. The name's ending tells some RAW files from TIFF.
func Of(r io.ReaderAt, size int64, name string) (id ID, err error) {
	if id.Head, err = Head(r, size); err != nil {
		return ID{}, err
	}
	if !IsRAW(r, name) {
		if id.Whole, err = Whole(r, size); err != nil {
			return ID{}, err
		}
	}
	if id.Picture, err = picture(r, size, name, id.Whole); err != nil {
		return ID{}, err
	}
	return id, nil
}

// Head hashes the size and the first and last 64 KiB of a file.
func Head(r io.ReaderAt, size int64) (string, error) {
	h := begin("head")
	number(h, size)
	first := min(size, headBytes)
	last := max(first, size-headBytes)
	for _, part := range [][2]int64{{0, first}, {last, size}} {
		if err := copyRange(h, r, part[0], part[1]); err != nil {
			return "", err
		}
	}
	return sum(h), nil
}

// HeadIsWhole is whether [Head] reads every byte of a file of size bytes.
func HeadIsWhole(size int64) bool { return size <= 2*headBytes }

// HeadTells is whether files of the same size and with the same ends have the same content, unless somebody made them so: in
// compressed pictures any difference reaches the end. In others, as scans with white margins, it does not.
func HeadTells(r io.ReaderAt, size int64) bool {
	head := make([]byte, photo.SniffLen)
	n, _ := r.ReadAt(head, 0)
	switch photo.Sniff(head[:n]) {
	case photo.FormatJPEG, photo.FormatPNG, photo.FormatHEIF, photo.FormatAVIF, photo.FormatWebP, photo.FormatRAW:
		return true
	}
	return HeadIsWhole(size)
}

// Whole hashes all bytes of a file.
func Whole(r io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	err := copyRange(h, r, 0, size)
	return sum(h), err
}

// Picture hashes what carries the picture of a file, so that metadata may change: of a JPEG all but its APPn segments, comments
// and what follows its end; of a PNG the chunks with pixels and colours; of a HEIF or AVIF the coded data and properties of the
// main picture; of a RAW file its preview. Orientation and colour profile are part of it. Other formats count whole.
func Picture(r io.ReaderAt, size int64, name string) (string, error) {
	return picture(r, size, name, "")
}

// picture is Picture where the hash of the whole may be known.
func picture(r io.ReaderAt, size int64, name, whole string) (string, error) {
	head := make([]byte, min(size, photo.SniffLen))
	if _, err := readFull(r, head, 0); err != nil {
		return "", err
	}
	h := sha256.New()
	var known bool
	var err error
	switch format := photo.Sniff(head); {
	case IsRAW(r, name):
		return preview(r, size)
	case format == photo.FormatJPEG && size <= maxPicture:
		data := make([]byte, size)
		if _, err = readFull(r, data, 0); err == nil {
			return JPEG(data, 0), nil
		}
	case format == photo.FormatPNG:
		known, err = png(h, r, size)
	case format == photo.FormatHEIF, format == photo.FormatAVIF:
		known, err = heic(h, r, size)
	}
	switch {
	case err != nil:
		return "", err
	case known:
		return sum(h), nil
	case whole != "":
		return whole, nil
	}
	return Whole(r, size)
}

// IsRAW is whether a file is a camera's RAW file, by its content or, where that is TIFF, by its name.
func IsRAW(r io.ReaderAt, name string) bool {
	head := make([]byte, photo.SniffLen)
	n, _ := r.ReadAt(head, 0)
	format := photo.Sniff(head[:n])
	return format == photo.FormatRAW || format == photo.FormatTIFF && photo.IsRaw(name)
}

// maxPreview bounds a preview in bytes; its length may extend far beyond the JPEG.
const maxPreview = 64 << 20

// preview hashes the preview in a RAW file. Without one the picture is not known.
func preview(r io.ReaderAt, size int64) (string, error) {
	p, err := raw.Find(r, size)
	if errors.Is(err, raw.ErrNoPreview) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data := make([]byte, min(p.Length, maxPreview))
	n, err := readFull(r, data, p.Offset)
	if n == 0 || err != nil && !errors.Is(err, errChanged) {
		return "", err
	}
	data[0] = 0xff // see raw.Preview
	return JPEG(data[:n], p.Orientation), nil
}

func begin(domain string) hash.Hash {
	h := sha256.New()
	_, _ = io.WriteString(h, "photodesc "+domain+"\n")
	return h
}

func number(h hash.Hash, n int64) { _ = binary.Write(h, binary.BigEndian, n) }

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil))[:digits] }

func copyRange(h hash.Hash, r io.ReaderAt, from, to int64) error {
	n, err := io.CopyBuffer(h, io.NewSectionReader(r, from, to-from), make([]byte, min(256<<10, to-from+1)))
	if err == nil && n < to-from {
		return errChanged
	}
	return err
}

// readFull fills p from an offset, or returns errChanged and what there is.
func readFull(r io.ReaderAt, p []byte, at int64) (int, error) {
	n, err := r.ReadAt(p, at)
	switch {
	case n == len(p):
		return n, nil
	case errors.Is(err, io.EOF):
		return n, errChanged
	}
	return n, err
}
