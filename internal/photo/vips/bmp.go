package vips

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"

	"golang.org/x/image/bmp"

	"photodesc/internal/photo"
)

// decodeBMP reads a BMP in Go: libvips has only ImageMagick for it, which is
// not safe with files from strangers.
func decodeBMP(f *file, opts Options) (*Image, error) {
	config, err := bmp.DecodeConfig(bytes.NewReader(f.head))
	if err != nil {
		return nil, bmpError(f.path, err)
	}
	pixels := int64(config.Width) * int64(config.Height)
	if pixels > opts.MaxPixels {
		return nil, tooManyPixels(f.path, config.Width, config.Height, opts)
	}
	// The decoder makes room for what the header claims: let it claim no more
	// than the file can hold, at 3 bytes a pixel or, with a palette, a bit.
	least := pixels * 3
	if _, ok := config.ColorModel.(color.Palette); ok {
		least = pixels / 8
	}
	if f.size < least {
		return nil, photo.Errorf(photo.Unreadable, f.path, "it is cut short: %d bytes for %d × %d pixels",
			f.size, config.Width, config.Height)
	}
	const perPixel = 4 + 4 // as decoded, and as handed to libvips
	if need := pixels * perPixel; need > opts.MaxBytes {
		return nil, tooMuchMemory(f.path, need, opts)
	}
	img, err := bmp.Decode(io.NewSectionReader(f, 0, f.size))
	if err != nil {
		return nil, bmpError(f.path, err)
	}
	if pixels == 0 {
		return nil, photo.Errorf(photo.Unreadable, f.path, "it has no pixels")
	}
	pix, bands := interleave(img)
	out, err := decodePixels(f.path, pix, config.Width, config.Height, bands, opts)
	if err != nil {
		return nil, err
	}
	out.Format = photo.FormatBMP
	return out, nil
}

// interleave returns the pixels of what bmp.Decode makes, RGB or RGBA, and the
// number of bands.
func interleave(img image.Image) (pix []byte, bands int) {
	b := img.Bounds()
	switch m := img.(type) {
	case *image.NRGBA: // not premultiplied, as libvips has it
		for y := range b.Dy() {
			pix = append(pix, m.Pix[y*m.Stride:][:b.Dx()*4]...)
		}
		return pix, 4
	case *image.RGBA: // opaque
		pix = make([]byte, 0, b.Dx()*b.Dy()*3)
		for y := range b.Dy() {
			row := m.Pix[y*m.Stride:][:b.Dx()*4]
			for x := 0; x < len(row); x += 4 {
				pix = append(pix, row[x], row[x+1], row[x+2])
			}
		}
		return pix, 3
	}
	pix = make([]byte, 0, b.Dx()*b.Dy()*3)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			pix = append(pix, c.R, c.G, c.B)
		}
	}
	return pix, 3
}

func bmpError(path string, err error) error {
	if errors.Is(err, bmp.ErrUnsupported) {
		return photo.Errorf(photo.Unsupported, path, "this kind of BMP (compressed, or of few colours) is not read: save it as PNG")
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return photo.Errorf(photo.Unreadable, path, "it is damaged or cut short: %w", err)
}
