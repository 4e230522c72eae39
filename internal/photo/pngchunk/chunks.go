// Package pngchunk reads chunks of a PNG that libpng ignores: the colours that it
// signals, and the frames of an animation (APNG).
package pngchunk

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"photodesc/internal/photo/colour"
)

// Signature is the beginning of every PNG.
const Signature = "\x89PNG\r\n\x1a\n"

// Limits of what is read of a file.
const (
	maxChunks = 100_000
	maxKept   = 8 << 20 // bytes of the chunks before the pixels that frames need as well
)

var errFormat = errors.New("its chunks are damaged or too many")

// Info holds what the chunks before the pixels contain.
type Info struct {
	Width, Height int  // pixels
	HasProfile    bool // there is an ICC profile

	cicp      *colour.CICP
	srgb      bool
	gamma     float64 // the value of gAMA; 0 if there is none
	primaries *colour.Primaries
	animated  bool   // there is an acTL
	header    []byte // the content of IHDR
	palette   []byte // the chunks PLTE and tRNS
	colours   []byte // the chunks with colours and orientation
	body      int64  // the offset of the first frame's fcTL, or of the pixels
}

// chunk is a chunk of a file. Its content has length bytes at offset body.
type chunk struct {
	kind   string
	body   int64
	length int64
}

func (c chunk) end() int64 { return c.body + c.length + 4 } // after the checksum

// next reads the header of the chunk at an offset.
func next(r io.ReaderAt, at int64) (chunk, error) {
	var head [8]byte
	if _, err := io.ReadFull(io.NewSectionReader(r, at, 8), head[:]); err != nil {
		return chunk{}, err
	}
	c := chunk{string(head[4:]), at + 8, int64(binary.BigEndian.Uint32(head[:]))}
	if c.length >= 1<<31 {
		return chunk{}, errFormat
	}
	return c, nil
}

// read returns the bytes of a chunk, with header and checksum. The error is
// errFormat if the checksum is wrong.
func (c chunk) read(r *io.SectionReader) ([]byte, error) {
	if c.end() > r.Size() {
		return nil, io.ErrUnexpectedEOF
	}
	raw := make([]byte, 8+c.length+4)
	if _, err := io.ReadFull(io.NewSectionReader(r, c.body-8, int64(len(raw))), raw); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(raw[4:len(raw)-4]) != binary.BigEndian.Uint32(raw[len(raw)-4:]) {
		return nil, errFormat
	}
	return raw, nil
}

// Read reads the chunks up to the first one of the pixels. It returns an error if
// it cannot; the decoder then finds out whether the file is damaged.
func Read(r *io.SectionReader) (*Info, error) {
	info := &Info{}
	at := int64(len(Signature))
	for range maxChunks {
		c, err := next(r, at)
		if err != nil {
			return nil, err
		}
		switch c.kind {
		case "IDAT", "IEND":
			if info.body == 0 {
				info.body = at
			}
			if info.header == nil {
				return nil, errFormat
			}
			return info, nil
		case "IHDR", "PLTE", "tRNS", "cICP", "iCCP", "sRGB", "gAMA", "cHRM", "eXIf":
			if c.length > maxKept-int64(len(info.palette)+len(info.colours)) {
				return nil, errFormat
			}
			// A chunk with a wrong checksum is ignored, as by libpng.
			if raw, err := c.read(r); err == nil {
				info.take(c.kind, raw)
			} else if !errors.Is(err, errFormat) {
				return nil, err
			}
		case "acTL":
			info.animated = true
		case "fcTL":
			if info.body == 0 {
				info.body = at
			}
		}
		at = c.end()
	}
	return nil, errFormat
}

// take records the content of a chunk. Of several of a kind the first is used.
func (info *Info) take(kind string, raw []byte) {
	data := raw[8 : len(raw)-4]
	number := func(i int) float64 { return float64(binary.BigEndian.Uint32(data[i*4:])) / 100_000 }
	switch {
	case kind == "IHDR":
		if len(data) == 13 && info.header == nil {
			info.header = data
			info.Width, info.Height = int(binary.BigEndian.Uint32(data)), int(binary.BigEndian.Uint32(data[4:]))
		}
		return
	case kind == "cICP" && len(data) == 4 && info.cicp == nil:
		if data[2] == 0 { // samples are RGB: there is no matrix
			info.cicp = &colour.CICP{Primaries: data[0], Transfer: data[1], NarrowRange: data[3] == 0}
		}
	case kind == "iCCP":
		info.HasProfile = true
	case kind == "sRGB":
		info.srgb = true
	case kind == "gAMA" && len(data) == 4 && info.gamma == 0:
		info.gamma = number(0)
	case kind == "cHRM" && len(data) == 32 && info.primaries == nil:
		xy := func(i int) colour.XY { return colour.XY{X: number(i), Y: number(i + 1)} }
		info.primaries = &colour.Primaries{White: xy(0), Red: xy(2), Green: xy(4), Blue: xy(6)}
	}
	if kind == "PLTE" || kind == "tRNS" {
		info.palette = append(info.palette, raw...)
		return
	}
	info.colours = append(info.colours, raw...)
}

// Signal returns the colour encoding of the samples, and whether they must be
// converted. It uses the first that is present of cICP, iCCP, sRGB, and gAMA with
// cHRM, as the third edition of the PNG specification says.
func (info *Info) Signal() (s colour.Signal, convert bool) {
	switch {
	case info.cicp != nil:
		s = info.cicp.Signal()
		return s, info.HasProfile || !s.SRGB() // the profile must not be applied
	case info.HasProfile, info.srgb:
		return colour.Signal{}, false
	}
	s = colour.Gamma(info.gamma, info.primaries)
	return s, !s.SRGB()
}
