package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Job is a photo that this node is to describe.
type Job struct {
	Path    string // any bytes; may name something outside of a folder, like "../x"
	Size    int64
	ModTime time.Time
	// Fetch hands the photo's bytes to write, piece by piece.
	Fetch func(ctx context.Context, write func([]byte) error) error
	// Head asks for Config.Head of the photo.
	Head func(ctx context.Context) (string, error)
}

// Work says how a node works.
type Work struct {
	Slots int // jobs at once
	// Describe does a job. An error gives it back: it says nothing about the photo. ctx ends with the node's work.
	Describe func(ctx context.Context, j Job) (Answer, error)
	Beat     func() Beat // what the coordinator is told
	// Rejoin joins again a run that was started anew. It is false if this work is not for that run. It may be nil.
	Rejoin  func(ctx context.Context) bool
	Prove   func(times int)  // asks for a proof, see Beat.Proven; returns at once
	Paused  func(why string) // told when it changes; "" is going on
	Resting func(why string) // the same, where the others are faster and this node gets no jobs for now; may be nil
	AckWait time.Duration    // of Welcome
}

// ErrUnknown ends Do when the coordinator does not know this node any more: it was started again. Join again.
var ErrUnknown = errors.New("the run was started anew")

// ErrBusy is returned by Work.Describe for a photo that the node has already.
var ErrBusy = errors.New("this node has the photo already")

// fetchWait is how long one request for jobs waits in the server.
const fetchWait = 20 * time.Second

// worker is a node at work.
type worker struct {
	*Link
	settings string // under which the work began
	work     Work
	tokens   chan struct{} // one for each free slot
	jobs     sync.WaitGroup

	wakes chan struct{}
	life  context.Context // of jobs in flight

	mu       sync.Mutex
	paused   string
	resting  string
	consumer jetstream.Consumer // of jobs; nil before the first request and after one has failed

	finished atomic.Bool // the run has said so to all
}

// Do does jobs until the run is over, ErrUnknown, or ctx ends. Stopping is asked for with stop: what is in flight is then finished.
func (l *Link) Do(ctx context.Context, stop <-chan struct{}, work Work) (over string, err error) {
	w := &worker{Link: l, settings: l.settings, work: work, tokens: make(chan struct{}, work.Slots), wakes: make(chan struct{}, 1)}
	for range work.Slots {
		w.tokens <- struct{}{}
	}
	if w.work.AckWait <= 0 {
		w.work.AckWait = DefaultAckWait
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	life, endLife := context.WithCancel(ctx)
	defer endLife()
	w.life = life
	all, err := l.nc.Subscribe(l.subjects.all(), func(m *nats.Msg) {
		w.finished.Store(string(m.Data) == OverFinished)
		w.wake()
	})
	if err != nil {
		return "", err
	}
	defer all.Unsubscribe()
	every := cmp.Or(l.every, beatEvery(w.work.AckWait))
	pulling, endPulling := context.WithCancel(ctx)
	defer endPulling()
	var pull sync.WaitGroup
	pull.Go(func() { w.pull(pulling) })
	for over == "" {
		over, err = w.beat(ctx)
		if errors.Is(err, ErrUnknown) && work.Rejoin != nil && work.Rejoin(ctx) {
			err = nil
		}
		if err == nil && over == "" && w.finished.Load() { // the run may have ended without an answer
			over = OverFinished
		}
		if err != nil || over != "" {
			break
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-stop:
			over = OverStopped
		case <-w.wakes:
		case <-l.back: // the run may be over meanwhile
		case <-time.After(every):
		}
		if err != nil {
			break
		}
	}
	endPulling()
	pull.Wait()
	if err != nil || over == OverFinished {
		endLife() // what is in flight is given back, or has its result from another node
	}
	w.drain(ctx, err == nil, stop, endLife)
	return over, err
}

// drain waits for what is in flight. The coordinator is told meanwhile how much that is. When this node is to stop and nobody can be
// reached to take the results, they are given up.
func (w *worker) drain(ctx context.Context, tell bool, stop <-chan struct{}, giveUp func()) {
	lost := time.Now()
	done := make(chan struct{})
	go func() {
		w.jobs.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			if tell {
				_, _ = w.beat(ctx)
			}
			return
		case <-time.After(beatEvery(w.work.AckWait)):
			if tell {
				_, _ = w.beat(ctx)
			}
		}
		if w.nc.IsConnected() {
			lost = time.Now()
		}
		select {
		case <-stop:
			if time.Since(lost) > giveUpAfter {
				giveUp()
			}
		default:
		}
	}
}

// giveUpAfter is how long a node that is to stop waits for a connection to hand in results.
const giveUpAfter = 3 * time.Second

func (w *worker) wake() {
	select {
	case w.wakes <- struct{}{}:
	default:
	}
}

// beat tells the coordinator how this node is, and does what it answers. That it does not answer is no error.
func (w *worker) beat(ctx context.Context) (over string, err error) {
	var r beatReply
	b := w.work.Beat()
	b.Slots = w.work.Slots
	limited, cancel := context.WithTimeout(ctx, beatTimeout(w.work.AckWait))
	defer cancel()
	if err := w.ask(limited, askBeat, b, &r); err != nil {
		return "", ctx.Err()
	}
	if r.Over != "" {
		return r.Over, nil
	}
	if r.Unknown {
		return "", ErrUnknown
	}
	if r.Prove > b.Proven {
		w.work.Prove(r.Prove)
	}
	w.mu.Lock()
	changed := w.paused != r.Paused
	turned := (w.resting == "") != (r.Rest == "")
	w.paused, w.resting = r.Paused, r.Rest
	w.mu.Unlock()
	if changed && w.work.Paused != nil {
		w.work.Paused(r.Paused)
	}
	if turned && w.work.Resting != nil {
		w.work.Resting(r.Rest)
	}
	return "", nil
}

func (w *worker) isPaused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.paused != "" || w.resting != ""
}

// pull asks for as many jobs as there are free slots.
func (w *worker) pull(ctx context.Context) {
	var requests sync.WaitGroup
	defer requests.Wait()
	for ctx.Err() == nil {
		n := w.freeSlots(ctx)
		if n == 0 {
			return
		}
		if w.isPaused() {
			w.free(n)
			pause(ctx, time.Second)
			continue
		}
		requests.Go(func() { w.request(ctx, n) })
	}
}

// freeSlots waits for a free slot and takes all there are.
func (w *worker) freeSlots(ctx context.Context) (n int) {
	select {
	case <-ctx.Done():
		return 0
	case <-w.tokens:
		n = 1
	}
	for {
		select {
		case <-w.tokens:
			n++
		default:
			return n
		}
	}
}

func (w *worker) free(n int) {
	for range n {
		w.tokens <- struct{}{}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// request asks for n jobs and does each as it comes. Slots that get none are free again at the end.
func (w *worker) request(ctx context.Context, n int) {
	defer func() { w.free(n) }()
	limited, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	c, err := w.jobsConsumer(limited)
	if err != nil {
		pause(ctx, time.Second) // the server is away, or the run has not begun
		return
	}
	batch, err := c.Fetch(n, jetstream.FetchContext(limited))
	if err != nil {
		w.setConsumer(nil)
		pause(ctx, time.Second)
		return
	}
	for m := range batch.Messages() {
		if ctx.Err() != nil {
			_ = m.Nak()
			continue
		}
		if w.isPaused() {
			w.jobs.Go(func() { w.passOn(m) })
			continue
		}
		n--
		w.jobs.Go(func() {
			defer w.free(1)
			w.do(m)
		})
	}
	if batch.Error() != nil && n > 0 && limited.Err() == nil {
		w.setConsumer(nil)
		pause(ctx, 200*time.Millisecond)
	}
}

func (w *worker) jobsConsumer(ctx context.Context) (jetstream.Consumer, error) {
	w.mu.Lock()
	c := w.consumer
	w.mu.Unlock()
	if c != nil {
		return c, nil
	}
	c, err := w.js.Consumer(ctx, w.subjects.jobStream(), consumerName)
	if err == nil {
		w.setConsumer(c)
	}
	return c, err
}

func (w *worker) setConsumer(c jetstream.Consumer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.consumer = c
}

// do does one job: it says that it is at it, publishes the result, and acknowledges the job when the server has the result.
func (w *worker) do(m jetstream.Msg) {
	var j job
	if err := json.Unmarshal(m.Data(), &j); err != nil {
		_ = m.Term()
		return
	}
	for _, node := range j.Not {
		if node == w.id {
			// Another machine is to try it. It is given back and not refused, because the server counts deliveries. How long that
			// takes differs: of two nodes that got each other's photos at equal times, each would get the same one again and again.
			if pause(w.life, w.work.AckWait/30+rand.N(w.work.AckWait/15)); w.giveBack(w.life, j, returned{NotMine: true}) {
				_ = m.Ack()
			} else {
				_ = m.Nak()
			}
			return
		}
	}
	ctx, cancel := context.WithCancel(w.life)
	defer cancel()
	go func() {
		tick := time.NewTicker(w.work.AckWait / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = m.InProgress()
			}
		}
	}()
	a, err := w.work.Describe(ctx, Job{Path: string(j.Path), Size: j.Size, ModTime: j.ModTime, Fetch: func(ctx context.Context, write func([]byte) error) error {
		return w.read(ctx, askPhoto, func(at int64) any { return photoRequest{j.ID, j.Path, at} }, 0, j.Size, j.ModTime, write)
	}, Head: func(ctx context.Context) (string, error) { return w.head(ctx, photoRequest{j.ID, j.Path, 0}) }})
	switch {
	case ctx.Err() != nil:
		_ = m.Nak()
		return
	case errors.Is(err, ErrBusy):
		_ = m.NakWithDelay(w.work.AckWait / 3)
		return
	case err != nil:
		if !w.giveBack(ctx, j, returned{Why: oneLine(err.Error(), 300)}) {
			_ = m.NakWithDelay(time.Second)
			return
		}
	default:
		if !w.publish(ctx, result{j.ID, j.Path, w.settings, w.name, a}) {
			_ = m.Nak()
			return
		}
	}
	_ = m.Ack()
}

// passOn leaves a job to others that came while this node takes none. It is given back and not refused, because the server counts
// deliveries.
func (w *worker) passOn(m jetstream.Msg) {
	var j job
	if json.Unmarshal(m.Data(), &j) == nil && w.giveBack(w.life, j, returned{NotMine: true}) {
		_ = m.Ack()
		return
	}
	_ = m.Nak()
}

// giveBack has the coordinator hand out the job again. It is false if that could not be asked.
func (w *worker) giveBack(ctx context.Context, j job, r returned) bool {
	r.ID, r.Path = j.ID, j.Path
	var reply beatReply
	return w.ask(ctx, askReturn, r, &reply) == nil
}

// head asks for the hash of the ends of a photo.
func (w *worker) head(ctx context.Context, q photoRequest) (string, error) {
	data, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	m, err := w.nc.RequestWithContext(limited, w.subjects.ask(w.id, askHead), data)
	if err != nil {
		return "", err
	}
	if why := m.Header.Get(headerError); why != "" {
		return "", &FileError{oneLine(why, 300)}
	}
	return string(m.Data), nil
}

// publish publishes a result until the server has it. It is false if it was not to be.
func (w *worker) publish(ctx context.Context, r result) bool {
	data, err := json.Marshal(r)
	if err != nil || len(data) > maxResult {
		r.Answer = Answer{Attempts: r.Attempts, Seconds: r.Seconds, Failure: &Failure{Kind: "model", Message: fmt.Sprintf("its answer has %d bytes", len(data))}}
		data, _ = json.Marshal(r)
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		limited, cancel := context.WithTimeout(ctx, readTimeout)
		_, err := w.js.Publish(limited, w.subjects.result(w.id), data, jetstream.WithRetryAttempts(0))
		cancel()
		if err == nil {
			return true
		}
		if pause(ctx, wait); ctx.Err() != nil {
			return false
		}
	}
}
