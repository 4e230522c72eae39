package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/image/bmp"
)

// writeJPEG writes img so that a viewer that applies the EXIF orientation shows it
// upright. Orientation 0 writes no EXIF.
func writeJPEG(path string, img image.Image, orientation int) error {
	if orientation > 1 {
		img = stored(img, orientation)
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 88}); err != nil {
		return err
	}
	data := buf.Bytes()
	if orientation > 0 {
		data = append(append([]byte{0xff, 0xd8}, exif(orientation)...), data[2:]...)
	}
	return os.WriteFile(path, data, 0o644)
}

// exif returns an APP1 segment that contains only the orientation.
func exif(orientation int) []byte {
	body := "Exif\x00\x00" +
		"MM\x00*\x00\x00\x00\x08" + // big-endian TIFF, first directory at 8
		"\x00\x01" + // of one entry:
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00" + // orientation, one short
		"\x00\x00\x00\x00" // no further directory
	n := len(body) + 2
	return append([]byte{0xff, 0xe1, byte(n >> 8), byte(n)}, body...)
}

// stored returns the pixels that a camera stores for an upright image with this EXIF
// orientation.
func stored(img image.Image, orientation int) image.Image {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, w-1-x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			out.Set(sx, sy, img.At(x, y))
		}
	}
	return out
}

func writePNG(path string, img image.Image) error {
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&buf, img); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}

func writeBMP(path string, img image.Image) error {
	var buf bytes.Buffer
	// The encoder writes 24 bits a pixel only of an opaque RGBA.
	opaque := image.NewRGBA(img.Bounds())
	for y := range opaque.Rect.Dy() {
		for x := range opaque.Rect.Dx() {
			opaque.Set(x, y, img.At(x, y))
		}
	}
	if err := bmp.Encode(&buf, opaque); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}

// greyOf returns img in grey.
func greyOf(img image.Image) image.Image {
	out := image.NewGray(img.Bounds())
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out
}

// deep returns img with 16 bits a channel. The lower bits are not copies of the upper.
func deep(img image.Image) image.Image {
	out := image.NewNRGBA64(img.Bounds())
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			low := func(v uint32) uint16 { return uint16(v&0xff00 | 0x7f) }
			out.SetNRGBA64(x, y, color.NRGBA64{low(r), low(g), low(b), 0xffff})
		}
	}
	return out
}

// convert writes the images, or the frames of an animation, with ImageMagick in a
// format that Go cannot write. args are further arguments of convert.
func convert(path string, images []image.Image, args ...string) error {
	dir, err := os.MkdirTemp("", "mkphotos")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var all []string
	for i, img := range images {
		name := filepath.Join(dir, fmt.Sprintf("%d.png", i))
		if err := writePNG(name, img); err != nil {
			return err
		}
		all = append(all, name)
	}
	all = append(append(all, "-strip"), args...)
	out, err := exec.Command("convert", append(all, path)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("convert: %w\n%s\ninstall ImageMagick with HEIC, AVIF and WebP", err, out)
	}
	return nil
}
