package preview

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Facts are what a photo's file says of itself, without its picture.
type Facts struct {
	Size    int64     `json:"size"` // bytes
	ModTime time.Time `json:"mtime"`
	Taken   string    `json:"taken,omitempty"`  // as in the records of package tracker
	Camera  string    `json:"camera,omitempty"` // maker and model
}

// Facts reads when and with what the photo at a path below the photo folder was taken. Errors are those of [Maker.Make].
func (m *Maker) Facts(ctx context.Context, path string) (f Facts, err error) {
	body, err := m.ask(ctx, Request{Path: []byte(path), Facts: true}, readBody)
	if err == nil {
		err = json.Unmarshal(body, &f)
	}
	return f, err
}

// maxFacts bounds the answer of a worker, in bytes.
const maxFacts = 16 << 10

// readBody reads an answer that is no picture.
func readBody(r *bufio.Reader) ([]byte, error) {
	body, err := readAnswer(r, maxFacts)
	if err == nil && !json.Valid(body) {
		err = errors.New("the worker's answer is no JSON")
	}
	return body, err
}

func readJPEG(r *bufio.Reader) ([]byte, error) {
	b, err := readAnswer(r, maxBytes)
	if err == nil && !IsJPEG(b) {
		err = fmt.Errorf("the worker's preview is no JPEG")
	}
	return b, err
}
