package heif

import "encoding/binary"

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// span is a part of the file.
type span struct{ at, length int64 }

// box is a box in a piece of memory: at start its header, which ends at body.
type box struct {
	kind             string
	start, body, end int
}

func (b box) content(in []byte) []byte { return in[b.body:b.end] }

// parseHeader reads the header of a box that has at most room bytes.
func parseHeader(head []byte, room int64) (header, length int64, kind string, ok bool) {
	if len(head) < 8 {
		return 0, 0, "", false
	}
	header, length, kind = 8, int64(be32(head)), string(head[4:8])
	switch length {
	case 0: // to the end
		length = room
	case 1:
		if len(head) < 16 {
			return 0, 0, "", false
		}
		long := binary.BigEndian.Uint64(head[8:])
		if long > uint64(room) {
			return 0, 0, "", false
		}
		header, length = 16, int64(long)
	}
	return header, length, kind, length >= header && length <= room
}

// boxesIn returns the boxes that data consists of. Less than a header at the
// end is left out.
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

// cursor reads numbers one after another. After one that is not there it is bad
// and reads zeros.
type cursor struct {
	data []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || len(c.data) < n {
		c.bad = true
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

// version reads the version of a box, and its flags, which are left out.
func (c *cursor) version() byte { return c.take(4)[0] }

func (c *cursor) err() error {
	if c.bad {
		return errFormat
	}
	return nil
}

// property is a box of "ipco" that belongs to an item.
type property struct {
	kind string
	data []byte
}

// properties returns those of an item; those that are damaged are left out.
func (f *File) properties(item uint32) (list []property) {
	for _, b := range f.boxes {
		if b.kind != "iprp" {
			continue
		}
		data := b.content(f.content)
		parts, _ := boxesIn(data)
		var all []property
		for _, p := range parts {
			if p.kind == "ipco" {
				in := p.content(data)
				boxes, _ := boxesIn(in)
				for _, b := range boxes {
					all = append(all, property{b.kind, b.content(in)})
				}
			}
		}
		for _, p := range parts {
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

// associations returns the numbers, from 1, of an item's properties.
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
			if id == item && !c.bad {
				list = append(list, index)
			}
		}
		if c.bad {
			break
		}
	}
	return list
}
