package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
)

const (
	// protocol changes whenever a message changes its meaning.
	protocol = 1

	// ChunkSize is how much of a photo or a model travels in one message, in bytes.
	ChunkSize = 512 << 10

	maxName    = 64      // bytes of a node's name
	maxMessage = 4 << 10 // bytes of a failure's message
	maxResult  = 1 << 20 // bytes of a result
)

// rawPath is a path in JSON. It need not be UTF-8, so it is sent as a quoted string.
type rawPath string

func (p rawPath) MarshalText() ([]byte, error) { return []byte(strconv.Quote(string(p))), nil }

func (p *rawPath) UnmarshalText(b []byte) error {
	s, err := strconv.Unquote(string(b))
	*p = rawPath(s)
	return err
}

// job is what a node is given.
type job struct {
	ID      string    `json:"id"`
	Path    rawPath   `json:"path"`
	Size    int64     `json:"size"` // bytes
	ModTime time.Time `json:"mtime"`
	Not     []string  `json:"not,omitempty"` // nodes that have failed on it
}

// Failure is why a photo was not described.
type Failure struct {
	Kind    string          `json:"kind"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Answer is what workers made of one photo: Data, or a Failure.
type Answer struct {
	Attempts int             `json:"attempts"`
	Seconds  float64         `json:"seconds"`
	Data     json.RawMessage `json:"data,omitempty"`
	Failure  *Failure        `json:"failure,omitempty"`
}

// result is what a node sends of one job.
type result struct {
	ID   string  `json:"id"`
	Path rawPath `json:"path"`
	// Settings are those of Welcome. Results of a run with other settings are of no use, and no fault of the node.
	Settings string `json:"settings"`
	Node     string `json:"node"` // name of the machine, for a coordinator that does not know it yet
	Answer
}

// parseResult reads a result and checks its form. It never panics, whatever the bytes.
func parseResult(data []byte) (result, error) {
	var r result
	switch {
	case len(data) > maxResult:
		return r, fmt.Errorf("it has %d bytes, at most %d are allowed", len(data), maxResult)
	case !utf8.Valid(data):
		return r, errors.New("it is not UTF-8")
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, err
	}
	switch f := r.Failure; {
	case r.Path == "" || r.ID == "":
		return r, errors.New("it has no ID or no path")
	case (len(r.Data) > 0) == (f != nil):
		return r, errors.New("it has neither data nor a failure, or both")
	case f == nil && r.Data[0] != '{':
		return r, errors.New("its data is no object")
	case f != nil && (f.Kind == "" || len(f.Kind) > maxName || len(f.Message) > maxMessage):
		return r, errors.New("its failure has no kind, or is too long")
	case r.Attempts < 0 || r.Attempts > 1000 || !(r.Seconds >= 0 && r.Seconds < 1e7):
		return r, errors.New("its numbers are out of range")
	}
	return r, nil
}

// hello is how a node introduces itself.
type hello struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
	Name     string `json:"name"` // of the machine
	Cores    int    `json:"cores"`
}

// Model says which files a node needs.
type Model struct {
	Name        string   `json:"name"`
	Fingerprint string   `json:"fingerprint"`
	Sizes       [2]int64 `json:"sizes"` // bytes of text model and vision file
}

// Welcome is what a node is told when it joins.
type Welcome struct {
	Refused  string          `json:"refused,omitempty"` // why; the rest is empty then
	Ending   bool            `json:"ending,omitempty"`  // ask again later
	Name     string          `json:"name"`              // by which the node is shown; no other has it
	Settings string          `json:"settings"`          // ID of what decides the words
	Model    Model           `json:"model"`
	Work     json.RawMessage `json:"work"` // what the program tells its workers
	AckWait  time.Duration   `json:"ack_wait"`
}

// Beat is what a node says of itself every few seconds.
type Beat struct {
	Slots     int     `json:"slots"` // photos that it takes at once
	InFlight  int     `json:"in_flight"`
	Ages      float64 `json:"ages"` // seconds since they were handed out, added up
	Described int     `json:"described"`
	Failed    int     `json:"failed"`
	Bytes     uint64  `json:"bytes"` // memory of its workers
	CPU       float64 `json:"cpu"`   // percent
	Phase     string  `json:"phase,omitempty"`
	Unfit     string  `json:"unfit,omitempty"` // why it does not trust itself
	Proven    int     `json:"proven"`          // how often it has described the known photo
}

func (b *Beat) clamp() {
	b.Slots, b.InFlight = min(max(b.Slots, 0), maxSlots), min(max(b.InFlight, 0), maxSlots)
	if !(b.Ages >= 0 && b.Ages < 1e12) {
		b.Ages = 0
	}
	if !(b.CPU >= 0 && b.CPU < 1e6) {
		b.CPU = 0
	}
	b.Phase, b.Unfit = oneLine(b.Phase, maxName), oneLine(b.Unfit, 300)
}

// beatReply is what the coordinator answers.
type beatReply struct {
	Unknown bool   `json:"unknown,omitempty"` // say hello again
	Paused  string `json:"paused,omitempty"`  // take no jobs, and why
	Rest    string `json:"rest,omitempty"`    // take no jobs for now, and why
	Prove   int    `json:"prove,omitempty"`   // describe the known photo until Proven is that
	Over    string `json:"over,omitempty"`    // the run has ended so
}

// How a run ended, as its nodes are told.
const (
	OverFinished = "finished"
	OverStopped  = "stopped"
)

type photoRequest struct {
	ID     string  `json:"id"`
	Path   rawPath `json:"path"`
	Offset int64   `json:"offset"`
}

type modelRequest struct {
	File   int   `json:"file"` // 0 text model, 1 vision file
	Offset int64 `json:"offset"`
}

// returned says that a node gives a job back.
type returned struct {
	ID   string  `json:"id"`
	Path rawPath `json:"path"`
	Why  string  `json:"why"`

	NotMine bool `json:"not_mine,omitempty"` // the node has failed on it before
}

// Headers of a chunk.
const (
	headerSize  = "Photodesc-Size"
	headerMTime = "Photodesc-Mtime"
	headerError = "Photodesc-Error"
	headerBusy  = "Photodesc-Busy" // ask again
)

// busyReply is a chunk's place taken by the wish to be asked later.
func busyReply() *nats.Msg {
	m := nats.NewMsg("")
	m.Header.Set(headerBusy, "1")
	return m
}

// errorReply is a chunk's place taken by a reason.
func errorReply(why string) *nats.Msg {
	m := nats.NewMsg("")
	m.Header.Set(headerError, oneLine(why, 300))
	return m
}

// oneLine is text without control characters, cut to most bytes.
func oneLine(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == utf8.RuneError || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return ' '
		}
		return c
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return strings.TrimSpace(text)
}
