package pool

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// The protocol. The worker reads orders on file descriptor 3 and writes reports
// on file descriptor 4, because C libraries print to standard output and standard
// error. Each order or report is one JSON object on one line.
//
//	supervisor                          worker
//	(starts it)                         loads its model
//	                                    {"hello":{"protocol":2,"version":"0.3","pid":17,"info":{…}}}
//	{"job":{"id":1,"path":"a.jpg"}}
//	{"job":{"id":2,"path":"b.jpg"}}     {"alive":{"mem":734003200}}
//	                                    {"question":{"id":2,"data":{…}}}
//	{"reply":{"id":2,"needed":true}}
//	                                    {"result":{"id":2,"data":{…},"mem":…}}
//	{"leave":true}                      {"result":{"id":1,"failure":{"kind":"unreadable",…}}}
//	                                    (exits with status 0)
//
// A worker that cannot load sends {"fatal":{…}} instead of hello. After leave only
// replies come. If the orders end without it, the supervisor has ended, and the worker
// exits at once. A question is whether the answer to a job is needed, see [Needed];
// a job has at most one.
const (
	// ProtocolVersion changes whenever a line changes its meaning.
	ProtocolVersion = 3

	orderFD  = 3
	reportFD = 4

	// workerEnv is set in the environment of a worker, so that Serve does not use
	// the descriptors of a process that no pool has started.
	workerEnv = "PHOTODESC_POOL_WORKER"

	// maxLine is the longest line, in bytes. A description is a few hundred bytes
	// long, so a longer line is an error of the sender.
	maxLine = 1 << 20
)

// Job is one photo handed to a worker.
type Job struct {
	ID       uint64
	Path     string // any bytes; need not be UTF-8
	File     string // where the photo lies below the worker's folder, "" if that is Path; UTF-8
	Attempt  int    // 1 for the first
	Isolated bool   // no other photo is in flight in this worker
}

// wireJob is the JSON of a Job. JSON strings must be UTF-8, so any other path is
// sent as base64.
type wireJob struct {
	ID       uint64 `json:"id"`
	Path     string `json:"path,omitempty"`
	Path64   []byte `json:"path64,omitempty"`
	File     string `json:"file,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
	Isolated bool   `json:"isolated,omitempty"`
}

// Name returns where the photo lies below the worker's folder.
func (j Job) Name() string { return cmp.Or(j.File, j.Path) }

// MarshalJSON implements json.Marshaler. A path that is not UTF-8 is sent as base64.
func (j Job) MarshalJSON() ([]byte, error) {
	w := wireJob{ID: j.ID, File: j.File, Attempt: j.Attempt, Isolated: j.Isolated}
	if utf8.ValidString(j.Path) {
		w.Path = j.Path
	} else {
		w.Path64 = []byte(j.Path)
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements json.Unmarshaler.
func (j *Job) UnmarshalJSON(b []byte) error {
	var w wireJob
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if w.Path != "" && len(w.Path64) > 0 {
		return errors.New("a job with two paths")
	}
	*j = Job{ID: w.ID, Path: w.Path, File: w.File, Attempt: w.Attempt, Isolated: w.Isolated}
	if len(w.Path64) > 0 {
		j.Path = string(w.Path64)
	}
	return nil
}

// Failure says why a photo failed.
type Failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	// ReadError: the photo could not be opened or read, which may be its folder's
	// fault, see Config.ProbeStorage.
	ReadError bool `json:"read_error,omitempty"`
	// Data is what else the worker knows of the photo; the pool does not read it.
	Data json.RawMessage `json:"data,omitempty"`
}

// order is a line from the supervisor. Exactly one field is set.
type order struct {
	Job   *Job   `json:"job,omitempty"`
	Reply *reply `json:"reply,omitempty"`
	Leave bool   `json:"leave,omitempty"`
}

// reply answers a worker's question.
type reply struct {
	ID     uint64 `json:"id"`
	Needed bool   `json:"needed"`
}

// report is a line from the worker. Exactly one field is set.
type report struct {
	Hello  *hello   `json:"hello,omitempty"`
	Fatal  *Failure `json:"fatal,omitempty"`
	Result *answer  `json:"result,omitempty"`
	Alive  *alive   `json:"alive,omitempty"`

	Question *question `json:"question,omitempty"`
}

// question asks whether the answer to a job is needed, by what is known of the photo.
type question struct {
	ID   uint64          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// hello says that the model is loaded and the worker takes jobs.
type hello struct {
	Protocol int             `json:"protocol"`
	Version  string          `json:"version"`
	PID      int             `json:"pid"`
	Mem      uint64          `json:"mem,omitempty"`
	Info     json.RawMessage `json:"info,omitempty"`
}

// answer is the outcome of one job: either Data or Failure. Mem is the worker's
// own memory in bytes at that time, 0 if unknown, so that the supervisor can
// replace the worker before it hands out the next photo.
type answer struct {
	ID      uint64          `json:"id"`
	Data    json.RawMessage `json:"data,omitempty"`
	Failure *Failure        `json:"failure,omitempty"`
	Mem     uint64          `json:"mem,omitempty"`
}

// alive is the heartbeat. It is sent every few seconds, however long a photo takes.
type alive struct {
	Mem uint64 `json:"mem,omitempty"`
}

// parseOrder reads a supervisor's line. It never panics, whatever the line.
func parseOrder(line []byte) (order, error) {
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return order{}, fmt.Errorf("unreadable order: %w", err)
	}
	n := 0
	for _, set := range []bool{o.Job != nil, o.Reply != nil, o.Leave} {
		if set {
			n++
		}
	}
	if n != 1 {
		return order{}, errors.New("an order must be a job, a reply or leave")
	}
	return o, nil
}

// parseReport reads a worker's line and checks all that can be checked without
// knowing which jobs are in flight. It never panics, whatever the line.
func parseReport(line []byte) (report, error) {
	var r report
	if err := json.Unmarshal(line, &r); err != nil {
		return report{}, fmt.Errorf("unreadable line %s: %w", excerpt(line), err)
	}
	n := 0
	for _, set := range []bool{r.Hello != nil, r.Fatal != nil, r.Result != nil, r.Alive != nil, r.Question != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return report{}, fmt.Errorf("a line that is not one report: %s", excerpt(line))
	}
	if a := r.Result; a != nil {
		if (len(a.Data) > 0) == (a.Failure != nil) {
			return report{}, fmt.Errorf("result %d must have data or a failure", a.ID)
		}
		if a.Failure != nil && a.Failure.Kind == "" {
			return report{}, fmt.Errorf("result %d failed without a kind", a.ID)
		}
	}
	return r, nil
}

// excerpt quotes the beginning of a line for an error message.
func excerpt(line []byte) string {
	const most = 60
	if len(line) > most {
		return fmt.Sprintf("%q…", line[:most])
	}
	return fmt.Sprintf("%q", line)
}

// encodeLine is v as one line of the protocol.
func encodeLine(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(b) >= maxLine {
		return nil, fmt.Errorf("line of %d bytes is too long", len(b))
	}
	return append(b, '\n'), nil
}

// lineReader reads lines of at most maxLine bytes. What follows the last newline
// is discarded: the process was interrupted while it wrote.
func lineReader(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), maxLine)
	s.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i], nil
		}
		if atEOF {
			return len(data), nil, nil
		}
		return 0, nil, nil
	})
	return s
}
