package pool

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// This file lets a worker ask whether the answer to a job is needed, once it knows more of the photo than its path.

// Needed asks the supervisor, in a handler of [Serve], whether the answer to the handler's job is needed. data, sent as JSON, is
// what [Config.Needed] decides by. It is true without a supervisor that decides, and where the question cannot be sent. It may be
// called once for each job. A handler that is told false returns what it knows without the costly part.
func Needed(ctx context.Context, data any) bool {
	a, asks := ctx.Value(askerKey{}).(asker)
	if !asks {
		return true
	}
	b, err := json.Marshal(data)
	if err != nil {
		return true
	}
	replied := a.server.questions.add(a.job)
	if err := a.server.send(report{Question: &question{a.job, b}}); err != nil {
		return true
	}
	select {
	case needed := <-replied:
		return needed
	case <-ctx.Done():
		return true
	}
}

type askerKey struct{}

// asker is who asks: the worker's end of the protocol, about a job.
type asker struct {
	server *server
	job    uint64
}

// questions are those of a worker that have no reply yet.
type questions struct {
	mu      sync.Mutex
	waiting map[uint64]chan bool // by job
}

func (q *questions) add(job uint64) <-chan bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == nil {
		q.waiting = map[uint64]chan bool{}
	}
	c := make(chan bool, 1)
	q.waiting[job] = c
	return c
}

// answer passes a reply on. One that nobody waits for is ignored.
func (q *questions) answer(r reply) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if c := q.waiting[r.ID]; c != nil {
		delete(q.waiting, r.ID)
		c <- r.Needed
	}
}

var errQuestion = errors.New("it asked about a job that it does not have, or twice")

// evNeeded is what Config.Needed has returned.
type evNeeded struct {
	w      *worker
	job    uint64
	needed bool
}

// onQuestion has Config.Needed decide. A probe is always needed: its outcome shows whether workers work.
func (r *run) onQuestion(w *worker, q *question) {
	a := w.attempts[q.ID]
	switch {
	case w.ended():
	case a == nil || a.asked:
		w.breakProtocol(errQuestion, time.Now())
	case r.cfg.Needed == nil || a.photo.probe:
		a.asked = true
		r.reply(w, q.ID, true)
	default:
		a.asked = true
		path := a.photo.path
		go func() { r.events.send(evNeeded{w, q.ID, r.cfg.Needed(path, q.Data)}) }()
	}
}

// onNeeded passes on what was decided, if the worker still has the job.
func (r *run) onNeeded(ev evNeeded) {
	if a := ev.w.attempts[ev.job]; a != nil && !ev.w.ended() {
		a.unneeded = !ev.needed
		r.reply(ev.w, ev.job, ev.needed)
	}
}

func (r *run) reply(w *worker, job uint64, needed bool) {
	line, _ := encodeLine(order{Reply: &reply{job, needed}})
	w.proc.orders <- line
}
