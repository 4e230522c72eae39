package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os/exec"
	"sync"
	"time"

	"photodesc/internal/machine"

	"go.uber.org/zap"
)

// AutoCooldown as Config.Cooldown waits between batches only while memory or heat
// hold photos back.
const AutoCooldown time.Duration = -1

// maxInFlight bounds Config.InFlight, and with it every buffer per worker.
const maxInFlight = 256

// Config says how a Pool works. Only Command is needed.
type Config struct {
	// Command makes the nth worker's command, counted from 1. The pool adds two
	// descriptors (so ExtraFiles of its own start at 5), the standard output and
	// error, a process group and a variable in the environment.
	Command func(n int) *exec.Cmd

	// Version is compared with what the worker says; empty accepts any.
	Version string

	Workers   int // side by side; default 1
	InFlight  int // photos in one worker; default 1
	BatchSize int // photos one process may do; 0 is no limit

	// NextBatch gives a batch that begins its number, by which events, results
	// and the log name it. It is called as Observe is. Without it the numbers are
	// 1, 2, 3, ….
	NextBatch func() int

	// Cooldown is the pause between a lane's batches, or AutoCooldown.
	Cooldown time.Duration

	// Prestart loads the next batch's worker while the last one still works,
	// if memory has room and there is no fixed cooldown.
	Prestart bool

	Timeout      time.Duration // of one photo, from being handed out; 0 is none
	StartTimeout time.Duration // until hello; default 5 minutes
	Silence      time.Duration // without a sign of life; default 30 s
	LeaveTimeout time.Duration // between the last answer, or a kill, and the exit; default 10 s

	// Memory is what all workers together may have for themselves, in bytes,
	// without the mapped weights (Plan.Own); 0 is no limit. Each worker has an
	// equal share.
	Memory uint64
	// Mapped is the size of the weights. Where the system counts mapped files with
	// a process's own memory, it is taken off.
	Mapped  uint64
	MaxTemp float64 // °C at which to pause; 0 is never

	SampleEvery time.Duration // default 1 s

	// KnownReadable is a path that was described in an earlier run, if there is one. When
	// nothing but suspects is left it tells bad photos from a broken model.
	KnownReadable string

	// ProbeStorage looks for a photo that a worker could not open or read: nil when it
	// can be read now, a *UnavailableError when all photos are out of reach, another
	// error when it is this photo alone. It is called from a goroutine of its own
	// and may take its time; longer than ProbeTimeout, and all photos count as
	// out of reach until it returns. Without it a worker's word holds.
	ProbeStorage  func(path string) error
	ProbeInterval time.Duration // while all are out of reach; default 5 s
	ProbeTimeout  time.Duration // default 30 s, or Timeout where that is less

	MaxDeaths  int           // in a row without a success, that end the run; default 10, and 3 for each worker
	BackoffMin time.Duration // after the first death; doubles; default 100 ms
	BackoffMax time.Duration // default 10 s

	Log *zap.Logger // sentences for people; nil is silence

	// Output is given each line that worker n prints, from several goroutines.
	Output func(n int, line string)

	// Observe is given each event, from the goroutine that owns the pool: it
	// must return at once and not call the pool.
	Observe func(Event)

	// Of tests: what takes the place of processes and of the system's figures, and
	// what is told more than Observe.
	launch   launcher
	samplers samplers
	trace    tracer
}

func (c Config) withDefaults() Config {
	c.Workers = max(c.Workers, 1)
	c.InFlight = min(max(c.InFlight, 1), maxInFlight)
	if c.StartTimeout <= 0 {
		c.StartTimeout = 5 * time.Minute
	}
	if c.Silence <= 0 {
		c.Silence = 30 * time.Second
	}
	if c.LeaveTimeout <= 0 {
		c.LeaveTimeout = 10 * time.Second
	}
	if c.SampleEvery <= 0 {
		c.SampleEvery = time.Second
	}
	if c.ProbeInterval <= 0 {
		c.ProbeInterval = 5 * time.Second
	}
	if c.ProbeTimeout <= 0 {
		c.ProbeTimeout = 30 * time.Second
		if c.Timeout > 0 {
			c.ProbeTimeout = min(c.ProbeTimeout, c.Timeout)
		}
	}
	if c.MaxDeaths <= 0 {
		c.MaxDeaths = max(10, 3*c.Workers) // one blow may hit all of them
	}
	if c.BackoffMin <= 0 {
		c.BackoffMin = 100 * time.Millisecond
	}
	if c.BackoffMax <= 0 {
		c.BackoffMax = 10 * time.Second
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.launch == nil {
		c.launch = func(cmd *exec.Cmd, onLine func(string)) (*proc, error) { return spawn(cmd, endGroup, onLine) }
	}
	if c.trace == nil {
		c.trace = noTracer{}
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.samplers.Worker == nil && machine.CountsMapped {
		c.samplers.Worker = withoutMapped(c.Mapped, machine.ProcessMemory)
	}
	c.samplers = c.samplers.withDefaults()
	return c
}

var (
	// ErrStopped is returned by Run when it was stopped before all was done.
	ErrStopped = errors.New("stopped on request")
	// ErrKilled is returned by Run after Kill.
	ErrKilled = errors.New("killed on request")
)

// FatalError is a worker's word that no worker can start, as with a model that
// cannot be loaded. Trying again would not help.
type FatalError struct {
	Kind    string
	Message string
}

func (e *FatalError) Error() string { return e.Message }

// UnavailableError says why no photo can be reached, as when a disk is away.
type UnavailableError struct{ Why string }

func (e *UnavailableError) Error() string { return e.Why }

// DeathsError ends a run in which worker after worker died without one success.
// The photos they died with are not reported: it was probably not their fault.
type DeathsError struct {
	Deaths int
	Kind   DeathKind // of the last
	Detail string
}

func (e *DeathsError) Error() string {
	return fmt.Sprintf("%d workers in a row died without describing one photo, the last of: %s", e.Deaths, e.Detail)
}

// Pool is a supervisor. It may be Run once.
type Pool struct {
	cfg      Config
	stopOnce sync.Once
	killOnce sync.Once
	stop     chan struct{}
	kill     chan struct{}
}

// New makes a Pool; nothing is started before Run.
func New(cfg Config) *Pool {
	return &Pool{cfg: cfg.withDefaults(), stop: make(chan struct{}), kill: make(chan struct{})}
}

// Stop asks Run to hand out nothing more, to wait for the photos in flight, and
// to return. It returns at once and may be called at any time, more than once.
func (p *Pool) Stop() { p.stopOnce.Do(func() { close(p.stop) }) }

// Kill has Run end the workers and return. Photos in flight are not done. It
// returns at once and may be called at any time, more than once.
func (p *Pool) Kill() { p.killOnce.Do(func() { close(p.kill) }) }

// Run runs the jobs, each a path, and calls done with each one's Result, in the
// order of arrival, from one goroutine. Every path gets exactly one Result,
// except those that are unfinished when Run returns an error. An error of done
// ends the run: no further photo is handed out, done is not called again, and
// the workers are killed, for what they still say could not be kept.
//
// jobs is called from a goroutine of its own and is read ahead by about a batch.
//
// The error is nil when all is done, ErrStopped after Stop or the end of ctx,
// ErrKilled after Kill, a *FatalError, a *DeathsError, or done's own. When Run
// returns, no worker is alive, and no goroutine or descriptor is left but those of
// workers that do not die when killed and of calls that have not yet returned: of
// Reach and, after Kill, of jobs, done and the samplers.
func (p *Pool) Run(ctx context.Context, jobs iter.Seq[string], done func(Result) error) (Stats, error) {
	r := newRun(p.cfg)
	return r.run(ctx, p.stop, p.kill, jobs, done)
}
