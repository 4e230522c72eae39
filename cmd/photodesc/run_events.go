package main

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"photodesc/internal/cluster"
	"photodesc/internal/ui"
	"photodesc/pool"
	"photodesc/tracker"
)

// events writes a JSON object a line for programs that watch a run, as
// docs/events.md describes. A nil *events writes nothing.
type events struct {
	mu   sync.Mutex
	w    io.Writer
	gone func(error) // called once, when writing failed
}

// newEvents writes to w. The run goes on without events when w's reader goes away.
func newEvents(w io.Writer, gone func(error)) *events {
	// A signal that is caught does not end the process. Workers inherit only a
	// signal that is ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return &events{w: w, gone: gone}
}

func (e *events) write(v any) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.w == nil {
		return
	}
	if err := ui.WriteJSON(e.w, v); err != nil {
		e.w = nil
		e.gone(err)
	}
}

type eventHead struct {
	Event string    `json:"event"`
	Time  time.Time `json:"time"`
}

func head(event string) eventHead {
	return eventHead{event, time.Now().Truncate(time.Millisecond)}
}

type startEvent struct {
	eventHead
	Version   string   `json:"version"`
	PID       int      `json:"pid"`
	Workdir   string   `json:"workdir"`
	Root      string   `json:"root"`
	Model     string   `json:"model"`
	Prompt    string   `json:"prompt"`
	Prompts   []string `json:"prompts"`
	Settings  string   `json:"settings"`
	Log       string   `json:"log"`
	Total     int      `json:"total"`
	Described int      `json:"described"`
	Failed    int      `json:"failed"`
	Todo      int      `json:"todo"`
	Workers   int      `json:"workers"`
	Slots     int      `json:"slots"`
	Budget    uint64   `json:"budget_bytes"`

	LeftOut tracker.LeftOut `json:"left_out,omitzero"`
}

type photoEvent struct {
	Event          string `json:"event"`
	tracker.Record        // the same line goes to the outputs; it has the time
	Batch          int    `json:"batch,omitempty"`
	Described      int    `json:"described"`
	FailedSoFar    int    `json:"failed"`
	Remaining      int    `json:"remaining"`

	Rate float64 `json:"rate_last_hour"`
	Left float64 `json:"left_seconds"`
}

type workerEvent struct {
	eventHead
	Action  string  `json:"action"`
	Worker  int     `json:"worker"`
	PID     int     `json:"pid,omitempty"`
	Batch   int     `json:"batch"`
	Reason  string  `json:"reason,omitempty"`
	Message string  `json:"message,omitempty"`
	Photos  int     `json:"photos,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Bytes   uint64  `json:"worker_bytes,omitempty"`
}

type memoryEvent struct {
	eventHead
	tracker.Sample
	Celsius float64 `json:"celsius,omitempty"`
	Waiting string  `json:"waiting,omitempty"`
}

type nodeEvent struct {
	eventHead
	Action    cluster.NodeAction `json:"action"`
	Node      string             `json:"node"`
	Reason    string             `json:"reason,omitempty"`
	By        string             `json:"by,omitempty"`
	Described int                `json:"described"`
	Failed    int                `json:"failed,omitempty"`
}

type stopEvent struct {
	eventHead
	Reason   tracker.StopReason `json:"reason"`
	ExitCode int                `json:"exit_code"`
	Message  string             `json:"message,omitempty"`
}

type summaryEvent struct {
	eventHead
	ui.RunSummary
}

func (r *runner) startEvent() {
	p := r.track.Live().Progress()
	r.events.write(startEvent{
		eventHead: head("start"), Version: version, PID: os.Getpid(),
		Workdir: tracker.EncodePath(r.dir), Root: tracker.EncodePath(r.root),
		Model: r.model.Name, Prompt: r.set.Ask.First(), Prompts: r.set.Ask.Names(), Settings: r.track.SettingsID(), Log: logName(r),
		Total: p.Total, Described: p.Completed, Failed: p.Failed, Todo: p.Remaining - p.Later,
		Workers: r.plan.Workers, Slots: r.plan.Workers * r.plan.Slots, Budget: r.plan.Own,
		LeftOut: r.track.Live().LeftOut(),
	})
}

func (r *runner) photoEvent(rec tracker.Record, batch int) {
	if r.events == nil {
		return
	}
	rec.Path, rec.Time = tracker.EncodePath(rec.Path), rec.Time.Truncate(time.Millisecond)
	if rec.Of != "" {
		rec.Of = tracker.EncodePath(rec.Of)
	}
	p := r.track.Live().Progress()
	r.events.write(photoEvent{Event: "photo", Record: rec, Batch: batch, Described: p.Completed, FailedSoFar: p.Failed, Remaining: p.Remaining,
		Rate: p.RateLastHour, Left: p.LeftSeconds})
}

// poolEvent writes the events about workers.
func (r *poolObserver) poolEvent(e pool.Event) {
	action := ""
	switch e.Kind {
	case pool.EventWorkerStart:
		action = "start"
	case pool.EventWorkerReady:
		action = "ready"
	case pool.EventWorkerExit:
		action = "exit"
	default:
		return
	}
	r.events.write(workerEvent{
		eventHead: head("worker"), Action: action, Worker: e.Worker, PID: e.PID, Batch: e.Batch,
		Reason: e.Reason, Message: e.Message, Photos: e.Photos, Seconds: tenth(e.Seconds), Bytes: e.WorkerBytes,
	})
}

// nodeEvent tells what has become of a machine that takes part.
func (e *events) nodeEvent(n cluster.NodeNews) {
	e.write(nodeEvent{
		eventHead: eventHead{"node", n.Time.Truncate(time.Millisecond)}, Action: n.Action, Node: n.Name, Reason: n.Reason, By: n.By,
		Described: n.Described, Failed: n.Failed,
	})
}

// endEvents writes the last two events: how the run ended and what it did.
func (r *runner) endEvents(code int, err error) {
	if r.events == nil {
		return
	}
	reason, message := stopReason(err)
	r.events.write(stopEvent{eventHead: head("stop"), Reason: reason, ExitCode: code, Message: message})
	r.events.write(summaryEvent{head("summary"), r.summary()})
}
