package tracker

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A line that is too long is passed over and not kept in memory, however long it is.
func TestLineReader(t *testing.T) {
	const long = 4 * maxLine
	exact := strings.Repeat("x", maxLine-1)
	l := lineReader{r: bufio.NewReaderSize(io.MultiReader(strings.NewReader("first\n"), io.LimitReader(zeros{}, long),
		strings.NewReader("\n"+exact+"\nx"+exact+"\n\nlast\ntorn")), 4096), at: 10}
	at := int64(10)
	for i, want := range []struct {
		line   string
		length int
		err    error
	}{{"first", 6, nil}, {"", long + 1, errLongLine}, {exact, maxLine, nil}, {"", maxLine + 1, errLongLine}, {"", 1, nil}, {"last", 5, nil}, {"", 0, io.EOF}} {
		line, err := l.next()
		if at += int64(want.length); string(line) != want.line || err != want.err || l.at != at {
			t.Errorf("line %d: %d bytes, %v, ends at %d; want %d, %v, %d", i+1, len(line), err, l.at, len(want.line), want.err, at)
		}
		if len(l.before) > markLength || cap(l.line) > 2*maxLine {
			t.Errorf("line %d: %d bytes are kept of it, %d before", i+1, cap(l.line), len(l.before))
		}
	}
}
