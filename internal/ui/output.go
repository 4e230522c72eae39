package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// Output is the standard output of a command. It remembers whether everything
// was written: a list that is cut short, as on a full disk, looks whole.
type Output struct {
	f   *os.File
	mu  sync.Mutex
	err error // an *OutputError: of the first write that failed
}

// NewOutput writes to f.
func NewOutput(f *os.File) *Output { return &Output{f: f} }

// OutputError says that something of a command's output is missing.
type OutputError struct{ Err error }

func (e *OutputError) Error() string {
	err := e.Err
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Sprintf("the output is incomplete: %v", err)
}

func (e *OutputError) Unwrap() error { return e.Err }

// Write writes b. After an error nothing more is written, so that nothing is
// missing in the middle; the *OutputError is then returned each time.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.f.Write(b)
	if err != nil {
		o.err = &OutputError{err}
	}
	return n, o.err
}

// Close closes the file: some file systems say only then that there is no space.
// It returns the first *OutputError of all. A reader that closed its
// pipe early, as head does, is not an error.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) && o.err == nil {
		o.err = &OutputError{err}
	}
	if errors.Is(o.err, syscall.EPIPE) {
		return nil
	}
	return o.err
}

// Read and Fd make an Output a terminal where its file is one.
func (o *Output) Read(b []byte) (int, error) { return o.f.Read(b) }

// Fd is the file's descriptor.
func (o *Output) Fd() uintptr { return o.f.Fd() }
