package photo

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"photodesc/internal/kinds"
)

// Kind is the kind of failure of a photo.
type Kind = kinds.Failure

// The kinds of failure that this package and its sub-packages find.
const (
	Unreadable  = kinds.Unreadable
	Unsupported = kinds.Unsupported
	TooLarge    = kinds.TooLarge
)

// Error is what this package and its sub-packages return for one photo.
type Error struct {
	Kind Kind
	Path string // as the caller gave it; may be empty
	Err  error  // the reason, without the path
	// ReadError reports whether the file could not be opened or read. The storage
	// may then be unavailable.
	ReadError bool
	// Size in bytes and ModTime of the file when it was opened; 0 and zero where it was not.
	Size    int64
	ModTime time.Time
}

// ErrMissing is the reason if the file no longer exists.
var ErrMissing = errors.New("the file is gone")

// Reason returns err without the operation and path that package os adds.
func Reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// NewReadError returns the Error of a photo that could not be opened or read.
func NewReadError(path string, err error) *Error {
	return &Error{Kind: Unreadable, Path: path, Err: err, ReadError: true}
}

// Errorf returns an Error whose reason is formatted as by [fmt.Errorf].
func Errorf(kind Kind, path, format string, args ...any) *Error {
	return &Error{Kind: kind, Path: path, Err: fmt.Errorf(format, args...)}
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%q: %v", e.Path, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, or "" if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
