package heif

import "encoding/binary"

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// span is a range of bytes of the file.
type span struct{ at, length int64 }

// box is a box in a slice of bytes. Its header begins at start, its content at body.
type box struct {
	kind             string
	start, body, end int
}

// content returns the content of the box in the slice that it was found in.
func (b box) content(in []byte) []byte { return in[b.body:b.end] }

// parseHeader parses the header of a box and returns the length of the header and
// of the whole box. At most available bytes are left for the box.
func parseHeader(head []byte, available int64) (header, length int64, kind string, ok bool) {
	if len(head) < 8 {
		return 0, 0, "", false
	}
	header, length, kind = 8, int64(be32(head)), string(head[4:8])
	switch length {
	case 0: // to the end
		length = available
	case 1:
		if len(head) < 16 {
			return 0, 0, "", false
		}
		long := binary.BigEndian.Uint64(head[8:])
		if long > uint64(available) {
			return 0, 0, "", false
		}
		header, length = 16, int64(long)
	}
	return header, length, kind, length >= header && length <= available
}

// boxesIn returns the boxes that data consists of. Fewer bytes than a header at
// the end are ignored.
func boxesIn(data []byte) ([]box, error) {
	var list []box
	for at := 0; at+8 <= len(data); {
		header, length, kind, ok := parseHeader(data[at:], int64(len(data)-at))
		if !ok || len(list) == maxItems {
			return nil, errFormat
		}
		list = append(list, box{kind, at, at + int(header), at + int(length)})
		at += int(length)
	}
	return list, nil
}

// cursor reads numbers one after another. If the data are too short for one,
// overrun is set, and this and all further numbers are zero.
type cursor struct {
	data    []byte
	overrun bool
}

// take returns the next n bytes.
func (c *cursor) take(n int) []byte {
	if c.overrun || len(c.data) < n {
		c.overrun = true
		return make([]byte, n)
	}
	out := c.data[:n]
	c.data = c.data[n:]
	return out
}

// number reads 32 bits if wide, else 16.
func (c *cursor) number(wide bool) uint32 {
	if wide {
		return be32(c.take(4))
	}
	return uint32(binary.BigEndian.Uint16(c.take(2)))
}

// version reads the version of a box and skips its flags.
func (c *cursor) version() byte { return c.take(4)[0] }

func (c *cursor) err() error {
	if c.overrun {
		return errFormat
	}
	return nil
}

// property is a box of "ipco" that belongs to an item.
type property struct {
	kind string
	data []byte
}

// properties returns the properties of an item, without damaged ones.
func (f *File) properties(item uint32) (list []property) {
	for _, b := range f.boxes {
		if b.kind != "iprp" {
			continue
		}
		data := b.content(f.content)
		children, _ := boxesIn(data)
		var all []property
		for _, p := range children {
			if p.kind == "ipco" {
				in := p.content(data)
				boxes, _ := boxesIn(in)
				for _, b := range boxes {
					all = append(all, property{b.kind, b.content(in)})
				}
			}
		}
		for _, p := range children {
			if p.kind == "ipma" {
				for _, i := range associations(p.content(data), item) {
					if i >= 1 && i <= len(all) {
						list = append(list, all[i-1])
					}
				}
			}
		}
	}
	return list
}

// associations returns the indices, from 1, of an item's properties in "ipco".
func associations(ipma []byte, item uint32) (list []int) {
	c := cursor{data: ipma}
	head := be32(c.take(4))
	wideItem, wideIndex := head>>24 > 0, head&1 != 0
	for range be32(c.take(4)) {
		id := c.number(wideItem)
		for range c.take(1)[0] {
			index := 0
			if wideIndex {
				index = int(c.number(false) & 0x7fff) // the top bit: essential
			} else {
				index = int(c.take(1)[0] & 0x7f)
			}
			if id == item && !c.overrun {
				list = append(list, index)
			}
		}
		if c.overrun {
			break
		}
	}
	return list
}
