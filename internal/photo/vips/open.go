package vips

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"photodesc/internal/photo"
	"photodesc/internal/photo/identity"
)

// inMemory is the largest size in bytes of a file that is read as a whole before it
// is decoded. This avoids many small reads on network drives, and the bytes cannot
// change while they are decoded. It is a variable for the tests.
var inMemory int64 = 64 << 20

// file is an opened photo.
type file struct {
	*os.File
	path string
	size int64 // bytes when it was opened; 0 if unknown until load

	modTime time.Time
	head    []byte // its first bytes, for photo.Sniff
	data    []byte // its content, if it was read whole
	picture string // hash of the preview of a RAW file, see identity.ID
}

// open opens the photo at path, which must be a regular file and not empty. It
// reads the first bytes to find out, because some file systems, such as rclone's of
// Google Photos, report size 0 for files that they have not fetched. Opening does
// not block, even if the path is a pipe by then.
func open(path string) (*file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, photo.NotRegular(path, info.Mode())
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	opened, err := opened(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	return opened, nil
}

func opened(f *os.File, path string) (*file, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, cannotOpen(path, err)
	case !info.Mode().IsRegular():
		return nil, photo.NotRegular(path, info.Mode())
	}
	head := make([]byte, photo.SniffLen)
	n, err := f.ReadAt(head, 0)
	switch {
	case n == 0 && errors.Is(err, io.EOF) && info.Size() == 0:
		return nil, photo.Errorf(photo.Unreadable, path, "the file is empty: restore it from a backup, or have the cloud drive that it is from download it")
	case n == 0 && err != nil:
		return nil, cannotRead(path, err)
	}
	return &file{File: f, path: path, size: info.Size(), modTime: info.ModTime(), head: head[:n]}, nil
}

// load reads a file of unknown size, up to half of opts.MaxBytes, and so finds its
// size. It does nothing for other files.
func (f *file) load(opts Options) error {
	if f.size > 0 {
		return nil
	}
	limit := opts.MaxBytes / 2
	data, err := io.ReadAll(io.LimitReader(f.File, limit+1))
	switch {
	case err != nil:
		return cannotRead(f.path, err)
	case len(data) == 0: // it was truncated since its first bytes were read
		return photo.Errorf(photo.Unreadable, f.path, "the file is empty")
	case int64(len(data)) > limit:
		return tooMuchMemory(f.path, 2*int64(len(data)), opts)
	}
	f.data, f.size = data, int64(len(data))
	return nil
}

// whole reports whether the file is read as a whole before it is decoded.
func (f *file) whole() bool { return f.size <= inMemory || f.data != nil }

// ReadAt reads from the file, or from the content that load has read.
func (f *file) ReadAt(p []byte, offset int64) (int, error) {
	if f.data == nil {
		return f.File.ReadAt(p, offset)
	}
	return bytes.NewReader(f.data).ReadAt(p, offset)
}

// read returns the file's first size bytes, or fewer if it has become shorter.
func (f *file) read(size int64) ([]byte, error) {
	if f.data != nil {
		return f.data[:min(size, f.size)], nil
	}
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if err != nil && (!errors.Is(err, io.EOF) || n == 0) {
		return nil, cannotRead(f.path, err)
	}
	if int64(n) == f.size {
		f.data = data // for its hashes
	}
	return data[:n], nil
}

// onlyZeros reports whether the file consists of zeros, as after a fault of a disk
// or a card. It stops at the first other byte, and after 1 GiB, which is more than
// photos have.
func (f *file) onlyZeros() (bool, error) {
	const maxBytes = 1 << 30
	in := io.NewSectionReader(f, 0, min(f.size, maxBytes))
	var buf []byte
	for chunk := f.head; ; {
		if len(bytes.TrimLeft(chunk, "\x00")) > 0 {
			return false, nil
		}
		if buf == nil { // allocated only if needed
			buf = make([]byte, 1<<20)
		}
		n, err := in.Read(buf)
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, cannotRead(f.path, err)
		}
		chunk = buf[:n]
	}
}

func cannotOpen(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return photo.NewReadError(path, photo.ErrMissing)
	}
	return photo.NewReadError(path, fmt.Errorf("cannot open it: %w", photo.Reason(err)))
}

func cannotRead(path string, err error) error {
	return photo.NewReadError(path, fmt.Errorf("cannot read it: %w", photo.Reason(err)))
}

// Readable opens a photo as Decode does, reads its beginning, and closes it.
func Readable(path string) error {
	f, err := open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// identify returns the hashes of a file that was decoded. Of a RAW file only the ends are read for it.
func (f *file) identify() (id identity.ID, err error) {
	if f.picture == "" {
		return identity.Of(f, f.size, f.path)
	}
	id.Head, err = identity.Head(f, f.size)
	id.Picture = f.picture
	return id, err
}
