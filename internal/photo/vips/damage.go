package vips

import (
	"io"

	"photodesc/internal/photo"
	"photodesc/internal/photo/bmp"
	"photodesc/internal/photo/damage"
	"photodesc/internal/photo/heif"
	"photodesc/internal/photo/tiff"
)

// checkDamage looks for damage that the format's decoder does not report. JPEGs
// are checked in decodeJPEG, and PNGs have checksums.
func (in input) checkDamage(format string, opts Options) (err error) {
	switch format {
	case photo.FormatWebP:
		const bytesPerPixel, maxPixels = 16, 64 << 20
		err = damage.CheckWebP(in.data, int(min(maxPixels, opts.MaxBytes/bytesPerPixel)))
	case photo.FormatGIF:
		err = damage.CheckGIF(in.data)
	case photo.FormatHEIF, photo.FormatAVIF:
		err = in.checkItems()
	}
	if err != nil {
		return damaged(in.file.path, err)
	}
	return nil
}

// The parts of a hostile file may overlap thousands of times, so the checks are
// bounded.
const (
	maxReads    = 2       // the bytes read, in sizes of the file
	maxUnpacked = 8 << 30 // bytes after decompression
)

// checkItems checks the coded data of a HEIF or AVIF.
func (in input) checkItems() error {
	f, err := heif.Read(in.reader(), in.reader().Size())
	if err != nil {
		return nil // the decoder reports what is wrong
	}
	toRead := maxReads * in.reader().Size()
	for _, part := range f.Parts() {
		if toRead -= part.Length; toRead < 0 {
			return nil
		}
		if err := damage.CheckCoded(in.reader(), part.At, part.Length, part.Codec); err != nil {
			return err
		}
	}
	return nil
}

// checkStrips checks the strips or tiles of a TIFF picture.
func (in input) checkStrips(d tiff.Directory) error {
	r, pixelBytes := in.reader(), d.PixelBytes()
	rowBytes := d.Width * pixelBytes
	rows := damage.Rows{RowBytes: rowBytes, Stride: rowBytes, PixelBytes: pixelBytes, Brightness: !d.HasPalette()}
	uncompressed := d.Uncompressed()
	if uncompressed && (d.Tiled || pixelBytes == 0 || d.Width <= 0 || d.Width > r.Size()/pixelBytes) {
		return nil
	}
	toRead, toUnpack := maxReads*r.Size(), int64(maxUnpacked)
	for _, strip := range d.Strips(r, r.Size()) {
		toRead -= min(max(strip.Length, 0), r.Size())
		if toUnpack -= d.ChunkBytes; toRead < 0 || !uncompressed && toUnpack < 0 {
			return nil
		}
		var err error
		if uncompressed {
			rows.At, rows.Count = strip.At, strip.Length/rows.Stride
			err = rows.Check(r)
		} else {
			err = damage.CheckStrip(r, strip.At, strip.Length, d.Compression, d.ChunkBytes)
		}
		if err != nil {
			return damaged(in.file.path, err)
		}
	}
	return nil
}

// checkBitmap checks the pixels of a BMP.
func checkBitmap(path string, in io.ReaderAt, h *bmp.Header) error {
	if h.Compressed() || h.Bits < 8 {
		return nil
	}
	rows := damage.Rows{
		At: h.Offset, RowBytes: h.RowBytes(), Stride: h.Stride(), Count: int64(h.Height),
		PixelBytes: int64(h.Bits / 8), Brightness: h.Bits > 8,
	}
	if err := rows.Check(in); err != nil {
		return damaged(path, err)
	}
	return nil
}
