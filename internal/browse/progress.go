package browse

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"photodesc/tracker"
)

// The run's state is looked at so often while somebody watches.
const (
	lookEvery = time.Second
	// keepAlive is after how long a stream without news sends something, to notice that the page is gone.
	keepAlive = 15 * time.Second
	// maxMemory is how many samples of memory are kept: an hour.
	maxMemory = 3600
)

// runJSON is what the page shows of the run.
type runJSON struct {
	tracker.Snapshot
	PercentDone float64   `json:"percent"`
	Memory      []uint64  `json:"memory"`  // bytes of program and workers, a sample a second
	Version     int       `json:"version"` // of the library, which grows when photos were added
	Now         time.Time `json:"now"`
	Begin       string    `json:"begin"`           // the command that begins or goes on
	Retry       string    `json:"retry"`           // the command that tries failed photos again
	Asked       []askedOf `json:"asked,omitempty"` // requests that wait
}

// memory keeps samples of what the run takes.
type memory struct {
	mu      sync.Mutex
	samples []uint64
	last    time.Time
	pid     int
}

// add takes a sample, at most one a second.
func (m *memory) add(s *tracker.Snapshot, now time.Time) []uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.PID != m.pid {
		m.samples, m.pid = nil, s.PID // another run
	}
	if bytes := s.Sample.SupervisorBytes + s.Sample.WorkerBytes; s.Running && bytes > 0 && now.Sub(m.last) >= lookEvery*9/10 {
		m.samples = append(m.samples, bytes)
		m.samples = m.samples[max(0, len(m.samples)-maxMemory):]
		m.last = now
	}
	return append([]uint64{}, m.samples...)
}

// look reads the state of the run, as `photodesc status` does.
func (s *server) look() (runJSON, error) {
	snap, err := tracker.Peek(s.o.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return runJSON{}, errors.New("the workdir is not there any more")
	}
	if err != nil {
		return runJSON{}, err
	}
	now := time.Now()
	run := runJSON{Snapshot: snap, PercentDone: snap.Percent(), Memory: s.memory.add(&snap, now),
		Version: s.library.current(), Now: now, Begin: s.o.RunCommand, Retry: s.o.RetryCommand}
	run.Asked = s.asked(&snap)
	return run, nil
}

// askedOf are requests that wait for the same.
type askedOf struct {
	Photos  int    `json:"photos"`
	Model   string `json:"model,omitempty"`   // "": any run
	Command string `json:"command,omitempty"` // as in requestJSON
}

// asked are the requests that wait, by what they wait for.
func (s *server) asked(snap *tracker.Snapshot) (list []askedOf) {
	if snap.Requests == nil {
		return nil
	}
	add := func(n int, model string) {
		if n > 0 {
			list = append(list, askedOf{n, model, ""})
			if !snap.TakesRequests(model) && s.o.RequestsCommand != nil {
				list[len(list)-1].Command = s.o.RequestsCommand(*snap, model)
			}
		}
	}
	any := snap.Requests.Waiting
	for _, n := range snap.Requests.Models {
		any -= n
	}
	add(any, "")
	for _, model := range slices.Sorted(maps.Keys(snap.Requests.Models)) {
		add(snap.Requests.Models[model], model)
	}
	return list
}

func (s *server) serveRun(w http.ResponseWriter, r *http.Request) {
	run, err := s.look()
	if err != nil {
		s.fail(w, err)
		return
	}
	s.writeJSON(w, run)
}

// serveRunEvents sends the state of the run when it has changed, until the page is closed.
func (s *server) serveRunEvents(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var sent string
	var sentAt time.Time
	for {
		if err := s.refresh(r.Context()); err != nil {
			s.warnOnce(err)
		}
		text, err := s.event(&sent)
		if err != nil {
			text = fmt.Sprintf("event: failure\ndata: %s\n\n", mustJSON(err.Error()))
		}
		if text == "" && time.Since(sentAt) > keepAlive {
			text = ": still here\n\n"
		}
		if text != "" {
			_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := w.Write([]byte(text)); err != nil {
				return
			}
			if err := c.Flush(); err != nil {
				return
			}
			sentAt = time.Now()
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.ending:
			return
		}
	}
}

// event is the state as an event; "" if it is the one that was sent.
func (s *server) event(sent *string) (string, error) {
	run, err := s.look()
	if err != nil {
		return "", err
	}
	at := run.Now
	if !run.Running {
		run.Now = time.Time{} // else each second would differ
	}
	same := mustJSON(run)
	if same == *sent {
		return "", nil
	}
	*sent = same
	run.Now = at
	return fmt.Sprintf("data: %s\n\n", mustJSON(run)), nil
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return `"` + "the state cannot be written as JSON" + `"`
	}
	return string(b)
}
