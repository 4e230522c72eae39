package heif

// Part is a range of the file that holds coded data of a picture.
type Part struct {
	At, Length int64  // bytes
	Codec      string // the item's type: hvc1, av01 and so on
}

// Parts returns where the coded data of the main picture are or, if it is composed
// of other pictures, those of these. Data in the "idat" box or in another file are
// left out, and so are damaged entries.
func (f *File) Parts() (list []Part) {
	inputs := make(map[uint32][]uint32) // the items that an item is composed of
	for _, r := range f.references {
		if r.kind == "dimg" {
			inputs[r.from] = append(inputs[r.from], r.to...)
		}
	}
	wanted, queue := make(map[uint32]bool), []uint32{f.primary}
	for len(queue) > 0 {
		item := queue[0]
		if queue = queue[1:]; wanted[item] {
			continue
		}
		wanted[item] = true
		queue = append(queue, inputs[item]...)
	}
	for _, b := range f.boxes {
		if b.kind == "iloc" {
			list = append(list, f.locations(b.content(f.content), wanted)...)
		}
	}
	return list
}

// locations reads the places of the wanted items in an "iloc" box.
func (f *File) locations(iloc []byte, wanted map[uint32]bool) (list []Part) {
	c := cursor{data: iloc}
	version := c.version()
	sizes := c.take(2)
	wide := version == 2
	for range c.number(wide) {
		item, method := c.number(wide), uint32(0)
		if version > 0 {
			method = c.number(false) & 0x0f
		}
		elsewhere := c.number(false) != 0 || method != 0
		base := c.sized(sizes[1] >> 4)
		extents := c.number(false)
		for range extents {
			if version > 0 {
				c.sized(sizes[1] & 0x0f)
			}
			at, length := base+c.sized(sizes[0]>>4), c.sized(sizes[0]&0x0f)
			if c.overrun || len(list) == maxItems {
				return list
			}
			if length == 0 && extents == 1 { // to the end of the file
				length = f.size - at
			}
			if wanted[item] && !elsewhere && at > 0 && length > 0 && length <= f.size-at {
				list = append(list, Part{at, length, f.types[item]})
			}
		}
		if c.overrun {
			break
		}
	}
	return list
}

// sized reads a number of 0, 4 or 8 bytes.
func (c *cursor) sized(bytes byte) (n int64) {
	if bytes != 0 && bytes != 4 && bytes != 8 {
		c.overrun = true
		return 0
	}
	for _, b := range c.take(int(bytes)) {
		n = n<<8 | int64(b)
	}
	return n
}

// shown are the properties that decide how coded data are shown: size, turning, mirroring, cropping, colours, codec.
var shown = map[string]bool{
	"ispe": true, "irot": true, "imir": true, "clap": true, "colr": true, "pixi": true, "hvcC": true, "av1C": true,
}

// Appearance returns the properties that decide how the coded data of the main picture are shown: its own and those of the first
// picture that it is composed of.
func (f *File) Appearance() (out []byte) {
	for _, item := range []uint32{f.primary, f.firstTarget("dimg", f.primary)} {
		for _, p := range f.properties(item) {
			if shown[p.kind] {
				out = append(append(out, p.kind...), p.data...)
			}
		}
	}
	return out
}
