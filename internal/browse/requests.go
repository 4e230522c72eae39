package browse

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"photodesc/internal/prompts"
	"photodesc/tracker"
)

// requests are those of the workdir, read again when their file has changed.
type requests struct {
	mu   sync.Mutex
	mark string
	all  *tracker.Requests
}

func (q *requests) read(dir string) (*tracker.Requests, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	mark := tracker.RequestsMark(dir)
	if q.all == nil || mark != q.mark {
		all, err := tracker.ReadRequests(dir)
		if err != nil {
			return nil, err
		}
		q.all, q.mark = all, mark
	}
	return q.all, nil
}

// requestJSON is the newest request for a photo.
type requestJSON struct {
	State   tracker.RequestOutcome `json:"state"`
	Prompt  string                 `json:"prompt"` // "": the run's
	Model   string                 `json:"model"`  // "": the run's
	Why     string                 `json:"why,omitempty"`
	Command string                 `json:"command,omitempty"` // where it waits and no run that is up takes it up
}

// requestOf is the newest request for a photo, nil if there is none that matters.
func (s *server) requestOf(path string) *requestJSON {
	all, err := s.requests.read(s.o.Dir)
	if err != nil {
		s.warnOnce(err)
		return nil
	}
	q, a, ok := all.Of(path)
	if !ok || a.Done == tracker.RequestCancelled || a.Done == tracker.RequestDescribed {
		return nil
	}
	j := &requestJSON{State: a.Done, Prompt: q.Prompt, Model: q.Model, Why: a.Why}
	if j.State == tracker.RequestWaiting {
		j.Command = s.requestsCommand(q.Model)
	}
	return j
}

// requestsCommand is the command that describes what waits for a model; "" if a run is up that does.
func (s *server) requestsCommand(model string) string {
	snap, err := tracker.Peek(s.o.Dir)
	if err != nil || s.o.RequestsCommand == nil || snap.TakesRequests(model) {
		return ""
	}
	return s.o.RequestsCommand(snap, model)
}

// choicesJSON is what a photo can be described with.
type choicesJSON struct {
	Prompts []promptJSON `json:"prompts"`
	Models  []string     `json:"models"` // on this machine
	Model   string       `json:"model"`  // of the run
}

type promptJSON struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (s *server) serveChoices(w http.ResponseWriter, _ *http.Request) {
	c := choicesJSON{Models: append([]string{}, s.o.Models...)}
	for _, p := range prompts.All() {
		c.Prompts = append(c.Prompts, promptJSON{p.Name, p.Text})
	}
	if snap, err := tracker.Peek(s.o.Dir); err == nil {
		c.Model = snap.Model
	}
	s.writeJSON(w, c)
}

// askJSON is what the page sends: which photos, by their IDs or as a view, and what is asked of them.
type askJSON struct {
	IDs    []string `json:"ids"`
	View   *string  `json:"view"` // the parameters of the page's address
	Prompt string   `json:"prompt"`
	Model  string   `json:"model"`
	Cancel bool     `json:"cancel"` // takes back what waits, whatever the prompt
}

// askedJSON is the answer.
type askedJSON struct {
	Photos  int    `json:"photos"` // that were meant
	Changed int    `json:"changed"`
	Command string `json:"command,omitempty"` // as in requestJSON
}

// maxAsked bounds the body of a request, in bytes: IDs of all photos that a search shows.
const maxAsked = 1 << 20

// serveAsk keeps requests to describe photos again, or takes them back.
func (s *server) serveAsk(w http.ResponseWriter, r *http.Request) {
	// A form of another page cannot send this type without asking first.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "a request is JSON", http.StatusUnsupportedMediaType)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	var sent askJSON
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked))
	d.DisallowUnknownFields()
	if err := d.Decode(&sent); err != nil {
		http.Error(w, "the request cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := s.ask(r, sent)
	var refused *tracker.RequestError
	var wrong *viewError
	switch {
	case errors.As(err, &wrong):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.As(err, &refused):
		http.Error(w, refused.Reason, http.StatusBadRequest)
	case err != nil:
		s.fail(w, err)
	default:
		s.writeJSON(w, answer)
	}
}

func (s *server) ask(r *http.Request, sent askJSON) (a askedJSON, err error) {
	if err := s.refresh(r.Context()); err != nil {
		return a, err
	}
	photos, err := s.meant(r, sent)
	if err != nil {
		return a, err
	}
	if a.Photos = len(photos); a.Photos == 0 {
		return a, &tracker.RequestError{Reason: "no photo fits any more"}
	}
	if sent.Cancel {
		meant := map[string]bool{}
		for _, e := range photos {
			meant[e.path] = true
		}
		a.Changed, err = tracker.CancelRequests(s.o.Dir, func(q tracker.Request) bool { return meant[q.Path] })
		return a, err
	}
	if strings.TrimSpace(sent.Prompt) != "" {
		if _, err := prompts.Parse(sent.Prompt); err != nil {
			return a, &tracker.RequestError{Reason: err.Error()}
		}
	}
	list := make([]tracker.Request, 0, len(photos))
	for _, e := range photos {
		list = append(list, tracker.Request{Path: e.path, Prompt: sent.Prompt, Model: sent.Model})
	}
	a.Changed, err = tracker.AddRequests(s.o.Dir, list)
	a.Command = s.requestsCommand(sent.Model)
	return a, err
}

// meant are the photos that are asked for.
func (s *server) meant(r *http.Request, sent askJSON) (photos []*entry, err error) {
	if sent.View != nil {
		q, err := url.ParseQuery(*sent.View)
		if err != nil {
			return nil, &tracker.RequestError{Reason: "this is no view of the page"}
		}
		photos, more, err := s.viewed(r.Context(), q)
		if more && err == nil {
			err = &tracker.RequestError{Reason: fmt.Sprintf("these are more than %d photos: add a word to the search, or a filter", len(photos))}
		}
		return photos, err
	}
	for _, text := range sent.IDs {
		id, err := parseID(text)
		if err != nil {
			return nil, &tracker.RequestError{Reason: fmt.Sprintf("%q is no photo", text)}
		}
		if e := s.library.find(id); e != nil {
			photos = append(photos, e)
		}
	}
	return photos, nil
}
