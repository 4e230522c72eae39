package search

import (
	"encoding/json"
	"errors"

	"photodesc/tracker"
)

// Unreadable is about lines of the outputs that cannot be read, so that their photos are not found.
type Unreadable struct {
	Lines int
	File  string // of the first, below the workdir
	At    int64  // where the first begins in its file, in bytes
	Err   error  // why the first cannot be read
}

// Unreadable returns which lines of the outputs [Index.Update] has passed over, now or before.
func (x *Index) Unreadable() Unreadable { return x.unreadable }

// badLine is a line that cannot be read.
type badLine struct {
	file string
	at   int64
	err  error
}

func (w *writer) addBad(file string, at int64, err error) {
	w.bad = append(w.bad, badLine{file, at, err})
}

func (u Unreadable) with(lines []badLine) Unreadable {
	for _, b := range lines {
		if u.Lines == 0 {
			u.File, u.At, u.Err = b.file, b.at, b.err
		}
		u.Lines++
	}
	return u
}

// unreadableName is where the index keeps what it has passed over, among the files.
const unreadableName = "unreadable"

// savedUnreadable is its form.
type savedUnreadable struct {
	File string `json:"file"`
	At   int64  `json:"at"`
	Err  string `json:"err"`
}

// unreadableOf takes what was passed over out of the positions.
func unreadableOf(positions map[string]tracker.Position) (u Unreadable) {
	p, ok := positions[unreadableName]
	delete(positions, unreadableName)
	var s savedUnreadable
	if ok && json.Unmarshal([]byte(p.Mark), &s) == nil {
		u = Unreadable{int(p.Offset), s.File, s.At, errors.New(s.Err)}
	}
	return u
}

// keepBad keeps the lines that were passed over in a file, of which a record behind them was read.
func (w *writer) keepBad(file string) {
	if len(w.bad) == 0 {
		return
	}
	var rest []badLine
	before := w.unreadable.Lines
	for _, b := range w.bad {
		if b.file != file {
			rest = append(rest, b)
			continue
		}
		w.unreadable = w.unreadable.with([]badLine{b})
	}
	if w.bad = rest; w.unreadable.Lines == before {
		return
	}
	text, err := json.Marshal(savedUnreadable{w.unreadable.File, w.unreadable.At, w.unreadable.Err.Error()})
	if err == nil {
		w.dirty[unreadableName] = tracker.Position{Offset: int64(w.unreadable.Lines), Mark: string(text)}
	}
}
