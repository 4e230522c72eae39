package heif

import (
	"encoding/binary"
	"slices"
)

// Patch is a file of which some bytes are replaced and some follow its end.
// Nothing moves, so what points into the file stays right.
type Patch struct {
	Replace []Replacement
	Append  []byte
}

// Replacement is four bytes at an offset in the file.
type Replacement struct {
	At    int64
	Bytes [4]byte
}

// pictures are the types of items that libheif took for pictures before 1.18.
var pictures = map[string]bool{"hvc1": true, "av01": true, "vvc1": true, "grid": true, "iden": true, "iovl": true}

// brands are the names that libvips 8.14 knows files by, if they come first.
var brands = map[string]bool{"heic": true, "heix": true, "hevc": true, "heim": true, "heis": true, "hevm": true, "hevs": true,
	"mif1": true, "msf1": true, "avif": true}

// Patch returns how the file must be changed for a libheif before 1.18 and
// libvips 8.14, or nil if they would take the file as it is, or nothing can be
// done. Photos of iOS 18 and others with a gain map need it, and animated AVIFs:
//
//   - An auxiliary picture, a thumbnail or metadata that belongs to several
//     items gets a reference to each. Instead of a tone map ("tmap") it belongs to
//     the picture that this is made of. Other targets that such a libheif does
//     not know as pictures are left out.
//
//   - If the main item is a tone map, the picture that it is to be applied to becomes it.
//
//   - A brand that libvips does not know is replaced by that of the main picture's kind.
//
// The new "meta" follows the end of the file, and the old one is renamed.
func (f *File) Patch() *Patch {
	references, changed := f.oldReferences()
	primary := f.primary
	if f.types[primary] == "tmap" {
		if base := f.referred("dimg", primary); pictures[f.types[base]] && base < 1<<16 {
			primary, changed = base, true
		}
	}
	p := &Patch{}
	if f.brand != "" && !brands[f.brand] && pictures[f.types[primary]] {
		as := Replacement{At: 8}
		copy(as.Bytes[:], "heic")
		if f.types[primary] == "av01" {
			copy(as.Bytes[:], "avif")
		}
		p.Replace = append(p.Replace, as)
	}
	switch {
	case !changed && p.Replace == nil:
		return nil
	case !changed:
		return p
	}
	rename := Replacement{At: f.meta.at + 4}
	copy(rename.Bytes[:], "free")
	p.Replace = append(p.Replace, rename)
	if f.toEnd >= 0 { // else what follows would belong to that box
		length := f.size - f.toEnd
		if length >= 1<<32 {
			return nil
		}
		end := Replacement{At: f.toEnd}
		binary.BigEndian.PutUint32(end.Bytes[:], uint32(length))
		p.Replace = append(p.Replace, end)
	}
	p.Append = f.rewritten(references, primary)
	return p
}

// maxTargets is how many items an item can belong to; photos have two or three.
const maxTargets = 16

// oldReferences returns references as an old libheif takes them, and whether
// they differ from the file's.
func (f *File) oldReferences() (list []reference, changed bool) {
	bases := make(map[uint32]uint32) // of tone maps
	for _, r := range f.references {
		if r.kind == "dimg" && f.types[r.from] == "tmap" && len(r.to) > 0 {
			bases[r.from] = r.to[0]
		}
	}
	for _, r := range f.references {
		switch r.kind {
		case "auxl", "thmb", "cdsc":
		default:
			list = append(list, r)
			continue
		}
		// Of metadata any item may be the source; the others are only looked at in pictures.
		if r.kind != "cdsc" && !pictures[f.types[r.from]] {
			list = append(list, r)
			continue
		}
		var kept []uint32
		for _, id := range r.to {
			if base, ok := bases[id]; ok {
				id = base
			}
			if len(kept) < maxTargets && pictures[f.types[id]] && id != r.from && !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
		if len(kept) != 1 || len(r.to) != 1 || kept[0] != r.to[0] {
			changed = true
		}
		for _, id := range kept {
			list = append(list, reference{r.kind, r.from, []uint32{id}})
		}
	}
	return list, changed
}

// rewritten returns a "meta" box with other references and another main item.
func (f *File) rewritten(references []reference, primary uint32) []byte {
	number := func(out []byte, n uint32) []byte {
		if f.wide {
			return binary.BigEndian.AppendUint32(out, n)
		}
		return binary.BigEndian.AppendUint16(out, uint16(n))
	}
	out := appendHeader(nil, "meta")
	out = append(out, 0, 0, 0, 0) // version and flags
	for _, b := range f.boxes {
		start := len(out)
		if b != f.referenceBox {
			out = append(out, f.content[b.start:b.end]...)
			if b == f.primaryBox {
				at := start + b.body - b.start + 4 // after version and flags
				if b.content(f.content)[0] > 0 {
					binary.BigEndian.PutUint32(out[at:], primary)
				} else {
					binary.BigEndian.PutUint16(out[at:], uint16(primary))
				}
			}
			continue
		}
		out = appendHeader(out, "iref")
		out = append(out, b.content(f.content)[:4]...)
		for _, r := range references {
			at := len(out)
			out = number(appendHeader(out, r.kind), r.from)
			out = binary.BigEndian.AppendUint16(out, uint16(len(r.to)))
			for _, id := range r.to {
				out = number(out, id)
			}
			setLength(out, at)
		}
		setLength(out, start)
	}
	setLength(out, 0)
	return out
}

// appendHeader begins a box, whose length setLength sets when it ends.
func appendHeader(out []byte, kind string) []byte {
	return append(append(out, 0, 0, 0, 0), kind...)
}

func setLength(out []byte, start int) {
	binary.BigEndian.PutUint32(out[start:], uint32(len(out)-start))
}
