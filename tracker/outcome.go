package tracker

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// outcome is as much of a result line as resuming needs.
type outcome struct {
	key    key
	path   []byte // may lie inside the line it was read from
	failed bool
	why    Failure
}

var (
	lineHead   = []byte(`{"path":"`)
	okMiddle   = []byte(`,"status":"ok",`)
	errNotUTF8 = errors.New("not valid UTF-8")
	errNotJSON = errors.New("not a JSON object")
)

// parseOutcome reads a result line. Nearly all lines are ok ones as this
// package writes them; those are validated but not decoded, which makes
// resuming a million photos a matter of seconds.
func parseOutcome(line []byte) (outcome, error) {
	if path, ok := okLinePath(line); ok {
		if !utf8.Valid(line) {
			return outcome{}, errNotUTF8
		}
		if !validJSON(line) {
			return outcome{}, errNotJSON
		}
		return outcome{key: keyOf(path), path: path}, nil
	}
	r, err := parseRecord(line)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{key: keyOf(r.Path), path: []byte(r.Path), failed: r.Status == Failed}
	if o.failed {
		o.why = failureOf(&r)
	}
	return o, nil
}

// okLinePath returns the path of an ok line that begins as this package writes
// it and whose path needs no unescaping. It does not look at the rest.
func okLinePath(line []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(line, lineHead)
	if !ok {
		return nil, false
	}
	end := bytes.IndexByte(rest, '"')
	if end <= 0 || bytes.IndexByte(rest[:end], '\\') >= 0 || !bytes.HasPrefix(rest[end+1:], okMiddle) {
		return nil, false
	}
	path := rest[:end]
	if !plainPath(path) && needsQuotes(string(path)) {
		return nil, false
	}
	return path, true
}
