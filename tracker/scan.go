package tracker

import (
	"bytes"
	"errors"
	"io"
	"runtime"
)

const (
	byteOrderMark = "\ufeff"
	// blockSize is how much of a file is read and parsed at a time. A dozen
	// blocks are alive at most.
	blockSize = 1 << 20
	// maxLine bounds a line. The longest this package writes is some 100 kB
	// (a path, a prompt and a description, all escaped).
	maxLine = 8 << 20
)

var errLongLine = errors.New("line too long")

// tail is what follows the last newline of a file: nothing, or a line whose
// writing was cut short.
type tail struct {
	torn   bool
	offset int64  // where it begins, in bytes; where nothing is torn, the file's size
	line   int    // its number, from 1
	data   []byte // nil when it is longer than maxLine
}

// item is one parsed line.
type item[T any] struct {
	value T
	err   error
	blank bool
}

type block[T any] struct {
	lines    []byte // whole lines
	first    bool   // at the beginning of the file
	overlong bool   // stands for one line that is not kept
	items    []item[T]
	parsed   chan struct{}
}

// scanLines calls parse on every line of r, several at a time, and then merge
// on every result in the order of the file, one at a time. Lines are numbered
// from 1 and come without line end, carriage return and byte order mark; blank
// ones are left out; lines over maxLine have err set. What parse returns may
// lie inside the line; merge copies what it keeps, or a block stays in memory.
// Memory is bounded whatever the file contains.
func scanLines[T any](r io.Reader, parse func([]byte) (T, error), merge func(line int, value T, err error)) (tail, error) {
	workers := min(runtime.GOMAXPROCS(0), 8)
	work := make(chan *block[T], workers)
	ordered := make(chan *block[T], workers)
	for range workers {
		go func() {
			for b := range work {
				b.parse(parse)
				close(b.parsed)
			}
		}()
	}
	var rest tail
	var readErr error
	go func() {
		defer close(ordered)
		defer close(work)
		rest, readErr = cutBlocks(r, func(b *block[T]) {
			b.parsed = make(chan struct{})
			ordered <- b
			work <- b
		})
	}()
	line := 0
	for b := range ordered {
		<-b.parsed
		for i := range b.items {
			line++
			if it := &b.items[i]; !it.blank {
				merge(line, it.value, it.err)
			}
		}
	}
	rest.line = line + 1
	return rest, readErr
}

// cutBlocks reads r in blocks that end with a newline. It returns the
// unfinished last line, its number apart.
func cutBlocks[T any](r io.Reader, emit func(*block[T])) (tail, error) {
	var (
		offset    int64  // where carry begins
		carry     []byte // read and not emitted: the beginning of a line
		first     = true
		skipping  bool // inside a line that is too long
		longStart int64
	)
	for {
		buf := make([]byte, len(carry)+blockSize)
		copy(buf, carry)
		n, err := io.ReadFull(r, buf[len(carry):])
		buf = buf[:len(carry)+n]
		end := bytes.LastIndexByte(buf[len(carry):], '\n') + 1
		if end > 0 {
			end += len(carry)
			whole := buf[:end]
			if skipping {
				cut := bytes.IndexByte(whole, '\n') + 1
				emit(&block[T]{overlong: true})
				offset += int64(cut)
				whole, skipping = whole[cut:], false
			}
			if len(whole) > 0 {
				emit(&block[T]{lines: whole, first: first})
				offset += int64(len(whole))
			}
			first = false
			carry = buf[end:]
		} else {
			carry = buf
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			if skipping {
				return tail{torn: true, offset: longStart}, nil
			}
			return tail{torn: len(carry) > 0, offset: offset, data: carry}, nil
		}
		if err != nil {
			return tail{}, err
		}
		if len(carry) > maxLine {
			if !skipping {
				longStart = offset
			}
			offset += int64(len(carry))
			carry, skipping, first = nil, true, false
		}
	}
}

func (b *block[T]) parse(parse func([]byte) (T, error)) {
	if b.overlong {
		b.items = []item[T]{{err: errLongLine}}
		return
	}
	b.items = make([]item[T], 0, bytes.Count(b.lines, []byte{'\n'}))
	for n, rest := 0, b.lines; len(rest) > 0; n++ {
		end := bytes.IndexByte(rest, '\n')
		line := rest[:end]
		rest = rest[end+1:]
		line = trimLine(line, b.first && n == 0)
		var it item[T]
		if len(line) == 0 {
			it.blank = true
		} else {
			it.value, it.err = parse(line)
		}
		b.items = append(b.items, it)
	}
	b.lines = nil
}

// trimLine takes off what other systems' editors put around lines.
func trimLine(line []byte, first bool) []byte {
	if first {
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
	}
	return bytes.TrimSuffix(line, []byte{'\r'})
}
