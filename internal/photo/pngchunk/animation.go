package pngchunk

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/draw"
	"image/png"
	"io"
)

// Limits of what is decoded of an animation.
const (
	maxFrames     = 64
	maxPixels     = 64 << 20 // decoded and drawn on the canvas, of all frames
	maxCompressed = 64 << 20 // bytes of one frame
)

// bytesPerPixel is about how much memory FirstVisibleFrame takes a pixel of the
// canvas: the canvas, a frame of 16 bits, what a frame covers, the best canvas, the PNG.
const bytesPerPixel = 4 + 8 + 4 + 4 + 4

// Animated reports whether the PNG has frames besides its still picture that can be
// decoded with maxBytes bytes of memory.
func (info *Info) Animated(maxBytes int64) bool {
	pixels := int64(info.Width) * int64(info.Height)
	return info.animated && pixels > 0 && pixels <= maxPixels && pixels*bytesPerPixel <= maxBytes
}

// FirstVisibleFrame returns the first frame of an animation with at least the
// contrast Clear or, if there is none, the one with the most contrast. The frame is
// a PNG with the colour chunks of the file. The result is nil if all frames up to
// the limits are blank. The search ends at a damaged frame.
func (info *Info) FirstVisibleFrame(r *io.SectionReader) []byte {
	canvas := image.NewNRGBA(image.Rect(0, 0, info.Width, info.Height))
	var best *image.NRGBA
	bestContrast := Blank
	pixelsLeft := int64(maxPixels)
	frames := frames{info: info, r: r, at: info.body}
	for range maxFrames {
		f, ok := frames.next()
		if pixelsLeft -= int64(len(canvas.Pix)/4) + int64(f.area.Dx())*int64(f.area.Dy()); !ok || pixelsLeft < 0 {
			break
		}
		img, err := png.Decode(bytes.NewReader(f.png))
		if err != nil || img.Bounds().Size() != f.area.Size() {
			break
		}
		var covered *image.NRGBA
		if f.dispose == disposePrevious {
			covered = image.NewNRGBA(f.area)
			draw.Draw(covered, f.area, canvas, f.area.Min, draw.Src)
		}
		draw.Draw(canvas, f.area, img, img.Bounds().Min, f.blend)
		if c := contrast(canvas); c > bestContrast {
			bestContrast = c
			if best == nil {
				best = image.NewNRGBA(canvas.Rect)
			}
			copy(best.Pix, canvas.Pix)
		}
		if bestContrast >= Clear {
			break
		}
		switch f.dispose {
		case disposeBackground:
			draw.Draw(canvas, f.area, image.Transparent, image.Point{}, draw.Src)
		case disposePrevious:
			draw.Draw(canvas, f.area, covered, f.area.Min, draw.Src)
		}
	}
	if best == nil {
		return nil
	}
	var out bytes.Buffer
	if (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&out, best) != nil {
		return nil
	}
	const header = 8 + 25 // signature and IHDR
	return append(append(out.Bytes()[:header:header], info.colours...), out.Bytes()[header:]...)
}

// Limits of the contrast of a picture: the difference between the largest and the
// smallest 8-bit sample of a channel.
const (
	Blank = 3   // up to this, the picture is of one colour; lossy codecs add some noise
	Clear = 128 // from this on, the picture is clearly not blank
)

// contrast returns the largest contrast of a channel, with img laid over white.
func contrast(img *image.NRGBA) int {
	low, high := [3]int{255, 255, 255}, [3]int{}
	for i := 0; i < len(img.Pix); i += 4 {
		a := int(img.Pix[i+3])
		for c := range 3 {
			v := (int(img.Pix[i+c])*a + 255*(255-a)) / 255
			low[c], high[c] = min(low[c], v), max(high[c], v)
		}
	}
	return max(high[0]-low[0], high[1]-low[1], high[2]-low[2])
}

// What happens to a frame's area before the next frame is drawn.
const (
	disposeBackground = 1
	disposePrevious   = 2
)

type frame struct {
	area    image.Rectangle // on the canvas
	dispose byte
	blend   draw.Op
	png     []byte // a file of its own
}

// frames iterates over an animation's frames.
type frames struct {
	info *Info
	r    *io.SectionReader
	at   int64
}

// next returns the next frame. ok is false after the last one and if it is damaged.
func (fs *frames) next() (f frame, ok bool) {
	var control []byte
	var pixels []byte // chunks of the kind IDAT
	for range maxChunks {
		c, err := next(fs.r, fs.at)
		if err != nil {
			break
		}
		if control != nil && pixels != nil && c.kind != "IDAT" && c.kind != "fdAT" {
			break
		}
		// The still picture is a frame only if an fcTL precedes it.
		if c.kind == "fcTL" || control != nil && (c.kind == "IDAT" || c.kind == "fdAT") {
			if c.length > int64(maxCompressed-len(pixels)) {
				return frame{}, false
			}
			raw, err := c.read(fs.r)
			if err != nil {
				return frame{}, false
			}
			switch data := raw[8 : len(raw)-4]; {
			case c.kind == "fcTL":
				control = data
			case c.kind == "IDAT":
				pixels = append(pixels, raw...)
			case len(data) >= 4: // fdAT begins with a sequence number
				pixels = appendChunk(pixels, "IDAT", data[4:])
			}
		}
		if c.kind == "IEND" {
			return frame{}, false
		}
		fs.at = c.end()
	}
	if pixels == nil || len(control) != 26 {
		return frame{}, false
	}
	number := func(at int) int { return int(binary.BigEndian.Uint32(control[at:])) }
	width, height, x, y := number(4), number(8), number(12), number(16)
	if width < 1 || height < 1 || x+width > fs.info.Width || y+height > fs.info.Height {
		return frame{}, false
	}
	header := bytes.Clone(fs.info.header)
	copy(header, control[4:12])
	f = frame{area: image.Rect(x, y, x+width, y+height), dispose: control[24], blend: draw.Src}
	if control[25] == 1 {
		f.blend = draw.Over
	}
	f.png = appendChunk([]byte(Signature), "IHDR", header)
	f.png = append(append(f.png, fs.info.palette...), pixels...)
	f.png = appendChunk(f.png, "IEND", nil)
	return f, true
}

func appendChunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	start := len(out)
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}
