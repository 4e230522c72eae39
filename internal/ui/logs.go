package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"photodesc/tracker"
)

// PrintLog prints a log, or its last lines.
func PrintLog(w io.Writer, name string, lines int, debug bool) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	out := &logLines{w: w, debug: debug, keep: lines}
	if _, err := io.Copy(out, f); err != nil {
		return err
	}
	return out.flush()
}

// LogGoneText says that the log of the run that is up was deleted, and what is shown
// instead: the log of an earlier run, or "".
func LogGoneText(older string) string {
	text := "The log of the run that is up was deleted. The run goes on; what it logs is lost until the next run begins a log."
	if older != "" {
		text += "\nThis is the log of an earlier run:"
	}
	return text
}

// logLines passes whole lines on, without those of level DEBUG. It may keep
// some back, to show the last ones only.
type logLines struct {
	w     io.Writer
	debug bool // show those too
	keep  int  // how many lines are kept back; negative: none
	lines [][]byte
	part  []byte // a line that has not ended yet
}

func (l *logLines) Write(b []byte) (int, error) {
	var out []byte
	for rest := b; len(rest) > 0; {
		line, more, ended := bytes.Cut(rest, []byte("\n"))
		rest = more
		l.part = append(l.part, line...)
		if !ended {
			break
		}
		line = append(bytes.Clone(l.part), '\n')
		l.part = l.part[:0]
		switch {
		case !l.debug && isDebug(line):
		case l.keep < 0:
			out = append(out, line...)
		default:
			l.lines = append(l.lines, line)
			l.lines = l.lines[max(0, len(l.lines)-l.keep):]
		}
	}
	if len(out) > 0 {
		if _, err := l.w.Write(out); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// isDebug reports whether a line is of level DEBUG.
func isDebug(line []byte) bool {
	const at = len(time.DateTime)
	return len(line) > at && bytes.HasPrefix(line[at:], []byte(" - DEBUG - "))
}

// flush passes on what was kept back, and keeps nothing back from then on.
func (l *logLines) flush() error {
	l.keep = -1
	_, err := l.w.Write(bytes.Join(l.lines, nil))
	l.lines = nil
	return err
}

// logPoll is how often a followed log is looked at.
const logPoll = 250 * time.Millisecond

// FollowLogs shows the newest log as it grows, and the next when there is one.
func FollowLogs(ctx context.Context, w io.Writer, dir string, lines int, debug bool) error {
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	t := logTail{dir: dir, out: logLines{w: w, debug: debug, keep: lines}}
	defer t.close()
	if s, err := Peek(dir); err == nil && s.LogGone {
		fmt.Fprintln(os.Stderr, LogGoneText(s.Log))
	} else if tracker.NewestLog(dir) == "" {
		fmt.Fprintln(os.Stderr, "There is no log yet; waiting for a run.")
	}
	if tracker.NewestLog(dir) == "" {
		t.out.keep = -1 // all of the log that is to come
	}
	for {
		if err := t.look(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(logPoll):
		}
	}
}

// logTail reads on in the newest log of a workdir.
type logTail struct {
	dir  string
	out  logLines
	name string // of the log that is read, "" before the first
	f    *os.File
}

// look passes on new lines. A log that was deleted or truncated is not an error.
func (t *logTail) look() error {
	newest := tracker.NewestLog(t.dir)
	if err := t.readOn(); err != nil {
		return err
	}
	if newest == "" || newest == t.name {
		return nil
	}
	f, err := os.Open(filepath.Join(t.dir, newest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.f != nil {
		fmt.Fprintf(t.out.w, "\n==> %s <==\n", filepath.Join(t.dir, newest))
		t.close()
	}
	t.f, t.name, t.out.part = f, newest, nil
	return t.readOn()
}

func (t *logTail) readOn() error {
	if t.f == nil {
		return nil
	}
	pos, err := t.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if info, err := t.f.Stat(); err == nil && info.Size() < pos {
		_, _ = t.f.Seek(0, io.SeekStart)
	}
	if _, err := io.Copy(&t.out, t.f); err != nil {
		return err
	}
	return t.out.flush()
}

func (t *logTail) close() {
	if t.f != nil {
		t.f.Close()
	}
}
