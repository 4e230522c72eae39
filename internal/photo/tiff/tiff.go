// Package tiff reads the directories of a TIFF file. It finds the main picture and
// how its samples are to be decoded.
//
// A TIFF may contain thumbnails, masks, pages, channels that are not colours, and
// kinds of samples that decoders misinterpret without an error. So the directories
// are read before the file is decoded. Classic TIFF and BigTIFF are supported, in
// both byte orders.
//
// The package is pure Go, and every step is bounded, since files may be hostile.
package tiff

import (
	"cmp"
	"errors"
	"io"

	"photodesc/internal/photo/ifd"
)

// Limits of what is read of a file's directories, far above what programs write.
// Pages beyond maxPages are never the main picture.
const (
	maxPages   = 256
	maxSubIFDs = 32 // of one page
	maxSamples = 64 // of a pixel
)

// Directory is the directory (IFD) of one picture in a TIFF file. A number that is
// missing in the file has the default of the TIFF specification.
type Directory struct {
	Page   int // the index in the chain of pages, from 0
	SubIFD int // the index among the page's SubIFDs, from 0; -1 for the page itself

	Offset int64 // of the directory in the file, in bytes

	Width, Height int64 // pixels, as stored; 0 if missing

	Subfile    uint32 // NewSubfileType, or the equivalent of the old SubfileType
	Thumbnail  bool   // by Subfile, a reduced copy of another picture
	NoPicture  bool   // by Subfile, a mask, a depth map or the like
	Orient     int    // 1 to 8 as in EXIF; 0 if missing
	HasProfile bool   // there is an ICC profile

	Photometric  int // -1 if missing
	Compression  int
	Samples      int   // a pixel, including those that are not colours
	ExtraSamples []int // the kinds of the samples after the colours
	Bits         []int // of each sample; if there are fewer values, the last one applies to the rest
	Format       []int // SampleFormat of each sample, as Bits
	Planar       bool  // each sample is stored in a separate plane
	Tiled        bool  // in tiles, not in strips
	Inks         int   // InkSet; 1 is CMYK
	Indexed      bool  // samples are indices into a table of the colour space

	// ChunkBytes is the size in bytes of one decoded strip or tile.
	ChunkBytes int64
}

// File holds the directories of a TIFF file.
type File struct {
	Directories []Directory // each page followed by its SubIFDs; at least one

	// Cut reports whether a page or SubIFD that the file refers to is missing.
	Cut bool
}

// ErrNoDirectory means that a file is not a TIFF or has no readable directory.
var ErrNoDirectory = errors.New("it has no readable TIFF directory")

// Read reads the directories of the TIFF file r of size bytes. The error is
// ErrNoDirectory or one of reading.
func Read(r io.ReaderAt, size int64) (File, error) {
	in, ok := ifd.Open(r, size)
	if !ok || in.Magic != ifd.TIFF && in.Magic != ifd.BigTIFF {
		return File{}, cmp.Or(in.Err, ErrNoDirectory)
	}
	var f File
	seen := make(map[int64]bool)
	// add adds the directory at an offset to the list, unless it is in it already.
	add := func(at int64, page, subIFD int) (subIFDs []int64, next int64) {
		if seen[at] {
			return nil, 0
		}
		seen[at] = true
		e := entries{in.Directory(at)}
		if !e.Whole {
			f.Cut = true
			return nil, 0
		}
		d := e.directory()
		d.Page, d.SubIFD, d.Offset = page, subIFD, at
		f.Directories = append(f.Directories, d)
		return e.Numbers(ifd.SubIFDs, maxSubIFDs), e.Next
	}
	for page, at := 0, in.First; page < maxPages && at != 0; page++ {
		subIFDs, next := add(at, page, -1)
		for i, sub := range subIFDs {
			add(sub, page, i)
		}
		at = next
	}
	if in.Err != nil || len(f.Directories) == 0 {
		return File{}, cmp.Or(in.Err, ErrNoDirectory)
	}
	return f, nil
}
