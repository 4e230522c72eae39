package tracker

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"photodesc/internal/fsutil"
)

// RequestsName is the file with the requests, in the workdir. It is written beside a run, by photodesc browse and by the run, and
// locked for each line.
const RequestsName = "requests.jsonl"

// Request asks a run to describe a photo again.
type Request struct {
	ID     string    `json:"id"`
	Path   string    `json:"path"`             // relative to the photo folder, any bytes; EncodePath'd on the line
	Prompt string    `json:"prompt,omitempty"` // name or text; "": what the run asks
	Model  string    `json:"model,omitempty"`  // name; "": that of the run which takes it up
	Time   time.Time `json:"time"`
}

// RequestOutcome is what became of a request.
type RequestOutcome string

// The outcomes of requests.
const (
	RequestWaiting   RequestOutcome = "waiting"
	RequestDescribed RequestOutcome = "described"
	RequestFailed    RequestOutcome = "failed"
	RequestCancelled RequestOutcome = "cancelled" // by the person who asked
)

// RequestAnswer is the line that ends a request.
type RequestAnswer struct {
	ID   string         `json:"id"`
	Done RequestOutcome `json:"done"`
	Why  string         `json:"why,omitempty"` // of a failure
	Time time.Time      `json:"time"`
}

// Limits of requests.
const (
	// MaxRequests is how many may wait, so that a page which asks in a loop fills no disk.
	MaxRequests     = 100_000
	maxRequestText  = 4000      // bytes of a prompt; a run's context has room for it beside its own prompts
	maxRequestName  = 1000      // bytes of a model's name
	maxRequestWhy   = 1000      // bytes
	maxRequestsFile = 512 << 20 // bytes
	requestIDLen    = 16        // hexadecimal digits
)

// RequestError says why a request is not accepted.
type RequestError struct{ Reason string }

func (e *RequestError) Error() string { return e.Reason }

// check returns the request as it is kept.
func (q Request) check() (Request, error) {
	q.Prompt = cleanText(q.Prompt)
	switch {
	case q.Path == "":
		return q, &RequestError{"there is no path"}
	case len(q.Prompt) > maxRequestText:
		return q, &RequestError{fmt.Sprintf("the prompt has %s bytes and may have %s", humanize.Comma(int64(len(q.Prompt))), humanize.Comma(maxRequestText))}
	case len(q.Model) > maxRequestName || !utf8.ValidString(q.Model):
		return q, &RequestError{"this is not the name of a model"}
	}
	return q, nil
}

// requestLine is a line of the file: a request or, with Done, the end of one.
type requestLine struct {
	Request
	Done RequestOutcome `json:"done,omitempty"`
	Why  string         `json:"why,omitempty"`
}

func parseRequest(line []byte) (l requestLine, err error) {
	if !utf8.Valid(line) {
		return l, errNotUTF8
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return l, err
	}
	if len(l.ID) != requestIDLen || strings.Trim(l.ID, "0123456789abcdef") != "" {
		return l, errors.New("no ID")
	}
	switch l.Done {
	case RequestDescribed, RequestFailed, RequestCancelled:
		l.Why = shorten(l.Why, maxRequestWhy)
		return l, nil
	case "":
	default:
		return l, fmt.Errorf("unknown outcome %q", l.Done)
	}
	if l.Path, err = DecodePath(l.Path); err != nil {
		return l, err
	}
	l.Request, err = l.check()
	return l, err
}

// Requests are the requests of a workdir.
type Requests struct {
	Bad int // lines that cannot be read, and requests beyond MaxRequests

	all    map[string]*requestState
	newest map[string]*requestState // by path
	order  []*requestState          // as they were made
	counts map[RequestOutcome]int
}

type requestState struct {
	request Request
	answer  RequestAnswer // Done is "" while it waits
}

func (s *requestState) outcome() RequestOutcome { return cmp.Or(s.answer.Done, RequestWaiting) }

// ReadRequests reads the requests of a workdir, of which there may be none. Lines that cannot be read are counted; what follows
// the last newline, as after a kill, is used if it is whole. All are in memory together.
func ReadRequests(dir string) (*Requests, error) {
	all := &Requests{all: map[string]*requestState{}, newest: map[string]*requestState{}, counts: map[RequestOutcome]int{}}
	f, err := fsutil.OpenRegular(requestsPath(dir), os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		defer f.Close()
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && info.Size() > maxRequestsFile {
			err = fmt.Errorf("%q has %s; move it away", f.Name(), humanize.IBytes(uint64(info.Size())))
		}
	}
	if err != nil {
		return all, fmt.Errorf("the requests cannot be read: %w", err)
	}
	rest, err := scanLines(f, parseRequest, func(_ int, l requestLine, err error) { all.add(l, err) })
	if err != nil {
		return all, fmt.Errorf("the requests cannot be read: %w", err)
	}
	if rest.torn {
		if l, err := parseRequest(trimLine(rest.data, rest.offset == 0)); err == nil {
			all.add(l, nil)
		}
	}
	return all, nil
}

func (a *Requests) add(l requestLine, err error) {
	old := a.all[l.ID]
	switch {
	case err != nil:
		a.Bad++
	case l.Done != "" && (old == nil || old.answer.Done != ""): // of a request that cannot be read, or twice
	case l.Done != "":
		a.counts[RequestWaiting]--
		a.counts[l.Done]++
		old.answer = RequestAnswer{ID: l.ID, Done: l.Done, Why: l.Why, Time: l.Time}
	case old != nil || a.counts[RequestWaiting] >= MaxRequests:
		a.Bad++
	default:
		s := &requestState{request: l.Request}
		a.all[l.ID], a.newest[l.Path] = s, s
		a.order = append(a.order, s)
		a.counts[RequestWaiting]++
	}
}

// Waiting are the requests that wait, in the order in which they were made.
func (a *Requests) Waiting() (list []Request) {
	for _, s := range a.order {
		if s.answer.Done == "" {
			list = append(list, s.request)
		}
	}
	return list
}

// Count is how many requests have an outcome.
func (a *Requests) Count(o RequestOutcome) int { return a.counts[o] }

// Of is the newest request of a path and what became of it.
func (a *Requests) Of(path string) (q Request, answer RequestAnswer, ok bool) {
	s := a.newest[path]
	if s == nil {
		return q, answer, false
	}
	answer = s.answer
	answer.Done = s.outcome()
	return s.request, answer, true
}

// same finds a request that waits for the same.
func (a *Requests) same(q Request) bool {
	s := a.newest[q.Path]
	return s != nil && s.answer.Done == "" && s.request.Prompt == q.Prompt && s.request.Model == q.Model
}

// AddRequests adds requests, all or none, and returns how many were added: those that wait already are not added again. ID and
// Time are filled in. The error is a *[RequestError] for what is refused and a *[WriteError] where the file cannot be written.
func AddRequests(dir string, list []Request) (added int, err error) {
	err = changeRequests(dir, func(all *Requests) ([]any, error) {
		var lines []any
		for _, q := range list {
			q, err := q.check()
			if err != nil {
				return nil, err
			}
			if all.same(q) {
				continue
			}
			if all.counts[RequestWaiting] >= MaxRequests {
				return nil, &RequestError{fmt.Sprintf("%s requests wait already, more are not taken; a run takes them up", humanize.Comma(MaxRequests))}
			}
			q.ID, q.Time = newRequestID(), time.Now().UTC().Truncate(time.Millisecond)
			all.add(requestLine{Request: q}, nil)
			q.Path = EncodePath(q.Path)
			lines = append(lines, q)
		}
		added = len(lines)
		return lines, nil
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// CancelRequests takes back the waiting requests that match, and returns how many these were. What a run describes already is
// described all the same.
func CancelRequests(dir string, match func(Request) bool) (cancelled int, err error) {
	err = changeRequests(dir, func(all *Requests) (lines []any, err error) {
		for _, q := range all.Waiting() {
			if match(q) {
				lines = append(lines, RequestAnswer{ID: q.ID, Done: RequestCancelled, Time: time.Now().UTC().Truncate(time.Millisecond)})
			}
		}
		cancelled = len(lines)
		return lines, nil
	})
	return cancelled, err
}

// AnswerRequests ends requests. Those that have ended already stay as they are.
func AnswerRequests(dir string, answers ...RequestAnswer) error {
	var lines []any
	for _, a := range answers {
		a.Time, a.Why = a.Time.UTC().Truncate(time.Millisecond), shorten(cleanText(a.Why), maxRequestWhy)
		lines = append(lines, a)
	}
	list := requestsFile(dir)
	held, err := list.lock()
	if err != nil {
		return err
	}
	defer func() { _ = held.Unlock() }()
	return appendRequests(list, lines)
}

// changeRequests adds the lines that change makes of the requests. No other process changes them meanwhile.
func changeRequests(dir string, change func(*Requests) ([]any, error)) error {
	list := requestsFile(dir)
	held, err := list.lock()
	if err != nil {
		return err
	}
	defer func() { _ = held.Unlock() }()
	all, err := ReadRequests(dir)
	if err != nil {
		return err
	}
	lines, err := change(all)
	if err != nil || len(lines) == 0 {
		return err
	}
	return appendRequests(list, lines)
}

func appendRequests(list sharedFile, lines []any) error {
	var w bytes.Buffer
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return list.append(&lenientFS{filesystem: osFS{}, refused: func(error) {}}, w.Bytes())
}

func requestsPath(dir string) string { return filepath.Join(dir, RequestsName) }

func requestsFile(dir string) sharedFile {
	return sharedFile{path: requestsPath(dir), what: "requests", again: "ask again"}
}

func newRequestID() string {
	b := make([]byte, requestIDLen/2)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// RequestsMark is another text whenever the requests may be others; "" where there are none.
func RequestsMark(dir string) string { return sizeMark(requestsPath(dir)) }

// sizeMark is another text whenever a file that only grows has grown; "" where there is none.
func sizeMark(path string) string {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return ""
	}
	return fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
}

// RequestCounts are how many requests have which outcome.
type RequestCounts struct {
	Waiting   int            `json:"waiting"`
	Described int            `json:"described"`
	Failed    int            `json:"failed"`
	Models    map[string]int `json:"models,omitempty"`  // of Waiting, those that wait for a certain model, by its name
	Damaged   int            `json:"damaged,omitempty"` // lines that cannot be read
}

// Counts counts the requests.
func (a *Requests) Counts() RequestCounts {
	c := RequestCounts{Waiting: a.Count(RequestWaiting), Described: a.Count(RequestDescribed), Failed: a.Count(RequestFailed), Damaged: a.Bad}
	for _, q := range a.Waiting() {
		if q.Model != "" {
			if c.Models == nil {
				c.Models = map[string]int{}
			}
			c.Models[q.Model]++
		}
	}
	return c
}

// lastCounts keeps the counts of one workdir, which a page asks for each second.
var lastCounts struct {
	sync.Mutex
	dir, mark string
	counts    *RequestCounts
}

// requestCounts counts the requests of a workdir, nil where there are none.
func requestCounts(dir string) *RequestCounts {
	mark := RequestsMark(dir)
	if mark == "" {
		return nil
	}
	last := &lastCounts
	last.Lock()
	defer last.Unlock()
	if last.dir != dir || last.mark != mark || last.counts == nil {
		all, err := ReadRequests(dir)
		if err != nil {
			all.Bad++
		}
		counts := all.Counts()
		last.dir, last.mark, last.counts = dir, mark, &counts
	}
	return last.counts
}

// For are the waiting requests that a run with a model takes up.
func (a *Requests) For(model string) []Request {
	return slices.DeleteFunc(a.Waiting(), func(q Request) bool { return q.Model != "" && q.Model != model })
}

// SetNoRequests records that the run describes nothing that is asked for.
func (l *Live) SetNoRequests() { l.change(func(s *state) { s.NoRequests = true }) }
