package tracker

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

// Level is how important a note is.
type Level string

// The levels.
const (
	Info Level = "info"
	Warn Level = "warn"
)

// Note is a message for the log about something found while opening a workdir or
// during the run.
type Note struct {
	Level Level
	Text  string
	File  string // relative to the workdir, or ""
	Line  int    // from 1, or 0
}

// String gives the note on one line, with its place in front.
func (n Note) String() string {
	switch {
	case n.File != "" && n.Line > 0:
		return fmt.Sprintf("%s:%d: %s", n.File, n.Line, n.Text)
	case n.File != "":
		return n.File + ": " + n.Text
	}
	return n.Text
}

// maxDamageNotes bounds the notes on damaged lines of one file.
const maxDamageNotes = 50

// notebook collects notes until Listen is called.
type notebook struct {
	mu     sync.Mutex
	notes  []Note
	listen func(Note)
}

func (b *notebook) add(level Level, file string, line int, format string, args ...any) {
	n := Note{Level: level, File: file, Line: line, Text: fmt.Sprintf(format, args...)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, n)
	if b.listen != nil {
		b.listen(n)
	}
}

func (b *notebook) all() []Note {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.notes)
}

// Listen passes each note to f, one at a time: first those that there are, later
// ones as they come, from another goroutine.
func (t *Tracker) Listen(f func(Note)) {
	b := &t.notes
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.notes {
		f(n)
	}
	b.listen = f
}

// damage counts and reports the damaged lines of one file.
type damage struct {
	book  *notebook
	file  string
	count int
}

func (d *damage) line(line int, what string) {
	if d.count++; d.count <= maxDamageNotes {
		d.book.add(Warn, d.file, line, "damaged line passed over: %s", what)
	}
}

func (d *damage) end() {
	if more := d.count - maxDamageNotes; more > 0 {
		d.book.add(Warn, d.file, 0, "%d more damaged lines passed over", more)
	}
}

// cannotSync notes that the file system cannot confirm that files are on the disk.
func (b *notebook) cannotSync(err error) {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	b.add(Warn, "", 0, "the file system of the workdir cannot confirm that files are on its disk (fsync: %v): "+
		"a power cut may take the newest descriptions with it; in a workdir on a local disk (-C FOLDER) it does not", err)
}
