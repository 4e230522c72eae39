package tracker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// stateEvery is how often the state is written at most.
	stateEvery = time.Second
	// heartbeat is how often it is written at least.
	heartbeat = 15 * time.Second
)

// Live keeps the numbers of a run, and what else status and summary show of it. It
// writes them to the state file at most once a second and at the end. Its methods
// may be called concurrently and never wait for the disk. A state file that cannot
// be written is not an error, because only statistics are lost.
type Live struct {
	dir string
	now func() time.Time

	mu       sync.Mutex
	s        state
	before   Counters  // of earlier runs
	clock    time.Time // to which the meter was advanced
	activity time.Time // as s.Activity, with the monotonic clock, which stops while the machine sleeps
	dirty    bool
	err      error
	stopping bool
	between  bool // the clock of the rate stands until the next photo is handed out
	broken   func() error
	foreign  func() bool // another run works here

	quit chan struct{}
	done chan struct{}
}

func newLive(t *Tracker, old state) *Live {
	now := t.now()
	s := old
	s.PID, s.Started, s.Stop, s.Log = os.Getpid(), t.started, nil, ""
	s.Waiting, s.Watching, s.NoRequests, s.Sample, s.Nodes = false, false, false, Sample{}, nil
	s.setPhase("starting", now)
	s.Counters = old.Counters.clone()
	s.Counters.Runs++
	s.setCounts(t.counts, t.progress.size)
	s.Meter.Run = pace{}
	l := &Live{
		dir: t.dir, now: t.now, s: s, before: old.Counters.clone(), clock: now, activity: now, dirty: true, broken: t.Err, foreign: t.lock.foreign,
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	l.s.Activity = now
	l.flush()
	go l.loop()
	return l
}

func (s *state) setCounts(c Counts, progressSize int64) {
	s.Done, s.Failed, s.Retrying, s.ProgressSize = c.Done, c.Failed, c.Retrying, progressSize
	s.RunDone, s.RunFailed = c.NewDone, c.NewFail
	s.Shared, s.RunShared = c.Shared, c.NewShare
}

func (l *Live) loop() {
	defer close(l.done)
	tick := time.NewTicker(stateEvery)
	defer tick.Stop()
	last := l.now()
	for {
		select {
		case <-l.quit:
			return
		case <-tick.C:
		}
		l.mu.Lock()
		due := l.dirty || l.now().Sub(last) >= heartbeat
		l.mu.Unlock()
		if due {
			l.flush()
			last = l.now()
		}
	}
}

// flush writes the state now, unless another run works here that has its own.
func (l *Live) flush() {
	if l.broken() != nil && l.foreign() {
		return
	}
	l.mu.Lock()
	now := l.tick()
	l.s.Updated = now
	l.s.Idle = now.Sub(l.activity).Seconds()
	l.dirty = false
	s := l.s
	// The state is written without the lock, from copies of its slices and maps.
	s.Recent = slices.Clone(s.Recent)
	s.Failures, s.Restarts = slices.Clone(s.Failures), slices.Clone(s.Restarts)
	s.Meter.Minutes, s.Meter.TenSeconds = slices.Clone(s.Meter.Minutes), slices.Clone(s.Meter.TenSeconds)
	s.Counters = s.Counters.clone()
	l.mu.Unlock()

	err := s.write(l.dir)
	l.mu.Lock()
	l.err = err
	l.mu.Unlock()
}

// tick moves the meter's clock to now. l.mu is held.
func (l *Live) tick() time.Time {
	now := l.now()
	// Both times carry the monotonic clock, which stands still while the
	// machine sleeps.
	l.s.Meter.advance(now.Sub(l.clock))
	l.clock = now
	return now
}

// change applies f to the state. It is a sign of progress.
func (l *Live) change(f func(*state)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.activity = l.tick()
	l.s.Activity = l.activity
	f(&l.s)
	l.dirty = true
}

// SetRun records what the run works with. A run without a sign of progress for longer
// than timeout is shown as stalled.
func (l *Live) SetRun(model, prompt string, timeout time.Duration) {
	l.change(func(s *state) { s.Model, s.Prompt, s.Timeout = model, prompt, timeout.Seconds() })
}

// setCounts sets the counts before the first photo.
func (l *Live) setCounts(c Counts) {
	l.change(func(s *state) { s.setCounts(c, s.ProgressSize) })
}

// SetArgs records the arguments with which the program resumes this run.
func (l *Live) SetArgs(args []string) { l.change(func(s *state) { s.Args = slices.Clone(args) }) }

// SetPhase records what the run does instead of describing, in a few words
// ("loading model"). "" is describing. What follows a colon is news of the same
// phase. It is a sign of progress.
func (l *Live) SetPhase(phase string) {
	l.change(func(s *state) {
		if l.stopping {
			return
		}
		s.setPhase(phase, l.activity)
		s.Waiting, s.Watching = false, false
		s.Meter.Run.Working = s.Meter.Run.Seconds > 0 && !l.between
	})
}

// WatchingPhase is the phase of a run that waits for new photos.
const WatchingPhase = "watching"

// SetWatching records that all photos are described and the run waits for new ones. It is not stalled, however long that takes, and
// the clock of its rate stands until another photo is handed out.
func (l *Live) SetWatching() {
	l.change(func(s *state) {
		if l.stopping {
			return
		}
		s.setPhase(WatchingPhase, l.activity)
		s.Waiting, s.Watching = false, true
		s.Meter.Run.Working, l.between = false, true
		s.Sample = Sample{} // no worker is left
	})
}

// StoppingPhase is the phase of a run that was asked to stop.
const StoppingPhase = "stopping"

// Stopping records that the run was asked to stop. Its phase no longer changes.
func (l *Live) Stopping() {
	l.change(func(s *state) {
		l.stopping = true
		s.setPhase(StoppingPhase, l.activity)
		s.Waiting, s.Watching = false, false
	})
}

// setPhase notes since when a phase lasts.
func (s *state) setPhase(phase string, now time.Time) {
	what := func(phase string) string { w, _, _ := strings.Cut(phase, ":"); return w }
	if what(phase) != what(s.Phase) {
		s.Since = now
	}
	if s.Phase = phase; phase == "" {
		s.Since = time.Time{}
	}
}

// SetWaiting says that the run waits on purpose and for what ("memory to free
// up"). A waiting run is not stalled. SetPhase ends the wait. A wait that has
// nothing to do with how fast the machine is does not count in the rate.
func (l *Live) SetWaiting(forWhat string, counts bool) {
	l.change(func(s *state) {
		if l.stopping {
			return
		}
		s.setPhase(forWhat, l.activity)
		s.Waiting, s.Watching = true, false
		s.Meter.Run.Working = s.Meter.Run.Working && counts
	})
}

// Touch records a sign of progress, and nothing else.
func (l *Live) Touch() { l.change(func(*state) {}) }

// BatchStarted counts a batch and returns its number, which goes on from run
// to run.
func (l *Live) BatchStarted() (number int) {
	l.change(func(s *state) {
		s.Counters.Batches++
		s.Batch = s.Counters.Batches
		number = s.Batch
	})
	return number
}

// WorkerStarted counts a worker.
func (l *Live) WorkerStarted() { l.change(func(s *state) { s.Counters.Workers++ }) }

// WorkerRestarted counts a worker that had to be replaced before its time,
// with one of a few fixed reasons ("crash", "memory", "timeout") and what is known
// of it.
func (l *Live) WorkerRestarted(reason, text string) {
	l.change(func(s *state) {
		reason = shorten(reason, 60)
		s.Counters.restart(reason)
		s.Restarts = newest(append(s.Restarts, Restart{l.now(), reason, shorten(text, snippetLen)}), maxRestarts)
	})
}

// SetLog says where the run's log is.
func (l *Live) SetLog(path string) {
	if rel, err := filepath.Rel(l.dir, path); err == nil {
		path = rel
	}
	l.change(func(s *state) { s.Log = path })
}

// Sample records memory and CPU. It is no sign of progress.
func (l *Live) Sample(m Sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.Sample = m
	l.s.Counters.Memory.sample(float64(m.SupervisorBytes + m.WorkerBytes))
	l.s.Counters.CPU.sample(m.CPUPercent)
	if m.MemoryPercent > 0 {
		l.s.Counters.Machine.sample(m.MemoryPercent)
	}
	l.dirty = true
}

// Stop records how the run ends. It takes effect with Tracker.Close. Only the first
// call has an effect.
func (l *Live) Stop(reason StopReason, text string) {
	l.change(func(s *state) {
		if s.Stop == nil {
			s.Stop = &Stop{Reason: reason, Text: text, Time: l.now()}
		}
	})
}

// RunCounters returns how many batches, workers and restarts this run has had.
func (l *Live) RunCounters() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.s.Counters.since(l.before)
}

// LastPhoto is the photo that was handled last, by this run or another, or nil.
func (l *Live) LastPhoto() *Recent {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.s.Recent) == 0 {
		return nil
	}
	last := l.s.Recent[len(l.s.Recent)-1]
	return &last
}

// Err returns why the state could not be written last time, or nil.
func (l *Live) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// photos adds photos that were just written.
func (l *Live) photos(records []Record, c Counts, progressSize int64) {
	l.change(func(s *state) {
		s.Meter.add(len(records))
		s.setCounts(c, progressSize)
		if !s.Waiting && !s.Watching && !l.stopping { // that is for SetPhase to end
			s.setPhase("", l.activity)
		}
		for _, r := range records {
			s.Recent = newest(append(s.Recent, recentOf(r)), maxRecent)
			if r.Status == Failed {
				s.Failures = newest(append(s.Failures, recentOf(r)), maxFailures)
			}
		}
	})
}

func recentOf(r Record) Recent {
	m := Recent{Path: EncodePath(r.Path), Status: r.Status, Text: shorten(r.Description, snippetLen), Time: r.Time}
	if r.Error != nil {
		m.Kind, m.Text = r.Error.Kind, shorten(r.Error.Message, snippetLen)
	}
	return m
}

// close writes the state a last time.
func (l *Live) close() {
	if err := l.broken(); err != nil {
		l.Stop(Broke, err.Error())
	}
	l.Stop(Stopped, "") // unless it was said why
	close(l.quit)
	<-l.done
	l.flush()
}
