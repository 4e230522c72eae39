// Package worker is the process that describes one batch of photos: what it is
// told, what it tells of itself, and the way of one photo from path to record.
package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"photodesc/internal/confine"
	"photodesc/internal/photo/vips"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/llm"
	"photodesc/pool"
)

// Job is what a worker is told once, in its environment.
type Job struct {
	Root      storage.RawPath   // photo folder, absolute
	Links     []storage.RawPath `json:",omitempty"` // files and folders elsewhere that links in it lead to
	Only      []storage.RawPath `json:",omitempty"` // what may be read instead of Root and Links; empty: these
	Ask       Questions
	Engine    llm.Options
	Untrusted bool
	MaxBytes  int64 `json:",omitempty"`
	Decoders  int   // photos decoded at once
	Measure   bool  `json:",omitempty"` // load, say the sizes, leave
}

// JobEnv is the environment variable with a worker's Job in JSON.
const JobEnv = "PHOTODESC_WORKER"

// Info is what a worker tells of itself when its model is loaded.
type Info struct {
	Devices    []llm.Device
	Backends   []llm.Backend `json:",omitempty"` // libraries of ggml's that were found
	NoGPU      string        `json:",omitempty"` // why a GPU is not used
	Protection string        // what it has given up
	Weak       string        `json:",omitempty"` // why it is not more
}

// Serve is a worker's life: load the model, answer for photos, leave. Its
// version must be the supervisor's.
func Serve(version string) error {
	var job Job
	if err := json.Unmarshal([]byte(os.Getenv(JobEnv)), &job); err != nil {
		return &ui.Exit{Code: ui.ExitUsage, Err: fmt.Errorf("worker is started by `photodesc run` only")}
	}
	llm.SetLog(func(level llm.Level, line string) {
		fmt.Fprintf(os.Stderr, "%s%s\n", LogPrefixes[level], line)
	})
	if job.Measure {
		return measureHere(job)
	}
	// If the system runs out of memory, a worker is to go and not its supervisor.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	// Nearly all of the heap is pixels, which cost the collector nothing to look
	// through, but a budget's worth of memory if it lets them double.
	debug.SetGCPercent(20)
	w := &worker{job: job, decoders: make(chan struct{}, max(job.Decoders, 1))}
	return pool.Serve(pool.ServeOptions{Version: version, Load: w.load}, Around(w.describe))
}

// LogPrefixes start a worker's lines on stderr, so that the supervisor knows at which
// level to log them.
var LogPrefixes = map[llm.Level]string{llm.Debug: "D ", llm.Info: "I ", llm.Warn: "W ", llm.Error: "E "}

type worker struct {
	job      Job
	engine   *llm.Engine
	decoders chan struct{}
	answered atomic.Int64
}

// tidyEvery is after how many photos a worker gives back what it has freed.
const tidyEvery = 25

func (w *worker) load(context.Context) (any, error) {
	if err := vips.Startup(vips.StartupOptions{Untrusted: w.job.Untrusted}); err != nil {
		return nil, err
	}
	engine, err := llm.Open(w.job.Ask.engine(w.job.Engine))
	if err != nil {
		return nil, err
	}
	w.engine = engine
	if engine.OnGPU() {
		// Drivers compile what they run when it is first wanted, and keep it in
		// caches that are closed from then on.
		if err := tryOut(engine); err != nil {
			return nil, err
		}
	}
	info := Info{
		Devices:  engine.Devices(),
		Backends: llm.Backends(),
		NoGPU:    engine.NoGPU(),
	}
	// All that is still to be opened is photos.
	info.Protection, info.Weak = protect(w.job, engine.OnGPU())
	return info, nil
}

// tryOut has the engine describe a small black picture with as many tiles and
// tokens as a photo, for a driver compiles for some of those numbers anew.
func tryOut(engine *llm.Engine) error {
	const edge = 8
	_, err := engine.Describe(context.Background(), llm.Picture{Width: edge, Height: edge, Pix: make([]byte, 3*edge*edge)})
	if err != nil && len(llm.Backends()) > 0 && engine.OnGPU() {
		return fmt.Errorf("%w\n  PHOTODESC_BACKENDS=0 leaves the GPU out", err)
	}
	return err
}

func protect(job Job, gpu bool) (protection, weak string) {
	allowed := job.Only
	if len(allowed) == 0 {
		allowed = append([]storage.RawPath{job.Root}, job.Links...)
	}
	read := make([]string, len(allowed))
	for i, path := range allowed {
		read[i] = string(path)
	}
	protection, err := confine.Apply(read, gpu)
	if err != nil {
		weak = err.Error()
	}
	return protection, weak
}

// Handler answers for one photo.
type Handler func(context.Context, pool.Job) (any, error)

// Around is where the tests' faults come in, and Answered where they change
// what the engine has answered.
var (
	Around   = func(h Handler) Handler { return h }
	Answered = func(_ pool.Job, a llm.Answer) llm.Answer { return a }
)

// Round gives seconds to the millisecond.
func Round(d time.Duration) float64 { return float64(d.Round(time.Millisecond).Milliseconds()) / 1000 }

// kindError carries the kind of a photo's failure over the protocol.
type kindError struct {
	kind      string
	err       error
	readError bool
}

func (e kindError) Error() string   { return e.err.Error() }
func (e kindError) Kind() string    { return e.kind }
func (e kindError) ReadError() bool { return e.readError }
func (e kindError) Unwrap() error   { return e.err }
