package pool

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

const (
	// maxUndelivered is how many results may wait for done before no photo is
	// handed out: a slow disk must slow the run down, not fill the memory.
	maxUndelivered = 256
	// maxReadAhead bounds how many paths are read ahead.
	maxReadAhead = 4096
	// killTimeout is how long Kill waits for the system to end a process that
	// cannot be killed, as one that hangs on a network disk.
	killTimeout = 5 * time.Second
	// idlePressureTimeout is how long an idle worker is kept while memory is short.
	idlePressureTimeout = 10 * time.Second
	// suspendGap is a pause in the supervisor's own life that is no scheduling: the
	// machine slept, or somebody stopped the process.
	suspendGap = 2 * time.Second
)

// run is one call of Pool.Run. All fields belong to the goroutine in loop;
// everybody else sends it events.
type run struct {
	cfg           Config
	share         uint64 // of the memory budget, for one worker
	inFlightLimit int    // photos in one lane; less than cfg.InFlight after an OOM kill

	began    time.Time
	lastLoop time.Time // when the loop last came round
	lanes    []*lane
	live     map[*worker]struct{}
	queue    queue
	jobsDone bool // no further path will come
	stopping bool // nothing more is handed out
	killedAt time.Time
	end      error // why the run ends before all is done

	undelivered    []Result // arrived, not yet given to done
	delivering     bool
	deliveryFailed bool     // done has failed and is not called again
	held           []Result // verdicts that wait for a success, see hold

	storageProbe
	dropped bool // photos in doubt are left to the next run

	deaths            int  // in a row without a success
	outgrown          bool // a worker has reached its share of the memory budget
	expected          expectedGrowth
	probing           bool   // the last to be tried alone was to tell bad photos from a broken model, see nextSuspect
	knownReadable     string // a path that was described, see nextSuspect
	backoffUntil      time.Time
	successesSinceOOM int // successes since the last OOM kill

	throttle      throttle
	pauses        map[string]time.Time
	askCool       time.Time
	lastSample    sample
	sampled       bool
	sampling      bool
	sampleAt      time.Time // the next one
	sampleAskedAt time.Time // when the last one was asked for

	lastWorker        int
	lastID            uint64
	loads             int
	loadSum, lastLoad time.Duration
	stats             Stats

	events   chan any
	quit     chan struct{} // closed when nobody listens to events any more
	starter  *starter
	feed     chan string
	requests chan sampleRequest
	samples  chan sample
}

func newRun(cfg Config) *run {
	r := &run{
		cfg:           cfg,
		knownReadable: cfg.KnownReadable,
		share:         cfg.Memory / uint64(cfg.Workers),
		inFlightLimit: cfg.InFlight,
		live:          map[*worker]struct{}{},
		throttle:      throttle{maxTemp: cfg.MaxTemp},
		pauses:        map[string]time.Time{},
		stats:         Stats{Failed: map[string]int{}, Deaths: map[DeathKind]int{}},
		events:        make(chan any, 64),
		quit:          make(chan struct{}),
		feed:          make(chan string, 64),
		requests:      make(chan sampleRequest, 1),
		samples:       make(chan sample, 1),
	}
	for range cfg.Workers {
		r.lanes = append(r.lanes, &lane{})
	}
	return r
}

// run sets up the goroutines around the loop, and takes them down again.
func (r *run) run(ctx context.Context, stop, kill <-chan struct{}, jobs iter.Seq[string], done func(Result) error) (Stats, error) {
	r.began = time.Now()
	r.lastLoop = r.began
	r.starter = newStarter(r.cfg.Workers)
	go func() {
		defer close(r.samples)
		sampleLoop(r.cfg.Samplers, r.requests, r.samples)
	}()
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		defer close(r.feed)
		for path := range jobs {
			select {
			case r.feed <- path:
			case <-r.quit:
				return
			}
		}
	}()
	deliver, delivered := make(chan Result), make(chan error, 1)
	go func() {
		defer close(delivered)
		for res := range deliver {
			delivered <- done(res)
		}
	}()

	r.loop(ctx.Done(), stop, kill, deliver, delivered)

	close(r.quit)
	close(deliver)
	close(r.requests)
	r.starter.close()
	if r.killedAt.IsZero() {
		for range delivered {
		}
		for range r.samples {
		}
		// A walker that hangs on a network disk must not keep us.
		select {
		case <-fed:
		case <-time.After(killTimeout):
		}
	}
	now := time.Now()
	for _, s := range r.lanes {
		for _, b := range []*batch{s.batch, s.pending} {
			if b != nil {
				r.endBatch(b, s, now)
			}
		}
	}
	for reason := range r.pauses {
		r.resume(reason, now)
	}
	r.stats.LoadTime = r.loadTime()
	r.stats.Wall = now.Sub(r.began)
	r.stats.PeakWorkers = max(r.stats.PeakWorkers, r.stats.PeakWorker) // a run shorter than a sample
	return r.stats, r.end
}

// loop is the supervisor: it acts on what it knows, then waits for news.
func (r *run) loop(cancelled, stop, kill <-chan struct{}, deliver chan<- Result, delivered <-chan error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		r.catchUp(now)
		r.expire(now)
		r.sample(now)
		r.probeStorage(now)
		r.handOut(now)
		r.retireWorkers(now)
		r.startWorkers(now)
		if r.finished(now) {
			return
		}
		timer.Reset(r.untilNext(now))

		var feed <-chan string
		if r.needsJobs() {
			feed = r.feed
		}
		var dst chan<- Result
		var head Result
		if len(r.undelivered) > 0 && !r.delivering {
			dst, head = deliver, r.undelivered[0]
		}
		select {
		case ev := <-r.events:
			r.handle(ev, time.Now())
		case path, ok := <-feed:
			if !ok {
				r.jobsDone = true
			} else {
				r.queue.add(&photo{path: path})
			}
		case dst <- head:
			r.undelivered[0] = Result{}
			r.undelivered = r.undelivered[1:]
			r.delivering = true
		case err := <-delivered:
			r.delivering = false
			if err != nil {
				r.deliveryFailed, r.undelivered = true, nil
				r.fail(err)
			}
		case s := <-r.samples:
			r.onSample(s, time.Now())
		case <-timer.C:
		case <-cancelled:
			cancelled = nil
			r.stop()
		case <-stop:
			stop = nil
			r.stop()
		case <-kill:
			kill = nil
			r.killedAt = time.Now()
			r.fail(ErrKilled)
		}
	}
}

func (r *run) handle(ev any, now time.Time) {
	switch ev := ev.(type) {
	case evStarted:
		r.onStarted(ev.w, ev.p, ev.err, now)
	case evReport:
		r.onReport(ev.w, ev.r, now)
	case evBroken:
		r.breakProtocol(ev.w, ev.err, now)
	case evExited:
		r.onExit(ev.w, ev.err, now)
	case evStorageProbe:
		r.onStorageProbe(ev.path, ev.err, now)
	}
}

// finished is whether nothing is left to do or to wait for.
func (r *run) finished(now time.Time) bool {
	if r.stopping && len(r.pending) > 0 {
		r.pending, r.dropped = nil, true // they are the next run's
	}
	if !r.killedAt.IsZero() && now.Sub(r.killedAt) > killTimeout {
		return true // whatever hangs: a worker, or the disk of the results
	}
	done := r.jobsDone && r.queue.empty() && r.inFlight() == 0 && len(r.pending) == 0 && !r.dropped
	if done || r.stopping && r.inFlight() == 0 {
		r.releaseHeld()
	}
	if r.delivering || len(r.undelivered) > 0 {
		return false
	}
	if len(r.live) > 0 {
		return false
	}
	if r.stopping && !done && r.end == nil {
		r.end = ErrStopped
	}
	return done || r.stopping
}

// needsJobs is whether more paths should be read: enough to fill the batches
// under way and to know whether another is wanted.
func (r *run) needsJobs() bool {
	if r.jobsDone || r.stopping {
		return false
	}
	want := 2 * r.cfg.Workers * r.cfg.InFlight
	if r.cfg.BatchSize > 0 {
		want = max(want, (r.cfg.Workers+1)*min(r.cfg.BatchSize, maxReadAhead))
	}
	return len(r.queue.fresh) < min(want, maxReadAhead)
}

// stop hands out nothing more; what is in flight is finished and kept.
func (r *run) stop() {
	if r.stopping {
		return
	}
	r.stopping = true
	n := r.inFlight()
	if n > 0 {
		r.info("Stopping: %s in flight will be finished", count(n, "photo"))
	}
	for w := range r.live {
		if w.state == starting {
			r.cancel(w)
		}
	}
}

// fail ends the run and does not wait for what is in flight.
func (r *run) fail(err error) {
	if r.end == nil || err == ErrKilled {
		r.end = err
	}
	r.stopping = true
	r.held = nil
	for w := range r.live {
		r.cancel(w)
	}
}

// catchUp forgives the time in which this process itself did not run, so that a
// laptop's sleep is not taken for a hundred slow photos.
func (r *run) catchUp(now time.Time) {
	lost := now.Sub(r.lastLoop) - r.cfg.SampleEvery
	r.lastLoop = now
	if lost < suspendGap {
		return
	}
	r.askedAt = r.askedAt.Add(lost)
	for w := range r.live {
		w.started, w.lastSeen, w.leaveAt = w.started.Add(lost), w.lastSeen.Add(lost), w.leaveAt.Add(lost)
		w.answeredAt, w.firstAttemptAt, w.killedAt = w.answeredAt.Add(lost), w.firstAttemptAt.Add(lost), w.killedAt.Add(lost)
		for _, f := range w.attempts {
			f.began = f.began.Add(lost)
		}
	}
}

// untilNext is how long the loop may sleep without news.
func (r *run) untilNext(now time.Time) time.Duration {
	next := now.Add(r.cfg.SampleEvery)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	sooner(r.sampleAt)
	sooner(r.backoffUntil)
	sooner(r.askAt)
	if r.asking != "" {
		sooner(r.askedAt.Add(r.cfg.ProbeTimeout))
	}
	for _, s := range r.lanes {
		sooner(s.cool)
		if at, ok := r.prestartAt(s); ok {
			sooner(at)
		}
	}
	if !r.killedAt.IsZero() {
		sooner(r.killedAt.Add(killTimeout))
	}
	for w := range r.live {
		sooner(r.deadline(w))
	}
	// A moment later, so that what is due is due.
	return next.Sub(now) + time.Millisecond
}

func (r *run) inFlight() int {
	n := 0
	for w := range r.live {
		n += len(w.attempts)
	}
	return n
}

// onlyInPool is whether a photo is in flight that must be the only one.
func (r *run) onlyInPool() bool {
	for w := range r.live {
		for _, f := range w.attempts {
			if f.exclusive && f.photo.onlyInPool {
				return true
			}
		}
	}
	return false
}

// ordered is the live workers, oldest first, so that runs repeat themselves.
func (r *run) ordered() []*worker {
	ws := make([]*worker, 0, len(r.live))
	for w := range r.live {
		ws = append(ws, w)
	}
	slices.SortFunc(ws, func(a, b *worker) int { return a.n - b.n })
	return ws
}

func (r *run) loadTime() time.Duration {
	if r.loads == 0 {
		return 0
	}
	return r.loadSum / time.Duration(r.loads)
}

func (r *run) observe(e Event) {
	e.Time = time.Now()
	r.cfg.Observe(e)
}

func (r *run) info(format string, args ...any) { r.cfg.Log.Info(fmt.Sprintf(format, args...)) }
func (r *run) warn(format string, args ...any) { r.cfg.Log.Warn(fmt.Sprintf(format, args...)) }

func bytesText(n uint64) string { return humanize.IBytes(n) }

// roundText is a duration as a person says it.
func roundText(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
