package main

import (
	"os"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo/identity"
	"photodesc/tracker"
)

// fileAt reads a photo's file and returns what identifies it, without decoding it. The error is one of opening or reading.
func fileAt(path string) (*tracker.PhotoFile, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	id, err := identity.Of(f, info.Size(), path)
	if err != nil {
		return nil, err
	}
	return &tracker.PhotoFile{Size: info.Size(), ModTime: info.ModTime().UTC(), Hash: id.Whole, Head: id.Head, Picture: id.Picture}, nil
}
