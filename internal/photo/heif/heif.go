// Package heif reads what a HEIF or AVIF file says of its pictures, and rewrites
// what an old libheif does not take. It decodes nothing.
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

// What is read of a file at most. Photos need a hundredth of it.
const (
	maxTopBoxes = 1000
	maxMeta     = 8 << 20 // bytes
	maxItems    = 1 << 16
)

// errFormat says that the boxes are not as they must be, or are too many.
var errFormat = errors.New("its boxes are damaged or too many")

// ErrSequence says that a file has frames of a film (a track) and no still picture.
var ErrSequence = errors.New("it is a sequence of pictures without a still one")

// File is what is known of a file after Read.
type File struct {
	size    int64  // of the file, in bytes
	brand   string // what the file calls itself first
	meta    span   // with header
	toEnd   int64  // where the box begins whose size is 0, which means to the end of the file; -1: none does
	content []byte // of meta, after its version and flags
	boxes   []box  // in content

	primary      uint32
	primaryBox   box
	types        map[uint32]string // of items
	references   []reference
	referenceBox box
	wide         bool // references have numbers of 32 bits
}

// reference says that an item is something, such as "auxl" (auxiliary), to others.
type reference struct {
	kind string
	from uint32
	to   []uint32
}

// Read reads the boxes of a file of that many bytes. Errors of r are passed on.
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
				return nil, errFormat // there is one at most
			}
			err = f.readReferences(b)
		}
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// findMeta goes from box to box at the top and takes the content of "meta".
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
			break // what follows the last box may be anything
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

// Coded returns the type of the main item if it is none that each libheif knows as a
// picture, such as "jpeg" or "unci", and "" otherwise.
func (f *File) Coded() string {
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
	if c.bad {
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
			continue // of another time: has no type
		}
		id := c.number(version > 2)
		c.take(2) // protection
		kind := string(c.take(4))
		if c.bad || len(f.types) > maxItems {
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
	if c.bad {
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
			if c.bad {
				return errFormat
			}
		}
		if c.bad || len(f.references) > maxItems {
			return errFormat
		}
		f.references = append(f.references, ref)
	}
	return nil
}

// referred returns the first item that an item refers to in a way, or 0.
func (f *File) referred(kind string, from uint32) uint32 {
	for _, r := range f.references {
		if r.kind == kind && r.from == from && len(r.to) > 0 {
			return r.to[0]
		}
	}
	return 0
}

// CICP returns the code points of the main picture: those of a "colr" box of
// the type nclx or else those in the headers of its codec. A picture made of
// others that signals none has those of the first of them, as in libheif.
func (f *File) CICP() (cicp colour.CICP, ok bool) {
	own, first := f.properties(f.primary), []property(nil)
	if tile := f.referred("dimg", f.primary); tile != 0 {
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
		// The matrix and the range, which follow, are the decoder's business.
		if p.kind == "colr" && len(p.data) >= 11 && string(p.data[:4]) == "nclx" && p.data[4] == 0 && p.data[6] == 0 {
			return colour.CICP{Primaries: p.data[5], Transfer: p.data[7]}, true
		}
	}
	return colour.CICP{}, false
}

// Profile reports whether the main picture, or the first that it is made of, has
// an ICC profile.
func (f *File) Profile() bool {
	for _, item := range []uint32{f.primary, f.referred("dimg", f.primary)} {
		for _, p := range f.properties(item) {
			if p.kind == "colr" && len(p.data) > 4 && (string(p.data[:4]) == "prof" || string(p.data[:4]) == "rICC") {
				return true
			}
		}
	}
	return false
}
