package tracker

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

// file is an open file whose data the tracker must not lose.
type file interface {
	io.ReadWriteCloser
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

// filesystem opens such files. Tests replace it with one that fails on purpose.
type filesystem interface {
	OpenFile(name string, flag int, perm fs.FileMode) (file, error)
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the creation of files in a folder durable.
	SyncDir(name string) error
}

type osFS struct{}

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	f, err := fsutil.OpenRegular(name, flag, perm)
	if err != nil {
		return nil, err // not a nil *os.File in a non-nil interface
	}
	return osFile{f}, nil
}

func (osFS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

func (osFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return durable.Sync(d)
}

// checkRegular returns an error if something else than a file has that name.
func checkRegular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &fsutil.NotRegularError{Mode: info.Mode()}
	}
	return nil
}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return durable.Sync(f.File) }

// lenientFS is a filesystem that may refuse to sync, as exFAT and network file
// systems do. Such a refusal is not an error: only a power cut can then lose data,
// not a crash of the program.
type lenientFS struct {
	filesystem
	refused func(error) // told of the first file that cannot be synced
	once    sync.Once
}

func (l *lenientFS) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	f, err := l.filesystem.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return lenientFile{f, l}, nil
}

// SyncDir does not report a refusal: many file systems sync files and not folders.
func (l *lenientFS) SyncDir(name string) error {
	if err := l.filesystem.SyncDir(name); !durable.Unsupported(err) {
		return err
	}
	return nil
}

type lenientFile struct {
	file
	fs *lenientFS
}

func (f lenientFile) Sync() error {
	err := f.file.Sync()
	if !durable.Unsupported(err) {
		return err
	}
	f.fs.once.Do(func() { f.fs.refused(err) })
	return nil
}

// appendFile is a file of lines that only grows, by whole lines.
type appendFile struct {
	fs   filesystem
	f    file
	path string
	size int64 // bytes after the last append that went well
}

// append adds whole lines with one write and waits until they are on the disk.
// If that fails it truncates the file, if it can, so that lines which were not
// counted are not found later.
func (a *appendFile) append(lines []byte) error {
	here, err := a.f.Stat()
	if err != nil {
		return &WriteError{Op: "look at", Path: a.path, Err: err}
	}
	if there, err := a.fs.Stat(a.path); err != nil || !os.SameFile(here, there) {
		return &WriteError{Op: "write to", Path: a.path, Err: errors.Join(errReplaced, err)}
	}
	op := "write to"
	n, err := a.f.Write(lines)
	if err == nil && n < len(lines) {
		err = io.ErrShortWrite
	}
	if err == nil {
		// After a failed sync the system may take the lines for written
		// though they are not, so they are taken away then too.
		op, err = "sync", a.f.Sync()
	}
	if err == nil {
		a.size = here.Size() + int64(n)
		return nil
	}
	if undo := a.f.Truncate(here.Size()); undo != nil {
		err = fmt.Errorf("%w (and cutting off what was half written: %w)", err, undo)
	} else {
		_ = a.f.Sync() // the error to report is the first
	}
	return &WriteError{Op: op, Path: a.path, Err: err}
}
