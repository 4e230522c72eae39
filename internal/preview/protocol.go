// Package preview makes small JPEGs of photos in confined worker processes and keeps
// them in a cache folder of bounded size.
//
// A worker reads requests, a JSON object a line, on file descriptor 3 and answers on
// descriptor 4 with a JSON object on a line, followed by the bytes of the JPEG. It makes
// one preview at a time and exits when the requests end. The worker's side is in
// internal/worker, because only that package may load C libraries.
package preview

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// File descriptors of a worker.
const (
	RequestFD = 3
	AnswerFD  = 4
)

// maxBytes bounds a preview. One of 2560 pixels has about 1 MB.
const maxBytes = 64 << 20

// Size is what previews of one kind look like.
type Size struct {
	Longest int `json:"longest"` // pixels of the longest edge, at most
	Quality int `json:"quality"` // of the JPEG, 1 to 100
}

// Thumbnail and Large are the sizes in use.
var (
	Thumbnail = Size{Longest: 400, Quality: 78}
	Large     = Size{Longest: 2560, Quality: 88}
)

// Request asks for one preview.
type Request struct {
	Path []byte `json:"path"` // below the photo folder, any bytes
	Size
	Facts bool `json:"facts,omitempty"` // [Facts] as JSON are wanted in place of a preview
}

// Answer precedes the bytes of a preview. Error is empty or says why there is none.
type Answer struct {
	Bytes int    `json:"bytes"`
	Error string `json:"error,omitempty"`
}

// Serve reads requests until they end and answers each with what answer returns.
func Serve(in io.Reader, out io.Writer, answer func(Request) ([]byte, error)) error {
	d := json.NewDecoder(in)
	for {
		var r Request
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		body, err := answer(r)
		a := Answer{Bytes: len(body)}
		if err != nil {
			a.Error = err.Error()
		}
		head, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if _, err := out.Write(append(append(head, '\n'), body...)); err != nil {
			return err
		}
	}
}

// readAnswer reads one answer. The error is a *PhotoError if the worker says that the
// photo has no preview; after any other error the worker cannot be used again.
func readAnswer(r *bufio.Reader, most int) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	var a Answer
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, fmt.Errorf("the worker's answer cannot be read: %w", err)
	}
	if a.Error != "" {
		return nil, &PhotoError{a.Error}
	}
	if a.Bytes <= 0 || a.Bytes > most {
		return nil, fmt.Errorf("the worker announces %d bytes", a.Bytes)
	}
	b := make([]byte, a.Bytes)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	return b, nil
}

// PhotoError says why a photo has no preview.
type PhotoError struct{ Reason string }

func (e *PhotoError) Error() string { return e.Reason }

// IsJPEG reports whether b begins and ends as a JPEG does.
func IsJPEG(b []byte) bool {
	return len(b) > 4 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff && b[len(b)-2] == 0xff && b[len(b)-1] == 0xd9
}
