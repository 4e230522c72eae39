package vips

import (
	"io"

	"photodesc/internal/photo"
	"photodesc/internal/photo/bmp"
	"photodesc/internal/photo/damage"
	"photodesc/internal/photo/heif"
	"photodesc/internal/photo/tiff"
)

// lostData looks for data that the file has lost and its decoder does not miss.
// JPEGs are looked at in decodeJPEG; PNGs have checksums.
func (in input) lostData(format string, opts Options) (err error) {
	switch format {
	case photo.FormatWebP:
		const bytesPerPixel, most = 16, 64 << 20
		err = damage.WebP(in.data, int(min(most, opts.MaxBytes/bytesPerPixel)))
	case photo.FormatGIF:
		err = damage.GIF(in.data)
	case photo.FormatHEIF, photo.FormatAVIF:
		err = in.lostParts()
	}
	if err != nil {
		return damaged(in.file.path, err)
	}
	return nil
}

// Parts of a file may lie over each other, thousands of times in one that was made
// to keep us busy: so many times the file's size is read at most, and so many
// bytes are unpacked.
const (
	mostRead     = 2
	mostUnpacked = 8 << 30
)

// lostParts looks at the coded data of a HEIF or AVIF.
func (in input) lostParts() error {
	f, err := heif.Read(in.reader(), in.reader().Size())
	if err != nil {
		return nil // the decoder says what is wrong
	}
	left := mostRead * in.reader().Size()
	for _, part := range f.Parts() {
		if left -= part.Length; left < 0 {
			return nil
		}
		if err := damage.Coded(in.reader(), part.At, part.Length, part.Codec); err != nil {
			return err
		}
	}
	return nil
}

// lostStrips looks at the strips or tiles of a TIFF picture.
func (in input) lostStrips(d tiff.Directory) error {
	r, pixel := in.reader(), d.Pixel()
	rows := damage.Rows{RowBytes: d.Width * pixel, Stride: d.Width * pixel, Pixel: pixel, Brightness: !d.HasPalette()}
	plain := d.Uncompressed()
	if plain && (d.Tiled || pixel == 0 || d.Width <= 0 || d.Width > r.Size()/pixel) {
		return nil
	}
	left, pixels := mostRead*r.Size(), int64(mostUnpacked)
	for _, strip := range d.Strips(r, r.Size()) {
		left -= min(max(strip.Length, 0), r.Size())
		if pixels -= d.ChunkBytes; left < 0 || !plain && pixels < 0 {
			return nil
		}
		var err error
		if plain {
			rows.At, rows.Count = strip.At, strip.Length/rows.Stride
			err = rows.Lost(r)
		} else {
			err = damage.Strip(r, strip.At, strip.Length, d.Compression, d.ChunkBytes)
		}
		if err != nil {
			return damaged(in.file.path, err)
		}
	}
	return nil
}

// lostBitmap looks at the pixels of a BMP.
func lostBitmap(path string, in io.ReaderAt, h *bmp.Header) error {
	if h.Compressed() || h.Bits < 8 {
		return nil
	}
	rows := damage.Rows{At: h.Offset, RowBytes: h.RowBytes(), Stride: h.Stride(), Count: int64(h.Height), Pixel: int64(h.Bits / 8), Brightness: h.Bits > 8}
	if err := rows.Lost(in); err != nil {
		return damaged(path, err)
	}
	return nil
}
