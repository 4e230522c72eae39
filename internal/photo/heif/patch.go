package heif

import (
	"encoding/binary"
	"slices"
)

// Patch is a list of changes to a file: bytes that are replaced, and bytes that are
// appended. All other bytes keep their offsets, so references into the file stay
// valid.
type Patch struct {
	Replace []Replacement
	Append  []byte
}

// Replacement is four new bytes at an offset in the file.
type Replacement struct {
	At    int64
	Bytes [4]byte
}

// pictures are the types of items that libheif before 1.18 treats as pictures.
var pictures = map[string]bool{"hvc1": true, "av01": true, "vvc1": true, "grid": true, "iden": true, "iovl": true}

// brands are the major brands that libvips 8.14 recognises.
var brands = map[string]bool{"heic": true, "heix": true, "hevc": true, "heim": true, "heis": true, "hevm": true, "hevs": true,
	"mif1": true, "msf1": true, "avif": true}

// Patch returns the changes with which libheif before 1.18 and libvips 8.14 accept
// the file. It returns nil if they accept it as it is, or if no change would help.
// Photos of iOS 18, other photos with a gain map, and animated AVIFs need it:
//
//   - An auxiliary picture, a thumbnail or metadata that belongs to several items
//     gets a separate reference to each. A reference to a tone map ("tmap") is
//     replaced by one to the picture that it applies to. References to other items
//     that such a libheif does not treat as pictures are removed.
//
//   - If the main item is a tone map, the picture that it applies to becomes the
//     main item.
//
//   - A brand that libvips does not recognise is replaced by that of the main
//     picture's codec.
//
// The new "meta" box is appended to the file, and the old one is renamed.
func (f *File) Patch() *Patch {
	references, changed := f.oldReferences()
	primary := f.primary
	if f.types[primary] == "tmap" {
		if base := f.firstTarget("dimg", primary); pictures[f.types[base]] && base < 1<<16 {
			primary, changed = base, true
		}
	}
	p := &Patch{}
	if f.brand != "" && !brands[f.brand] && pictures[f.types[primary]] {
		brand := Replacement{At: 8}
		copy(brand.Bytes[:], "heic")
		if f.types[primary] == "av01" {
			copy(brand.Bytes[:], "avif")
		}
		p.Replace = append(p.Replace, brand)
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
	if f.toEnd >= 0 { // this box would extend over the appended one
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

// maxTargets is how many items a reference may have; photos have two or three.
const maxTargets = 16

// oldReferences returns the references in a form that an old libheif accepts, and
// whether they differ from the file's.
func (f *File) oldReferences() (list []reference, changed bool) {
	bases := make(map[uint32]uint32) // the pictures that tone maps apply to
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
		// libheif reads metadata references ("cdsc") of any item, the others only of pictures.
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

// rewritten returns the "meta" box with these references and this main item.
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

// appendHeader appends the header of a box. Its length is set later by setLength.
func appendHeader(out []byte, kind string) []byte {
	return append(append(out, 0, 0, 0, 0), kind...)
}

// setLength sets the length of the box that begins at start and ends with out.
func setLength(out []byte, start int) {
	binary.BigEndian.PutUint32(out[start:], uint32(len(out)-start))
}
