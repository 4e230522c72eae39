package pool

import (
	"context"
	"encoding/json"
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

const (
	startTimeout   = 5 * time.Minute  // from the start of a worker to its hello
	silenceTimeout = 30 * time.Second // without a heartbeat
	leaveTimeout   = 10 * time.Second // from the last answer, or from a kill, to the exit
)

// maxDeaths is the number of worker deaths in a row that end the run. One cause
// may kill all workers at once.
func (c *Config) maxDeaths() int { return max(10, 3*c.Workers) }

// maxUntestedDeaths is the same for a model that is Untested and has not described
// a photo. A photo that crashes whatever decodes it takes part in two deaths.
func (c *Config) maxUntestedDeaths() int { return max(3, 2*c.Workers) }

// maxInFlightLimit bounds Config.MaxInFlight, and with it every buffer per worker.
const maxInFlightLimit = 256

// Config says how a Pool works. Only Command is needed.
type Config struct {
	// Command returns the command of the nth worker, counted from 1. The pool adds
	// two descriptors, so ExtraFiles of the command start at 5, and sets standard
	// output and error, a process group and an environment variable.
	Command func(n int) *exec.Cmd

	// Version must be the worker's version; empty accepts any.
	Version string

	Workers     int // side by side; default 1
	MaxInFlight int // most photos in flight in one worker; default 1

	// FirstInFlight is MaxInFlight until the first photo has been described, so that
	// it is there sooner. If it takes a tenth of Timeout or more, it stays so. 0 is MaxInFlight.
	FirstInFlight int

	Nice      int // niceness that workers have at least
	BatchSize int // photos one process may do; 0 is no limit

	// NextBatch returns the number of a batch that begins, which is used in events,
	// results and the log. It is called as Observe is. Without it the numbers are 1,
	// 2, 3, ….
	NextBatch func() int

	// Cooldown is the pause of a worker's cores between two batches, or AutoCooldown.
	Cooldown time.Duration

	// Prestart loads the next batch's worker while the last one still works, if
	// there is memory for both and Cooldown is not above 0.
	Prestart bool

	Timeout time.Duration // of one photo, from when it is handed out; 0 is none

	// Untested says that nobody knows whether the model works. If its workers die
	// until the first photo is described, the run ends sooner than otherwise, and no
	// photo is blamed, however few there are.
	Untested bool

	// Memory is what all workers together may use, in bytes and without the mapped
	// weights (Plan.Own); 0 is no limit. Each worker has an equal share.
	Memory uint64
	// Mapped is the size of the weights in bytes. It is subtracted where the system
	// counts mapped files as a process's own memory.
	Mapped  uint64
	MaxTemp float64 // °C at which the run pauses; 0 is no limit

	// PauseOnBattery hands out no photos while the machine runs on its battery.
	PauseOnBattery bool

	// KnownReadable is the path of a photo that was described in an earlier run, ""
	// if there is none. When workers die one after the other, it is used to tell
	// faulty photos from a broken model.
	KnownReadable string

	// ProbeStorage looks for a photo that a worker could not open or read. It
	// returns nil if the photo can be read now, an *UnavailableError if the storage
	// of all photos is unavailable, and any other error if it is this photo alone.
	// It is called from a goroutine of its own and may take its time. If it takes
	// longer than 30 s, or Timeout if that is less, the storage counts as unavailable until it returns.
	// If it is nil, a read error is the photo's failure.
	ProbeStorage func(path string) error

	// Fetched is called with each path that jobs has yielded, if photos are fetched to the workers' folder. It returns where
	// the photo lies below that, or why it could not be fetched, which then is its Result. It is called as Observe is. Photos
	// that were described may be gone from the folder, so none of them is tried again to find out whether workers still work.
	Fetched func(path string) (file string, failure *Failure)

	// Needed is asked when a worker has called [Needed] for the photo of a path, with the worker's data. False keeps the worker
	// from the costly part of the photo; its answer is delivered as any other. It is called from a goroutine of its own. nil is always.
	Needed func(path string, data json.RawMessage) bool

	// ReleaseIdle is for jobs that may block for long while they wait for more. A failure that is held back until a photo succeeds
	// is then delivered when nothing was in flight and nothing has waited for so long. 0: at the end at the latest.
	ReleaseIdle time.Duration

	Log *zap.Logger // for people; nil logs nothing

	// Output is called with each line that worker n prints, from several goroutines.
	Output func(n int, line string)

	// Observe is called with each event, from the goroutine that runs the pool. It
	// must return at once and must not call the pool.
	Observe func(Event)

	// Set by tests only: what takes the place of processes and of the system's
	// figures, what is told more than Observe, and shorter times.
	launch                 launcher
	samplers               samplers
	trace                  tracer
	sampleEvery            time.Duration
	minBackoff, maxBackoff time.Duration
}

func (c Config) withDefaults() Config {
	c.Workers = max(c.Workers, 1)
	c.MaxInFlight = min(max(c.MaxInFlight, 1), maxInFlightLimit)
	if c.sampleEvery <= 0 {
		c.sampleEvery = time.Second
	}
	if c.minBackoff <= 0 {
		c.minBackoff, c.maxBackoff = 100*time.Millisecond, 10*time.Second
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
	if c.PauseOnBattery && c.samplers.OnBattery == nil {
		c.samplers.OnBattery = machine.OnBattery
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

// FatalError ends a run in which the first worker could not load, for example
// because of the model. Another worker would fail in the same way.
type FatalError struct {
	Kind    string
	Message string
}

func (e *FatalError) Error() string { return e.Message }

// UnavailableError says why no photo can be reached, as when a disk is away.
type UnavailableError struct{ Why string }

func (e *UnavailableError) Error() string { return e.Why }

// DeathsError ends a run in which ten workers in a row, or three times as many as
// run side by side, died without one described photo; sooner if Config.Untested.
// No photo is reported as failed, because the model is the likely cause.
type DeathsError struct {
	Deaths int
	Kind   DeathKind // of the last
	Detail string
	// Untested is whether Config.Untested is set and the run described no photo.
	Untested bool
}

func (e *DeathsError) Error() string {
	if e.Deaths == 1 {
		return "a worker died without describing one photo, of: " + e.Detail
	}
	return fmt.Sprintf("%d workers in a row died without describing one photo, the last of: %s", e.Deaths, e.Detail)
}

// Pool supervises the workers of one run. Run may be called once.
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

// Stop makes Run finish the photos in flight, hand out no others, and return. It
// returns at once and may be called at any time and more than once.
func (p *Pool) Stop() { p.stopOnce.Do(func() { close(p.stop) }) }

// Kill makes Run kill the workers and return. Photos in flight are not done. It
// returns at once and may be called at any time and more than once.
func (p *Pool) Kill() { p.killOnce.Do(func() { close(p.kill) }) }

// Run does the jobs, each a path, and calls done with the Result of each, in the
// order in which they arrive and from one goroutine. Every path has exactly one
// Result, except those that are unfinished when Run returns an error. An error of
// done ends the run: the workers are killed, because their answers could not be
// kept, and done is not called again.
//
// jobs is called from a goroutine of its own. About one batch is read ahead.
//
// The error is nil when all is done, ErrStopped after Stop or the end of ctx,
// ErrKilled after Kill, a *FatalError, a *DeathsError, or done's own. When Run
// returns, no worker is alive and no goroutine or descriptor is left, except those
// of workers that do not die when they are killed and of calls that have not yet
// returned: of ProbeStorage and, after Kill, of jobs and done.
func (p *Pool) Run(ctx context.Context, jobs iter.Seq[string], done func(Result) error) (Stats, error) {
	r := newRun(p.cfg)
	return r.run(ctx, p.stop, p.kill, jobs, done)
}
