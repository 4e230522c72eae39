package pool

import (
	"context"
	"fmt"
	"iter"
	"time"

	"photodesc/internal/wording"
)

const (
	// maxReadAhead bounds how many paths are read ahead.
	maxReadAhead = 4096
	// killTimeout is how long Kill waits for the system to end a process that
	// cannot be killed, such as one that hangs on a network disk.
	killTimeout = 5 * time.Second
	// suspendGap is the time between two turns of the loop that means that this
	// process did not run: the machine slept, or somebody stopped the process.
	suspendGap = 2 * time.Second
)

// run is one call of Pool.Run. It starts, feeds and ends workers and asks its
// parts for each decision. All of it belongs to the goroutine in loop. Everybody
// else sends it events.
type run struct {
	cfg    Config
	report *reporter

	workers     *workerSet
	photos      *quarantine
	streak      *deathStreak
	budget      *memoryBudget
	concurrency *concurrency
	dispatch    *dispatcher
	prestart    *prestarter
	throttle    *throttle
	storage     *storageProbe
	sampler     *sampler
	loads       loadTimes
	delivery    delivery

	source   source
	events   mailbox
	starter  *starter
	idle     idleTime
	lastLoop time.Time
	end      ending
}

// ending is how far the run is on its way to its end.
type ending struct {
	stopping  bool // nothing more is handed out
	err       error
	killedAt  time.Time
	unchecked bool // attempts that waited for the storage probe are left to the next run
}

// source is where paths come from.
type source struct {
	paths    chan string
	ahead    int  // paths to be read ahead
	finished bool // no further path will come
}

// newSource reads so many paths ahead that they fill the batches under way and
// show whether another batch is wanted.
func newSource(cfg *Config) source {
	ahead := 2 * cfg.Workers * cfg.MaxInFlight
	if cfg.BatchSize > 0 {
		ahead = max(ahead, (cfg.Workers+1)*min(cfg.BatchSize, maxReadAhead))
	}
	return source{paths: make(chan string, 64), ahead: min(ahead, maxReadAhead)}
}

// wanted is whether another path should be read when so many wait.
func (s *source) wanted(waiting int) bool { return !s.finished && waiting < s.ahead }

// add takes a path that was read. What could not be fetched has its result at once.
func (s *source) add(path string, cfg *Config, photos *quarantine, delivery *delivery) {
	p := &photo{path: path}
	if cfg.Fetched != nil {
		var failure *Failure
		if p.file, failure = cfg.Fetched(path); failure != nil {
			delivery.add(Result{Path: path, Attempts: 1, Failure: failure})
			return
		}
	}
	photos.add(p)
}

// mailbox is how other goroutines tell the loop what happened.
type mailbox struct {
	events chan any
	closed chan struct{} // when nobody reads events any more
}

// send reports false if nobody reads events any more.
func (m mailbox) send(ev any) bool {
	select {
	case <-m.closed:
		return false
	default:
	}
	select {
	case m.events <- ev:
		return true
	case <-m.closed:
		return false
	}
}

func newRun(cfg Config) *run {
	r := &run{
		cfg:         cfg,
		report:      newReporter(&cfg),
		workers:     newWorkerSet(cfg.Workers),
		photos:      &quarantine{knownReadable: cfg.KnownReadable, noProbes: cfg.Fetched != nil},
		streak:      &deathStreak{max: cfg.maxDeaths(), fewer: cfg.maxUntestedDeaths(), minBackoff: cfg.minBackoff, maxBackoff: cfg.maxBackoff, unproven: cfg.Untested},
		budget:      newMemoryBudget(cfg.Memory, cfg.Workers),
		concurrency: newConcurrency(&cfg),
		storage:     newStorageProbe(&cfg),
		sampler:     newSampler(&cfg),
		source:      newSource(&cfg),
		events:      mailbox{make(chan any, 64), make(chan struct{})},
	}
	r.delivery.stats = &r.report.stats
	r.throttle = newThrottle(cfg.MaxTemp, r.report)
	r.dispatch = &dispatcher{workers: r.workers, photos: r.photos, budget: r.budget, concurrency: r.concurrency}
	r.prestart = &prestarter{enabled: cfg.Prestart && cfg.Cooldown <= 0 && cfg.BatchSize > 0,
		workers: r.workers, photos: r.photos, budget: r.budget, loads: &r.loads}
	return r
}

// run sets up the goroutines around the loop and takes them down again.
func (r *run) run(ctx context.Context, stop, kill <-chan struct{}, jobs iter.Seq[string], done func(Result) error) (Stats, error) {
	began := time.Now()
	r.lastLoop = began
	r.starter = newStarter(r.cfg.Workers, r.cfg.Nice)
	go r.sampler.serve()
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		defer close(r.source.paths)
		for path := range jobs {
			select {
			case r.source.paths <- path:
			case <-r.events.closed:
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

	r.loop(began, ctx.Done(), stop, kill, deliver, delivered)

	close(r.events.closed)
	close(deliver)
	close(r.sampler.requests)
	r.starter.close()
	if r.end.killedAt.IsZero() {
		for range delivered {
		}
		for range r.sampler.samples {
		}
		// jobs may hang on a network disk, which must not keep the run from ending.
		select {
		case <-fed:
		case <-time.After(killTimeout):
		}
	}
	now := time.Now()
	for _, l := range r.workers.lanes {
		for _, b := range []*batch{l.batch, l.pending} {
			if b != nil {
				r.endBatch(b, l, now)
			}
		}
	}
	r.throttle.resumeAll(now)
	stats := &r.report.stats
	stats.PeakWorkers = max(stats.PeakWorkers, r.budget.peak) // a run may be shorter than a sample
	return *stats, r.end.err
}

// loop acts on what is known, then waits for an event, until all is done.
func (r *run) loop(began time.Time, cancelled, stop, kill <-chan struct{}, deliver chan<- Result, delivered <-chan error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		r.catchUp(now)
		r.expire(now)
		r.sampler.request(r.workers.pids(), now)
		r.probeStorage(now)
		r.handOut(now)
		r.retireWorkers(now)
		if r.sampler.any() || now.Sub(began) >= time.Second {
			r.startWorkers(now)
		}
		if len(r.delivery.held) > 0 && r.idle.over(r.photos.empty() && r.workers.inFlight() == 0 && len(r.storage.pending) == 0, r.cfg.ReleaseIdle, now) {
			settleHeld(r)
		}
		if r.finished(now) {
			return
		}
		timer.Reset(r.untilNext(now))

		var paths <-chan string
		if !r.end.stopping && r.source.wanted(len(r.photos.fresh)) {
			paths = r.source.paths
		}
		var dst chan<- Result
		res, ok := r.delivery.next()
		if ok {
			dst = deliver
		}
		select {
		case ev := <-r.events.events:
			r.handle(ev, time.Now())
		case path, ok := <-paths:
			if ok {
				r.source.add(path, &r.cfg, r.photos, &r.delivery)
			} else {
				r.source.finished, r.dispatch.allRead = true, true
			}
		case dst <- res:
			r.delivery.sent()
		case err := <-delivered:
			if r.delivery.returned(err); err != nil {
				r.fail(err)
			}
		case s := <-r.sampler.samples:
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
			r.end.killedAt = time.Now()
			r.fail(ErrKilled)
		}
	}
}

func (r *run) handle(ev any, now time.Time) {
	r.catchUp(now) // a pause before an answer does not count as time that it took
	switch ev := ev.(type) {
	case evStarted:
		r.onStarted(ev.w, ev.p, ev.err, now)
	case evReport:
		r.onReport(ev.w, ev.r, now)
	case evBroken:
		ev.w.breakProtocol(ev.err, now)
	case evExited:
		r.onExit(ev.w, ev.err, now)
	case evNeeded:
		r.onNeeded(ev)
	case evStorageProbe:
		r.onProbe(r.storage.answered(ev.path, ev.err, now), now)
	}
}

// done is whether every path has its result, or has it held back.
func (r *run) done() bool {
	return r.source.finished && r.photos.empty() && r.workers.inFlight() == 0 && len(r.storage.pending) == 0 && !r.end.unchecked
}

// finished is whether nothing is left to do or to wait for.
func (r *run) finished(now time.Time) bool {
	if r.end.stopping && len(r.storage.takePending()) > 0 {
		r.end.unchecked = true
	}
	if !r.end.killedAt.IsZero() && now.Sub(r.end.killedAt) > killTimeout {
		return true // whatever hangs: a worker, or the disk of the results
	}
	done := r.done()
	if done || r.end.stopping && r.workers.inFlight() == 0 {
		settleHeld(r)
	}
	if !r.delivery.done() || len(r.workers.live) > 0 {
		return false
	}
	if r.end.stopping && !done && r.end.err == nil {
		r.end.err = ErrStopped
	}
	return done || r.end.stopping
}

// stop hands out nothing more. What is in flight is finished and kept.
func (r *run) stop() {
	if r.end.stopping {
		return
	}
	r.end.stopping = true
	if n := r.workers.inFlight(); n > 0 {
		r.report.info("Stopping: %s in flight will be finished", wording.Count(n, "photo"))
	}
	for w := range r.workers.live {
		if w.state == starting {
			w.cancel(time.Now())
		}
	}
}

// fail ends the run and does not wait for what is in flight.
func (r *run) fail(err error) {
	if r.end.err == nil || err == ErrKilled {
		r.end.err = err
	}
	r.end.stopping = true
	r.delivery.release()
	for w := range r.workers.live {
		w.cancel(time.Now())
	}
}

// catchUp moves all deadlines by the time in which this process did not run, so
// that the photos in flight while a laptop sleeps do not time out.
func (r *run) catchUp(now time.Time) {
	gap := now.Sub(r.lastLoop) - r.cfg.sampleEvery
	if text := sleepText(now.Round(0).Sub(r.lastLoop.Round(0)), now.Sub(r.lastLoop)); text != "" {
		r.report.info("%s", text)
	}
	r.lastLoop = now
	if gap < suspendGap {
		return
	}
	r.storage.askedAt = r.storage.askedAt.Add(gap)
	for _, l := range r.workers.lanes {
		l.progress.since = l.progress.since.Add(gap)
	}
	for w := range r.workers.live {
		w.times.shift(gap)
		for _, a := range w.attempts {
			a.began = a.began.Add(gap)
		}
	}
}

// sleepLeast is how long a machine must have slept to be worth a line in the log.
const sleepLeast = 10 * time.Second

// sleepText says that the machine slept, "" if it did not: then the wall clock has moved on
// and the monotonic clock, which stops meanwhile, has not. A clock that was set looks the same.
func sleepText(wall, monotonic time.Duration) string {
	slept := wall - monotonic
	if slept < sleepLeast {
		return ""
	}
	return fmt.Sprintf("The machine was asleep for %s, or its clock was set; the run goes on", roundText(slept))
}

// untilNext is how long the loop may sleep without an event.
func (r *run) untilNext(now time.Time) time.Duration {
	times := append(r.storage.wakeUps(), r.sampler.nextAt, r.streak.backoffUntil)
	for _, l := range r.workers.lanes {
		at, _ := r.prestart.at(l)
		times = append(times, l.restsUntil, at)
	}
	if !r.end.killedAt.IsZero() {
		times = append(times, r.end.killedAt.Add(killTimeout))
	}
	if last := r.dispatch.last; last != nil {
		times = append(times, last.answersEnd...)
	}
	for w := range r.workers.live {
		times = append(times, w.deadline(r.cfg.Timeout))
	}
	next := now.Add(r.cfg.sampleEvery)
	for _, t := range times {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	return next.Sub(now) + time.Millisecond // a moment later, so that what is due is due
}
