// Package tifftest writes TIFF files for tests: samples of any width and kind,
// strips and tiles, planes, several pages, SubIFDs, both byte orders and BigTIFF.
package tifftest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"slices"
)

// The types of values.
const (
	Byte      = 1
	Short     = 3
	Long      = 4
	Rational  = 5
	Undefined = 7
	IFD       = 13
	Long8     = 16
)

// Tag is an entry of a directory. Of Rational, two values make one.
type Tag struct {
	Tag, Type int
	Values    []uint64
}

// Picture is a page or a SubIFD. What is zero is left out of the file where the
// specification has the same default.
type Picture struct {
	Width, Height int
	Photometric   int
	Bits          int // 0: 8
	Samples       int // 0: 1
	Format        int
	Extra         []int
	Orientation   int
	Subfile       int
	Compression   int // 0: none; 8: deflate; of others Chunk makes the bytes
	Planar        bool
	Tile          int // the side of square tiles; 0: strips
	Rows          int // of a strip; 0: all
	Tags          []Tag
	Without       []int // tags to leave out

	// At gives the samples of a pixel as the bits they have in the file.
	At func(x, y int, samples []uint64)
	// Chunk, if not nil, makes a strip or tile in place of At.
	Chunk func(x, y, width, height int) []byte

	SubIFDs []Picture
}

type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

type writer struct {
	order order
	big   bool
	buf   []byte
}

// Encode makes a file of the pages.
func Encode(bigEndian, bigTIFF bool, pages ...Picture) []byte {
	w := &writer{order: binary.LittleEndian, big: bigTIFF}
	mark := "II"
	if bigEndian {
		w.order, mark = binary.BigEndian, "MM"
	}
	w.buf = append(w.buf, mark...)
	if bigTIFF {
		w.short(43)
		w.short(8)
		w.short(0)
	} else {
		w.short(42)
	}
	link := w.link()
	for _, p := range pages {
		at, next := w.picture(p)
		w.point(link, at)
		link = next
	}
	return w.buf
}

func (w *writer) short(v int) { w.buf = w.order.AppendUint16(w.buf, uint16(v)) }

// link leaves room for an offset, which point fills.
func (w *writer) link() int {
	at := len(w.buf)
	w.buf = w.offset(w.buf, 0)
	return at
}

func (w *writer) point(link, to int) { copy(w.buf[link:], w.offset(nil, uint64(to))) }

func (w *writer) offset(b []byte, v uint64) []byte {
	if w.big {
		return w.order.AppendUint64(b, v)
	}
	return w.order.AppendUint32(b, uint32(v))
}

// picture writes a picture and its directory, and returns where this is and
// where the link to the next is.
func (w *writer) picture(p Picture) (at, next int) {
	p.Bits, p.Samples, p.Compression = max(p.Bits, 1+7*b2i(p.Bits == 0)), max(p.Samples, 1), max(p.Compression, 1)
	width, rows := p.Width, p.Rows
	if rows == 0 {
		rows = p.Height
	}
	if p.Tile > 0 {
		width, rows = p.Tile, p.Tile
	}
	var offsets, counts []uint64
	for plane := range max(1, p.Samples*b2i(p.Planar)) {
		for y := 0; y < p.Height; y += rows {
			for x := 0; x < p.Width; x += width {
				h := rows
				if p.Tile == 0 {
					h = min(rows, p.Height-y)
				}
				data := w.chunk(&p, x, y, width, h, plane)
				offsets, counts = append(offsets, uint64(len(w.buf))), append(counts, uint64(len(data)))
				w.buf = append(w.buf, data...)
				w.buf = append(w.buf, make([]byte, len(w.buf)&1)...)
			}
		}
	}
	tags := p.tags(rows, offsets, counts)
	if len(p.SubIFDs) > 0 {
		subs := Tag{330, IFD, nil}
		for _, s := range p.SubIFDs {
			at, _ := w.picture(s)
			subs.Values = append(subs.Values, uint64(at))
		}
		tags = append(tags, subs)
	}
	return w.directory(tags)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *Picture) tags(rows int, offsets, counts []uint64) []Tag {
	one := func(tag, typ, v int) Tag { return Tag{tag, typ, []uint64{uint64(v)}} }
	each := func(tag, v int) Tag { return Tag{tag, Short, slices.Repeat([]uint64{uint64(v)}, p.Samples)} }
	tags := []Tag{one(256, Long, p.Width), one(257, Long, p.Height), each(258, p.Bits), one(259, Short, p.Compression),
		one(262, Short, p.Photometric), one(277, Short, p.Samples)}
	if p.Tile > 0 {
		tags = append(tags, one(322, Long, p.Tile), one(323, Long, p.Tile), Tag{324, Long, offsets}, Tag{325, Long, counts})
	} else {
		tags = append(tags, Tag{273, Long, offsets}, one(278, Long, rows), Tag{279, Long, counts})
	}
	if p.Format != 0 {
		tags = append(tags, each(339, p.Format))
	}
	if p.Extra != nil {
		t := Tag{338, Short, nil}
		for _, v := range p.Extra {
			t.Values = append(t.Values, uint64(v))
		}
		tags = append(tags, t)
	}
	if p.Orientation != 0 {
		tags = append(tags, one(274, Short, p.Orientation))
	}
	if p.Subfile != 0 {
		tags = append(tags, one(254, Long, p.Subfile))
	}
	if p.Planar {
		tags = append(tags, one(284, Short, 2))
	}
	given := func(t Tag) bool {
		return slices.Contains(p.Without, t.Tag) || slices.ContainsFunc(p.Tags, func(g Tag) bool { return g.Tag == t.Tag })
	}
	return append(slices.DeleteFunc(tags, given), p.Tags...)
}

// directory writes one, its tags in order.
func (w *writer) directory(tags []Tag) (at, next int) {
	slices.SortStableFunc(tags, func(a, b Tag) int { return a.Tag - b.Tag })
	widths := map[int]int{Byte: 1, Short: 2, Long: 4, Rational: 4, Undefined: 1, IFD: 4, Long8: 8}
	values := make([][]byte, len(tags))
	for i, t := range tags {
		for _, v := range t.Values {
			values[i] = w.number(values[i], v, widths[t.Type])
		}
	}
	inline := len(w.offset(nil, 0))
	var places []uint64
	for _, v := range values {
		places = append(places, uint64(len(w.buf)))
		if len(v) > inline {
			w.buf = append(w.buf, v...)
			w.buf = append(w.buf, make([]byte, len(w.buf)&1)...)
		}
	}
	at = len(w.buf)
	if w.big {
		w.buf = w.order.AppendUint64(w.buf, uint64(len(tags)))
	} else {
		w.short(len(tags))
	}
	for i, t := range tags {
		w.short(t.Tag)
		w.short(t.Type)
		n := len(t.Values)
		if t.Type == Rational {
			n /= 2
		}
		w.buf = w.offset(w.buf, uint64(n))
		if len(values[i]) > inline {
			w.buf = w.offset(w.buf, places[i])
		} else {
			w.buf = append(w.buf, append(values[i], make([]byte, inline-len(values[i]))...)...)
		}
	}
	return at, w.link()
}

// number writes a number of so many bytes.
func (w *writer) number(b []byte, v uint64, width int) []byte {
	switch width {
	case 1:
		return append(b, byte(v))
	case 2:
		return w.order.AppendUint16(b, uint16(v))
	case 3:
		if w.order == order(binary.BigEndian) {
			return append(b, byte(v>>16), byte(v>>8), byte(v))
		}
		return append(b, byte(v), byte(v>>8), byte(v>>16))
	case 4:
		return w.order.AppendUint32(b, uint32(v))
	}
	return w.order.AppendUint64(b, v)
}

// chunk makes a strip or tile; pixels outside the picture are zero.
func (w *writer) chunk(p *Picture, x0, y0, width, height, plane int) []byte {
	if p.Chunk != nil {
		return p.Chunk(x0, y0, width, height)
	}
	var out []byte
	samples := make([]uint64, p.Samples)
	for y := y0; y < y0+height; y++ {
		var bits, count uint
		for x := x0; x < x0+width; x++ {
			clear(samples)
			if x < p.Width && y < p.Height {
				p.At(x, y, samples)
			}
			for i, v := range samples {
				switch {
				case p.Planar && i != plane:
				case p.Bits%8 == 0:
					out = w.number(out, v, p.Bits/8)
				default: // the highest bits first, whatever the byte order
					for b := p.Bits - 1; b >= 0; b-- {
						bits, count = bits<<1|uint(v>>b&1), count+1
						if count%8 == 0 {
							out = append(out, byte(bits))
						}
					}
				}
			}
		}
		if count%8 != 0 {
			out = append(out, byte(bits<<(8-count%8)))
		}
	}
	if p.Compression == 8 {
		return Deflate(out)
	}
	return out
}

// Deflate compresses as compression 8 does.
func Deflate(data []byte) []byte {
	var buf bytes.Buffer
	z := zlib.NewWriter(&buf)
	z.Write(data)
	z.Close()
	return buf.Bytes()
}

// Small is a number as a floating-point sample of 16 or 24 bits has it.
func Small(v float64, bits int) uint64 {
	exponentBits, fractionBits := 5, 10
	if bits == 24 {
		exponentBits, fractionBits = 7, 16
	}
	bias := 1<<(exponentBits-1) - 1
	sign := uint64(0)
	if v < 0 {
		sign, v = 1<<(bits-1), -v
	}
	if v == 0 {
		return sign
	}
	fraction, exponent := math.Frexp(v) // 0.5 to 1
	e := max(exponent-1+bias, 0)
	if e == 0 {
		return sign | uint64(math.Round(math.Ldexp(v, bias-1+fractionBits)))
	}
	return sign | uint64(e)<<fractionBits + uint64(math.Round((fraction*2-1)*float64(int(1)<<fractionBits)))
}
