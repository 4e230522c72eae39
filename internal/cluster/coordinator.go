package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Photo is an open photo.
type Photo struct {
	io.ReaderAt
	io.Closer
	Size    int64
	ModTime time.Time
}

// UnavailableError says why no photo can be read now, as when their disk is away.
type UnavailableError struct{ Why string }

func (e *UnavailableError) Error() string { return e.Why }

// Outcome is the result of a photo.
type Outcome struct {
	Path    string
	Machine string // name of the node
	Answer
}

// Config says how a Coordinator works.
type Config struct {
	Conn     *Conn
	Run      string
	Secret   []byte // of job IDs
	Settings string // ID of what decides the words; part of job IDs
	Version  string
	Model    Model
	Work     json.RawMessage // what nodes tell their workers
	Photos   []string        // paths; any bytes
	Local    string          // name of this machine if its workers work, too; see Coordinator.Jobs

	Memory   bool // keep the queue in the server's memory
	Replicas int  // of the streams

	// Stat and Open look at a photo. They may hang as long as its disk does.
	Stat func(path string) (size int64, modTime time.Time, err error)
	Open func(path string) (Photo, error)
	// Head is a hash of the ends of a file with so many bytes.
	Head func(r io.ReaderAt, size int64) (string, error)
	// OpenModel opens the text model, 0, or the vision file, 1.
	OpenModel func(file int) (Photo, error)
	// Probe looks at a photo that could not be read. It returns nil if it can be read now, an *UnavailableError if no photo can be,
	// and otherwise what is wrong with this one.
	Probe func(path string) error

	// Keep records results. When it returns nil, they are on the disk. An error ends the run. It is not called concurrently.
	Keep func([]Outcome) error

	Warn    func(text string)  // for people
	Info    func(text string)  // for people
	Observe func(nodes []Node) // about once a second
	News    func(NodeNews)     // what becomes of nodes, after Warn or Info had it as a sentence; may be nil

	// PutOut closes the connections of a node that sends what no honest node sends. It may be nil.
	PutOut func(node string)

	AckWait time.Duration // without a mark of progress, after which a job goes to another node; default 30 s
	Tick    time.Duration // between looks at what has become of nodes and jobs; default 1 s
}

// Coordinator hands the photos of a run out and takes results.
type Coordinator struct {
	cfg      Config
	subjects subjects
	seal     sealer
	streams  atomic.Pointer[streams]
	suspect  atomic.Bool // the server may not have the streams any more
	reads    chan func() // of photos and models
	keeping  sync.Mutex  // held while results are recorded

	mu         sync.Mutex
	changed    *sync.Cond
	ledger     *ledger
	nodes      *registry
	news       newsDesk
	localBusy  int
	queueAfter time.Time // this machine takes nothing from the queue before
	away       string    // why photos cannot be read now
	over       string    // how the run ends, "" while it does not
	overAt     time.Time
	err        error
	answered   time.Time // the last answer
	idleTicks  int       // in which the queue was empty and photos had no result
	reading    map[string]int
	stopped    chan struct{}
	life       context.Context // of Run
	meanTime   float64         // seconds of a photo, smoothed
	localPace  pace
	pacedAt    time.Time // localPace and those of nodes
	senders    senders
	looked     time.Time // at nodes
}

// New opens the streams of a run. Nodes are let in by Run.
func New(ctx context.Context, cfg Config) (*Coordinator, error) {
	if cfg.AckWait <= 0 {
		cfg.AckWait = DefaultAckWait
	}
	if cfg.Tick <= 0 {
		cfg.Tick = time.Second
	}
	cfg.Replicas = max(cfg.Replicas, 1)
	c := &Coordinator{
		cfg: cfg, subjects: subjects{cfg.Run}, seal: sealer{cfg.Secret, cfg.Settings}, reads: make(chan func(), 256),
		ledger: newLedger(cfg.Photos), nodes: newRegistry(max(cfg.AckWait/2, 3*beatEvery(cfg.AckWait))), reading: map[string]int{}, news: newNewsDesk(), stopped: make(chan struct{}),
		senders: senders{},
	}
	c.nodes.local = cfg.Local
	c.changed = sync.NewCond(&c.mu)
	st, err := c.openStreams(ctx)
	if err != nil {
		return nil, err
	}
	c.streams.Store(st)
	return c, nil
}

// DefaultAckWait is Config.AckWait if it is not given.
const DefaultAckWait = 30 * time.Second

// beatEvery is how often a node says that it is there.
func beatEvery(ackWait time.Duration) time.Duration {
	return min(3*time.Second, max(ackWait/6, 50*time.Millisecond))
}

// beatTimeout is how long a node waits for the answer.
func beatTimeout(ackWait time.Duration) time.Duration {
	return max(2*time.Second, beatEvery(ackWait))
}

// ErrStopped is returned by Run after Stop, if photos are left.
var ErrStopped = errors.New("stopped on request")

// Run works until every photo has its result, until Stop and the end of what nodes have in flight, or until ctx ends. Its error is
// nil, ErrStopped, ctx's or that of Keep.
func (c *Coordinator) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.life = ctx
	defer context.AfterFunc(ctx, c.wake)()
	defer c.finish(OverStopped) // whatever happens, nobody waits for more
	asks, err := c.cfg.Conn.Subscribe(c.subjects.asks(), c.asked)
	if err != nil {
		return err
	}
	defer asks.Unsubscribe()
	_ = asks.SetPendingLimits(100_000, 64<<20)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for {
				select {
				case read := <-c.reads:
					read()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	in := make(chan jetstream.Msg, 1024)
	go c.readAnswers(ctx, in)
	wait.Go(func() { c.feed(ctx) })
	wait.Go(func() { c.take(ctx, in) })
	c.watch(ctx)
	cancel()
	c.wake()
	wait.Wait()
	c.tellNews()
	return c.end()
}

// end removes what is not needed any more, and returns how the run went.
func (c *Coordinator) end() error {
	c.mu.Lock()
	left, err := c.ledger.left, c.err
	c.mu.Unlock()
	if err == nil && left > 0 {
		err = ErrStopped
	}
	if left == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		c.queue().remove(ctx, c.subjects)
	}
	return err
}

// Stop hands out nothing more. What is in flight is finished and kept.
func (c *Coordinator) Stop() { c.finish(OverStopped) }

// finish tells everybody that the run ends.
func (c *Coordinator) finish(how string) {
	c.mu.Lock()
	if c.over != "" {
		c.mu.Unlock()
		return
	}
	c.over, c.overAt = how, time.Now()
	close(c.stopped)
	c.changed.Broadcast()
	c.mu.Unlock()
	_ = c.cfg.Conn.Publish(c.subjects.all(), []byte(how))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = c.queue().jobs.Purge(ctx)
}

// fail ends the run with an error.
func (c *Coordinator) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	c.finish(OverStopped)
}

// wake has everybody who waits look again.
func (c *Coordinator) wake() {
	c.mu.Lock()
	c.changed.Broadcast()
	c.mu.Unlock()
}

// Left returns how many photos have no result yet.
func (c *Coordinator) Left() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger.left
}

// others is for the ledger. c.mu is held.
func (c *Coordinator) others(without []string) bool { return c.nodes.others(without, c.cfg.Local) }
