package tracker

import (
	"bytes"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"
)

// outcome is as much of a result line as resuming needs.
type outcome struct {
	key        key
	path       []byte // may lie inside the line it was read from
	settingsID []byte // the ID of its settings, and may lie there too
	failed     bool
	asked      bool // by a request
	forgotten  bool
	file       stamp
	from       string // the path before, of a photo that was moved
	shared     bool   // the words are those of another photo
	why        Failure
}

var (
	lineHead   = []byte(`{"path":"`)
	okMiddle   = []byte(`,"status":"ok",`)
	idHead     = []byte(`"settings":"`)
	errNotUTF8 = errors.New("not valid UTF-8")
	errNotJSON = errors.New("not a JSON object")
)

// parseOutcome reads a result line. Nearly all lines are ok ones as this
// package writes them; those are validated but not decoded, which makes
// resuming a million photos a matter of seconds.
func parseOutcome(line []byte) (outcome, error) {
	if path, rest, ok := okLinePath(line); ok && !bytes.Contains(rest, fromHead) && !bytes.Contains(rest, askedHead) {
		if !utf8.Valid(line) {
			return outcome{}, errNotUTF8
		}
		if !validJSON(line) {
			return outcome{}, errNotJSON
		}
		return outcome{key: keyOf(path), path: path, settingsID: okLineSettingsID(rest), file: lineStamp(rest), shared: bytes.Contains(rest, ofHead)}, nil
	}
	r, err := parseRecord(line)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{key: keyOf(r.Path), path: []byte(r.Path), settingsID: []byte(r.Settings), failed: r.Status == Failed, forgotten: r.Status == Forgotten, file: stampOf(r.File), from: r.From, shared: r.IsDuplicate()}
	if o.asked = r.Request != nil; r.chosen() {
		o.settingsID = nil
	}
	if o.failed {
		o.why = failureOf(&r)
	}
	return o, nil
}

var (
	fileHead  = []byte(`,"file":{"size":`)
	mtimeHead = []byte(`"mtime":"`)
	askedHead = []byte(`,"request":{`)
	fromHead  = []byte(`,"from":"`) // of a photo that was moved
	ofHead    = []byte(`,"of":"`)
	etagHead  = []byte(`,"etag":"`)
)

// lineStamp returns the stamp of a line's file, 0 where it does not stand as this package writes it. Inside of a string quotes are
// escaped, so the file is not taken from one.
func lineStamp(line []byte) stamp {
	_, rest, _ := bytes.Cut(line, fileHead)
	size, rest, ok := bytes.Cut(rest, []byte{','})
	n, err := strconv.ParseInt(string(size), 10, 64)
	if !ok || err != nil {
		return 0
	}
	text, ok := bytes.CutPrefix(rest, mtimeHead)
	end := bytes.IndexByte(text, '"')
	if !ok || end < 0 {
		return 0
	}
	at, err := time.Parse(time.RFC3339Nano, string(text[:end]))
	if err != nil {
		return 0
	}
	file := PhotoFile{Size: n, ModTime: at}
	if tag, has := bytes.CutPrefix(text[end+1:], etagHead); has {
		end := bytes.IndexByte(tag, '"')
		if end < 0 || bytes.IndexByte(tag[:end], '\\') >= 0 {
			return 0
		}
		file.ETag = string(tag[:end])
	}
	return stampOf(&file)
}

// okLinePath returns the path of an ok line that begins as this package writes
// it and whose path needs no unescaping, and what follows its status.
func okLinePath(line []byte) (path, after []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, lineHead)
	if !ok {
		return nil, nil, false
	}
	end := bytes.IndexByte(rest, '"')
	if end <= 0 || bytes.IndexByte(rest[:end], '\\') >= 0 || !bytes.HasPrefix(rest[end+1:], okMiddle) {
		return nil, nil, false
	}
	path = rest[:end]
	if !plainPath(path) && needsQuotes(string(path)) {
		return nil, nil, false
	}
	return path, rest[end+1+len(okMiddle):], true
}

// okLineSettingsID returns the ID of the settings of an ok line from what follows its status,
// nil where it does not stand as this package writes it. The line is valid JSON.
func okLineSettingsID(rest []byte) []byte {
	id, ok := bytes.CutPrefix(rest, idHead)
	if !ok {
		return nil
	}
	id = id[:bytes.IndexByte(id, '"')]
	if bytes.IndexByte(id, '\\') >= 0 {
		return nil
	}
	return id
}
