package tracker

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"photodesc/internal/fsutil"
)

// Position is how far an output file has been read.
type Position struct {
	Offset int64  // bytes, the end of a whole line
	Mark   string // of the bytes before it, to know the file again
}

// ErrOutputsChanged says that an output file was changed since it was read: it is missing, shorter, or has other bytes.
var ErrOutputsChanged = errors.New("the outputs are not those that were read before")

// Follow reads the records that were added to the outputs since the positions given, by file name below dir, oldest first,
// and calls found with each and with the position after it. Lines that are no record, or longer than 8 MiB, are left out:
// unreadable is called with where such a line begins, in bytes, and why. A line without its newline is left for the next
// time. An error of found ends it. Where a known file is not the one that was read, [ErrOutputsChanged] is returned before
// anything is found.
func Follow(dir string, from map[string]Position, found func(file string, r Record, after Position) error, unreadable func(file string, at int64, err error)) error {
	files, err := outputFiles(dir)
	if err != nil {
		return err
	}
	left := len(from)
	for _, path := range files {
		if known, ok := from[relative(dir, path)]; ok {
			left--
			if mark, err := markBefore(path, known.Offset); err != nil || mark != known.Mark {
				return ErrOutputsChanged
			}
		}
	}
	if left > 0 {
		return ErrOutputsChanged
	}
	for _, path := range files {
		name := relative(dir, path)
		err := followFile(path, from[name].Offset,
			func(r Record, after Position) error { return found(name, r, after) },
			func(at int64, err error) { unreadable(name, at, err) })
		if err != nil {
			return err
		}
	}
	return nil
}

func relative(dir, path string) string {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return path
	}
	return name
}

// markLength is how many bytes before a position are compared, to recognise the file.
const markLength = 256

func markBefore(path string, offset int64) (string, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, min(offset, markLength))
	if _, err := f.ReadAt(b, offset-int64(len(b))); err != nil {
		return "", err
	}
	return markOf(b), nil
}

func markOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// followed is what some lines of an output are.
type followed struct {
	lines []followedLine
	err   error // ends the file
}

// followedLine is a record and the position after it, or where a line begins that is none, and why.
type followedLine struct {
	record Record
	after  Position
	begin  int64
	err    error
}

// perFollowed is how many lines are parsed before they are handed on, and followedAhead how many such groups wait at most:
// some megabytes.
const (
	perFollowed   = 200
	followedAhead = 4
)

// followFile reads and parses ahead of found.
func followFile(path string, offset int64, found func(Record, Position) error, unreadable func(at int64, err error)) error {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	groups, stop, done := make(chan followed, followedAhead), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer close(groups)
		parseFollowed(f, offset, func(g followed) bool {
			select {
			case groups <- g:
				return true
			case <-stop:
				return false
			}
		})
	}()
	defer func() { <-done }() // before the file is closed
	defer close(stop)
	for g := range groups {
		for _, l := range g.lines {
			if l.err != nil {
				unreadable(l.begin, l.err)
			} else if err := found(l.record, l.after); err != nil {
				return err
			}
		}
		if g.err != nil {
			return g.err
		}
	}
	return nil
}

// parseFollowed parses the whole lines of a file from an offset on, until give returns false.
func parseFollowed(f *os.File, offset int64, give func(followed) bool) {
	// The mark needs the bytes before the position, also when the first line read is short.
	before := make([]byte, min(offset, markLength))
	if _, err := f.ReadAt(before, offset-int64(len(before))); err != nil && len(before) > 0 {
		give(followed{err: err})
		return
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		give(followed{err: err})
		return
	}
	lines := lineReader{r: bufio.NewReaderSize(f, blockSize), at: offset, before: before}
	var g followed
	for {
		l := followedLine{begin: lines.at}
		line, err := lines.next()
		if err != nil && !errors.Is(err, errLongLine) {
			if err != io.EOF {
				g.err = err
			}
			give(g)
			return
		}
		if err == nil {
			if line = trimLine(line, l.begin == 0); len(line) == 0 {
				continue
			}
			l.record, err = parseRecord(line)
		}
		l.after, l.err = Position{lines.at, markOf(lines.before)}, err
		if g.lines = append(g.lines, l); len(g.lines) >= perFollowed {
			if !give(g) {
				return
			}
			g = followed{}
		}
	}
}

// lineReader reads lines of bounded length.
type lineReader struct {
	r      *bufio.Reader
	at     int64  // where the next line begins, in bytes
	before []byte // the last markLength bytes before it
	line   []byte
}

// next returns a line without its newline, until the next call. The error is errLongLine for a line of more than maxLine
// bytes, which is passed over, and io.EOF for one without a newline.
func (l *lineReader) next() ([]byte, error) {
	l.line = l.line[:0]
	for length := 0; ; {
		part, err := l.r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return nil, err
		}
		length += len(part)
		l.at += int64(len(part))
		l.before = append(l.before, part[max(0, len(part)-markLength):]...)
		l.before = append(l.before[:0], l.before[max(0, len(l.before)-markLength):]...)
		if length <= maxLine {
			l.line = append(l.line, part...)
		}
		switch {
		case err != nil:
		case length > maxLine:
			return nil, errLongLine
		default:
			return bytes.TrimSuffix(l.line, []byte{'\n'}), nil
		}
	}
}
