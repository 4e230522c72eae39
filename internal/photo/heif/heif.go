// Package heif reads the metadata of the pictures in a HEIF or AVIF file: colours,
// and where the coded data are. It also rewrites metadata that old versions of
// libheif refuse. It does not decode pictures.
//
// A file is a list of boxes (ISO/IEC 14496-12). One of them, "meta", lists the
// items: coded pictures, grids of them, auxiliary pictures such as alpha
// and gain maps, and Exif. References in its "iref" say what belongs to what
// (ISO/IEC 23008-12).
package heif

import (
	"errors"
	"io"

	"photodesc/internal/photo/colour"
)

// Limits of what is read of a file. Photos need a hundredth of it.
const (
	maxTopBoxes = 1000
	maxMeta     = 8 << 20 // bytes
	maxItems    = 1 << 16
)

// errFormat means that boxes are invalid or too many.
var errFormat = errors.New("its boxes are damaged or too many")

// ErrSequence means that a file has a track of frames but no still picture.
var ErrSequence = errors.New("it is an image sequence without a still picture")

// File holds the metadata of a file.
type File struct {
	size    int64  // of the file, in bytes
	brand   string // the major brand
	meta    span   // the "meta" box with its header
	toEnd   int64  // the offset of a box of size 0, which extends to the end of the file; -1 if there is none
	content []byte // of meta, after its version and flags
	boxes   []box  // in content

	primary      uint32
	primaryBox   box
	types        map[uint32]string // of items
	references   []reference
	referenceBox box
	wide         bool // references have item IDs of 32 bits
}

// reference is a relation of one item to others, such as "auxl" (auxiliary of).
type reference struct {
	kind string
	from uint32
	to   []uint32
}

// Read reads the boxes of a file of size bytes. It returns errors of r as they are.
func Read(r io.ReaderAt, size int64) (*File, error) {
	f := &File{size: size, toEnd: -1, types: make(map[uint32]string)}
	if err := f.findMeta(r); err != nil {
		return nil, err
	}
	var err error
	if f.boxes, err = boxesIn(f.content); err != nil {
		return nil, err
	}
	for _, b := range f.boxes {
		switch b.kind {
		case "pitm":
			err = f.readPrimary(b)
		case "iinf":
			err = f.readItems(b)
		case "iref":
			if f.referenceBox != (box{}) {
				return nil, errFormat // there must not be two
			}
			err = f.readReferences(b)
		}
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// findMeta walks the top-level boxes and reads the content of "meta".
func (f *File) findMeta(r io.ReaderAt) error {
	track := false
	for at, n := int64(0), 0; at+8 <= f.size; n++ {
		if n == maxTopBoxes {
			return errFormat
		}
		head := make([]byte, min(16, f.size-at))
		if _, err := io.ReadFull(io.NewSectionReader(r, at, int64(len(head))), head); err != nil {
			return err
		}
		header, length, kind, ok := parseHeader(head, f.size-at)
		if !ok {
			break // anything may follow the last box
		}
		if be32(head) == 0 {
			f.toEnd = at
		}
		switch {
		case kind == "ftyp" && at == 0 && header == 8 && len(head) >= 12:
			f.brand = string(head[8:12])
		case kind == "moov":
			track = true
		case kind == "meta":
			if length-header < 4 || length > maxMeta {
				return errFormat
			}
			f.meta = span{at, length}
			f.content = make([]byte, length-header)
			if _, err := io.ReadFull(io.NewSectionReader(r, at+header, length-header), f.content); err != nil {
				return err
			}
			f.content = f.content[4:] // version and flags
		}
		at += length
	}
	if f.content == nil && track {
		return ErrSequence
	}
	if f.content == nil {
		return errFormat
	}
	return nil
}

// UncommonType returns the type of the main item, such as "jpeg" or "unci", if not
// every version of libheif decodes items of this type, and "" otherwise.
func (f *File) UncommonType() string {
	if t := f.types[f.primary]; !pictures[t] && t != "tmap" {
		return t
	}
	return ""
}

func (f *File) readPrimary(b box) error {
	c := cursor{data: b.content(f.content)}
	version := c.version()
	f.primary = c.number(version > 0)
	f.primaryBox = b
	return c.err()
}

func (f *File) readItems(b box) error {
	data := b.content(f.content)
	c := cursor{data: data}
	c.number(c.version() > 0) // how many there are
	if c.overrun {
		return errFormat
	}
	entries, err := boxesIn(c.data)
	if err != nil || len(entries) > maxItems {
		return errFormat
	}
	for _, e := range entries {
		if e.kind != "infe" {
			continue
		}
		c := cursor{data: e.content(c.data)}
		version := c.version()
		if version < 2 {
			continue // entries of old versions have no type
		}
		id := c.number(version > 2)
		c.take(2) // protection index
		kind := string(c.take(4))
		if c.overrun || len(f.types) > maxItems {
			return errFormat
		}
		f.types[id] = kind
	}
	return nil
}

func (f *File) readReferences(b box) error {
	data := b.content(f.content)
	c := cursor{data: data}
	f.wide, f.referenceBox = c.version() > 0, b
	if c.overrun {
		return errFormat
	}
	list, err := boxesIn(c.data)
	if err != nil || len(list) > maxItems {
		return errFormat
	}
	for _, e := range list {
		c := cursor{data: e.content(c.data)}
		ref := reference{kind: e.kind, from: c.number(f.wide)}
		for range c.number(false) {
			ref.to = append(ref.to, c.number(f.wide))
			if c.overrun {
				return errFormat
			}
		}
		if c.overrun || len(f.references) > maxItems {
			return errFormat
		}
		f.references = append(f.references, ref)
	}
	return nil
}

// firstTarget returns the first item that an item has a reference of this kind to, or 0.
func (f *File) firstTarget(kind string, from uint32) uint32 {
	for _, r := range f.references {
		if r.kind == kind && r.from == from && len(r.to) > 0 {
			return r.to[0]
		}
	}
	return 0
}

// CICP returns the code points of the main picture: those of a "colr" box of type
// nclx, or else those in the headers of its codec. A picture that is composed of
// others and has none itself has those of the first of them, as in libheif.
func (f *File) CICP() (cicp colour.CICP, ok bool) {
	own, first := f.properties(f.primary), []property(nil)
	if tile := f.firstTarget("dimg", f.primary); tile != 0 {
		first = f.properties(tile)
	}
	for _, from := range []func([]property) (colour.CICP, bool){nclx, fromCodec} {
		for _, properties := range [][]property{own, first} {
			if cicp, ok := from(properties); ok && cicp.Specified() {
				return cicp, true
			}
		}
	}
	return colour.CICP{}, false
}

func nclx(properties []property) (cicp colour.CICP, ok bool) {
	for _, p := range properties {
		// The decoder applies the matrix and the range, which follow.
		if p.kind == "colr" && len(p.data) >= 11 && string(p.data[:4]) == "nclx" && p.data[4] == 0 && p.data[6] == 0 {
			return colour.CICP{Primaries: p.data[5], Transfer: p.data[7]}, true
		}
	}
	return colour.CICP{}, false
}

// HasProfile reports whether the main picture, or the first that it is composed
// of, has an ICC profile.
func (f *File) HasProfile() bool {
	for _, item := range []uint32{f.primary, f.firstTarget("dimg", f.primary)} {
		for _, p := range f.properties(item) {
			if p.kind == "colr" && len(p.data) > 4 && (string(p.data[:4]) == "prof" || string(p.data[:4]) == "rICC") {
				return true
			}
		}
	}
	return false
}
