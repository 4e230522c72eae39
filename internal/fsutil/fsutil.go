// Package fsutil opens and reads files that may be something else, handles paths
// that path/filepath would change, and names folders for what is cached.
package fsutil

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dustin/go-humanize"
)

// NotRegularError is returned for a folder, pipe, socket or device in the place of a file.
type NotRegularError struct{ Mode fs.FileMode }

func (e *NotRegularError) Error() string {
	what := "no regular file"
	switch {
	case e.Mode.IsDir():
		what = "a folder"
	case e.Mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case e.Mode&fs.ModeSocket != 0:
		what = "a socket"
	case e.Mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return "it is " + what + ", not a file"
}

// OpenRegular is os.OpenFile for regular files only. It does not wait for a named
// pipe; the error for that is a *fs.PathError with a *NotRegularError.
func OpenRegular(name string, flag int, perm fs.FileMode) (*os.File, error) {
	notRegular := func(mode fs.FileMode) error {
		return &fs.PathError{Op: "open", Path: name, Err: &NotRegularError{mode}}
	}
	f, err := os.OpenFile(name, flag|syscall.O_NONBLOCK, perm)
	if errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.EISDIR) { // a pipe without a reader, a socket, a folder
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			return nil, notRegular(info.Mode())
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, cmp.Or(err, notRegular(info.Mode()))
	}
	return f, nil
}

// TooLargeError is returned for a file with more than Limit bytes.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("it is larger than %s", humanize.IBytes(uint64(e.Limit)))
}

// ReadSmall reads a regular file of at most limit bytes. The error for a larger
// one is a *fs.PathError with a *TooLargeError.
func ReadSmall(name string, limit int64) ([]byte, error) {
	f, err := OpenRegular(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &fs.PathError{Op: "read", Path: name, Err: &TooLargeError{limit}}
	}
	return data, nil
}

// Join returns the path of name in the folder dir. Unlike filepath.Join it does not
// clean the path, because with links "a/../b" need not be "b".
func Join(dir, name string) string { return strings.TrimSuffix(dir, "/") + "/" + name }

// Below is whether path is root or below it. Neither is cleaned.
func Below(path, root string) bool { return path == root || strings.HasPrefix(path, Join(root, "")) }

// IsBucket reports whether a path is the address of a bucket, which is no path of the file system.
func IsBucket(path string) bool { return strings.HasPrefix(path, "s3://") }

// Abs is filepath.Abs. The address of a bucket stays as it is.
func Abs(path string) (string, error) {
	if IsBucket(path) {
		return path, nil
	}
	return filepath.Abs(path)
}

// Resolve returns an absolute path without symbolic links, as far as these can be followed. The address of a bucket stays as it is.
func Resolve(path string) string {
	if IsBucket(path) {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return path
}

// CacheDir returns the folder called name of this program in the user's cache folder.
// It need not exist. The error means that the user has no cache folder.
func CacheDir(name string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, "photodesc", name), nil
}

// MkdirTemp makes a new folder for temporary files, as os.MkdirTemp does with no folder named. Where that cannot be written, as /tmp
// for a service whose system folders are protected, it is in the user's cache folder. The error is that of the usual place.
func MkdirTemp(pattern string) (string, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err == nil {
		return dir, nil
	}
	parent, cacheErr := CacheDir("tmp")
	if cacheErr != nil || os.MkdirAll(parent, 0o700) != nil {
		return "", err
	}
	if dir, cacheErr = os.MkdirTemp(parent, pattern); cacheErr != nil {
		return "", err
	}
	return dir, nil
}

// QuoteGlob makes filepath.Glob take path literally.
func QuoteGlob(path string) string { return globQuoter.Replace(path) }

var globQuoter = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`)
