package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/gofrs/flock"
	"github.com/shirou/gopsutil/v3/disk"

	"photodesc/internal/fsutil"
)

// Options of a Spool.
type Options struct {
	MaxBytes int64 // of all files together, those that are being fetched included

	// Waiting is told why nothing can be written, as when the disk is full, and "" when it goes on. It is called by several
	// goroutines, not concurrently. It may be nil.
	Waiting func(why string)

	retry time.Duration // between tries to write to a full disk; set by tests
}

// Spool is a private folder of files. Its methods may be called concurrently.
type Spool struct {
	dir  string
	lock *flock.Flock
	opts Options

	turn  chan struct{} // holds a token while nobody waits for room: who asks first gets room first
	freed chan struct{} // holds a token after a file was removed

	mu     sync.Mutex
	used   int64
	last   uint64 // number of the last file
	closed bool
	why    string // what Options.Waiting was told last
}

const (
	filesName = "files" // what workers may read
	partsName = "parts" // what is being fetched
)

// TooLargeError is returned for a file that never fits into the spool.
type TooLargeError struct{ Size, Max int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("it has %s, more than the %s that are kept of all photos together", humanize.IBytes(uint64(e.Size)), humanize.IBytes(uint64(e.Max)))
}

// DiskError is returned if the spool's folder cannot be written to, for another reason than a full disk.
type DiskError struct {
	Dir string
	Err error
}

func (e *DiskError) Error() string {
	return fmt.Sprintf("nothing can be written to %q: %v", e.Dir, e.Err)
}

// Unwrap returns the reason.
func (e *DiskError) Unwrap() error { return e.Err }

// ErrSize is the reason when a file has another size than was said.
var ErrSize = errors.New("the file has another size than was said before")

// ErrClosed is returned by Add after Close.
var ErrClosed = errors.New("the spool is closed")

// Dir returns the absolute path of the folder in which files appear.
func (s *Spool) Dir() string { return filepath.Join(s.dir, filesName) }

// Used returns how many bytes are taken.
func (s *Spool) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Add waits for room for size bytes, calls copy to write them, and returns the file, which has modTime as its time of change.
// path is that of the photo; any bytes may be in it. Only its extension becomes part of the file's name.
//
// If the disk is full, Add waits until there is room and calls copy again where it had begun. The error is copy's, ctx's, ErrClosed,
// a *TooLargeError, one with ErrSize if copy has written another number of bytes, or a *DiskError. No part of the file is left then.
func (s *Spool) Add(ctx context.Context, path string, size int64, modTime time.Time, copy func(io.Writer) error) (*File, error) {
	if size < 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrSize, size)
	}
	if size > s.opts.MaxBytes {
		return nil, &TooLargeError{size, s.opts.MaxBytes}
	}
	for {
		p, err := s.reserve(ctx, path, size)
		if err != nil {
			return nil, err
		}
		err = copy(p)
		if p.err != nil { // whatever copy made of it
			err = p.err
		}
		if err == nil {
			err = p.finish(modTime)
		}
		if err == nil {
			return &File{spool: s, name: p.name, size: size}, nil
		}
		p.abort()
		if !isFull(err) || ctx.Err() != nil {
			return nil, err
		}
		s.say("the disk is full: " + s.dir)
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// reserve waits for room in the spool and on the disk and creates the file. One waits at a time, so a large file is not overtaken
// for ever by small ones, and files that are being fetched always have their room.
func (s *Spool) reserve(ctx context.Context, path string, size int64) (*part, error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		number, closed := s.take(size)
		if closed {
			return nil, ErrClosed
		}
		if number > 0 {
			others := s.Used() > size
			p, err := s.newPart(number, path, size, others)
			if err == nil {
				s.say("")
				return p, nil
			}
			s.giveBack(size)
			if !isFull(err) {
				return nil, s.diskError(err)
			}
			if !others { // otherwise room comes by itself
				s.say("the disk is full: " + s.dir)
			}
		}
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// take takes room for size bytes. The number is 0 if there is not enough.
func (s *Spool) take(size int64) (number uint64, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.used+size > s.opts.MaxBytes {
		return 0, s.closed
	}
	s.used += size
	s.last++
	return s.last, false
}

func (s *Spool) giveBack(size int64) {
	s.mu.Lock()
	s.used -= size
	s.mu.Unlock()
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

// wait returns when a file was removed, or after a while.
func (s *Spool) wait(ctx context.Context) error {
	timer := time.NewTimer(s.opts.retry)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.freed:
	case <-timer.C:
	}
	return nil
}

// say is called by the one who has the turn, or by one whose disk is full.
func (s *Spool) say(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Waiting != nil && why != s.why {
		s.opts.Waiting(why)
	}
	s.why = why
}

func (s *Spool) diskError(err error) error {
	if err == nil {
		return nil
	}
	return &DiskError{s.dir, err}
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// File is a file in the spool's Dir.
type File struct {
	spool *Spool
	name  string
	size  int64
	once  sync.Once
}

// Name returns the file's name in the spool's Dir: a number and the photo's extension, if that is letters and digits.
func (f *File) Name() string { return f.name }

// Path returns the file's absolute path.
func (f *File) Path() string { return fsutil.Join(f.spool.Dir(), f.name) }

// Remove removes the file and makes room for another. Processes that have it open go on reading it. Further calls do nothing.
func (f *File) Remove() {
	f.once.Do(func() {
		_ = os.Remove(f.Path()) // if it cannot be removed, it goes with the folder
		f.spool.giveBack(f.size)
	})
}

// part is a file that is being fetched.
type part struct {
	spool   *Spool
	f       *os.File
	name    string
	size    int64
	written int64
	err     error // the first of Write
}

// newPart creates a file. If others are in the spool it leaves room on the disk, which these need when they are used.
func (s *Spool) newPart(number uint64, path string, size int64, others bool) (*part, error) {
	if others && !hasSpare(s.dir, size) {
		return nil, syscall.ENOSPC
	}
	name := fmt.Sprintf("%08d%s", number, extension(path))
	f, err := os.OpenFile(filepath.Join(s.dir, partsName, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := allocate(f, size); err != nil {
		f.Close()
		_ = os.Remove(f.Name())
		return nil, err
	}
	return &part{spool: s, f: f, name: name, size: size}, nil
}

// Write implements io.Writer. More bytes than were said are refused before they are written.
func (p *part) Write(b []byte) (n int, err error) {
	if p.err == nil && p.written+int64(len(b)) > p.size {
		p.err = fmt.Errorf("%w: more than %d bytes", ErrSize, p.size)
	}
	if p.err != nil {
		return 0, p.err
	}
	n, err = p.f.Write(b)
	p.written += int64(n)
	p.err = p.spool.diskError(err)
	return n, p.err
}

// finish makes the file appear.
func (p *part) finish(modTime time.Time) error {
	if p.written != p.size {
		return fmt.Errorf("%w: %d bytes of %d", ErrSize, p.written, p.size)
	}
	if err := p.f.Close(); err != nil {
		return p.spool.diskError(err)
	}
	_ = os.Chtimes(p.f.Name(), modTime, modTime) // there are times that a file system cannot hold
	return p.spool.diskError(os.Rename(p.f.Name(), filepath.Join(p.spool.Dir(), p.name)))
}

func (p *part) abort() {
	p.f.Close()
	_ = os.Remove(p.f.Name())
	p.spool.giveBack(p.size)
}

// spare is the room on the disk in bytes that is left free, as for the results of what is in the spool.
const spare = 64 << 20

func hasSpare(dir string, size int64) bool {
	usage, err := disk.Usage(dir)
	return err != nil || usage.Free >= uint64(size)+spare
}

// extension returns the extension of a path with its dot, "" if it is not letters and digits: decoders choose by it.
func extension(path string) string {
	ext := filepath.Ext(path)
	if len(ext) > 11 || strings.ContainsFunc(strings.TrimPrefix(ext, "."), func(c rune) bool {
		return !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
	}) {
		return ""
	}
	return ext
}

// Close removes the folder. Calls of Add should have returned; those that have not fail.
func (s *Spool) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	err := os.RemoveAll(s.dir)
	if err != nil { // a file came while the folder was being removed
		err = os.RemoveAll(s.dir)
	}
	err = cmp.Or(err, s.lock.Unlock())
	_ = os.Remove(filepath.Dir(s.dir)) // it is not empty if others have spools there
	return err
}
