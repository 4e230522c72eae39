package export

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"

	"github.com/gofrs/flock"
)

// Sum is a digest of what is in a file.
type Sum [sha256.Size]byte

// SumOf is the digest of some bytes.
func SumOf(b []byte) Sum { return sha256.Sum256(b) }

// SumFile is the digest of a regular file's content.
func SumFile(path string) (s Sum, err error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return s, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return s, err
	}
	return Sum(h.Sum(nil)), nil
}

// NotOursError is returned where a file would be replaced that was not written by an export, or was changed since.
type NotOursError struct{ Path string }

func (e *NotOursError) Error() string {
	return fmt.Sprintf("%q is there already, and is not as an export of this workdir left it", e.Path)
}

// ErrBusy says that another export is writing a file.
var ErrBusy = errors.New("another export is writing it")

// File is an exported file, which is written beside its place and put there by [File.Commit].
type File struct {
	ledger *Ledger
	path   string // its place, absolute, without links
	old    fs.FileInfo
	before *Sum // of the old file, if it is ours
	force  bool
	part   *flock.Flock
	f      *os.File
	hash   hash.Hash
	out    *bufio.Writer
	ended  bool
}

// Create begins a file that will be at path, and fails early where it may not be there: with a *[NotOursError] where another
// file is, unless force allows to replace it, and with [ErrBusy] where another export writes it.
func Create(ctx context.Context, ledger *Ledger, path string, force bool) (_ *File, err error) {
	x := &File{ledger: ledger, force: force, hash: sha256.New()}
	if x.path, err = place(path); err != nil {
		return nil, err
	}
	if err := x.mayReplace(ctx); err != nil {
		return nil, err
	}
	if err := x.open(); err != nil {
		return nil, err
	}
	x.out = bufio.NewWriterSize(io.MultiWriter(x.f, x.hash), 1<<18)
	return x, nil
}

// place is the absolute path of a file; a link to a file is followed.
func place(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, filepath.Base(path)), nil
}

// mayReplace looks at what is in the file's place.
func (x *File) mayReplace(ctx context.Context) (err error) {
	x.old, err = os.Lstat(x.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.old = nil
		return nil
	case err != nil:
		return err
	case !x.old.Mode().IsRegular():
		return &fs.PathError{Op: "replace", Path: x.path, Err: &fsutil.NotRegularError{Mode: x.old.Mode()}}
	case x.force:
		return nil
	}
	sum, err := SumFile(x.path)
	if err != nil {
		return err
	}
	switch ours, err := x.ledger.Ours(ctx, x.path, sum); {
	case err != nil:
		return err
	case !ours:
		return &NotOursError{x.path}
	}
	x.before = &sum
	return nil
}

// open opens the file beside the place. Its name is always the same, so that what a killed export has left is used again, and
// short, because the place's own name may be as long as a name can be.
func (x *File) open() (err error) {
	sum := SumOf([]byte(filepath.Base(x.path)))
	part := filepath.Join(filepath.Dir(x.path), fmt.Sprintf(".photodesc-%x.part", sum[:8]))
	x.part = flock.New(part, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))
	locked, err := x.part.TryLock()
	switch {
	case err == nil && !locked:
		return ErrBusy
	case err != nil && !durable.NoLocks(err):
		return err
	}
	if x.f, err = fsutil.OpenRegular(part, os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		_ = x.part.Unlock()
		return err
	}
	// The export that held the lock may have put the file into its place between our opening and our locking it.
	if held, err := x.part.Stat(); err == nil && locked {
		if there, err := x.f.Stat(); err != nil || !os.SameFile(held, there) {
			_ = x.f.Close()
			_ = x.part.Unlock()
			return ErrBusy
		}
	}
	if err := x.f.Truncate(0); err != nil {
		x.Discard()
		return err
	}
	return nil
}

// Write implements io.Writer.
func (x *File) Write(b []byte) (int, error) { return x.out.Write(b) }

// Path is where the file will be.
func (x *File) Path() string { return x.path }

// Commit puts the file into its place and records it in the ledger.
func (x *File) Commit(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			x.Discard()
		}
	}()
	if err := x.out.Flush(); err != nil {
		return err
	}
	if err := durable.Sync(x.f); err != nil && !durable.Unsupported(err) {
		return err
	}
	part := x.f.Name()
	if err := x.f.Close(); err != nil {
		return err
	}
	// The digest is recorded first: a file that is not recorded could never be replaced, one that is not there can.
	if err := x.ledger.Record(ctx, Entry{x.path, Sum(x.hash.Sum(nil)), x.before}); err != nil {
		return err
	}
	if err := put(part, x.path, x.old, x.force); err != nil {
		return err
	}
	x.ended = true
	_ = x.part.Unlock()
	return nil
}

// Discard removes what was written. It does nothing once the file is in its place.
func (x *File) Discard() {
	if x.ended {
		return
	}
	x.ended = true
	name := x.f.Name()
	_ = x.f.Close()
	_ = os.Remove(name)
	_ = x.part.Unlock()
}
