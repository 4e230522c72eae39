// Package worker implements the process that describes one batch of photos: its
// configuration, the information that it reports, and the steps from a path to a record.
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
	"photodesc/internal/xmp"
	"photodesc/llm"
	"photodesc/pool"
	"photodesc/tracker"
)

// Config is what a worker is told by its environment.
type Config struct {
	Root       storage.RawPath   // photo folder, absolute
	Links      []storage.RawPath `json:",omitempty"` // files and folders elsewhere that links in it lead to
	Only       []storage.RawPath `json:",omitempty"` // what may be read instead of Root and Links; empty: these
	Nameless   storage.RawPath   `json:",omitempty"` // folder below Root of files whose names say nothing of the photo; empty: none
	Ask        Questions
	Engine     llm.Options
	Untrusted  bool
	MaxBytes   int64 `json:",omitempty"`
	Decoders   int   // photos decoded at once
	Inside     bool  `json:",omitempty"` // answer with what is embedded in a photo, for its sidecar
	Measure    bool  `json:",omitempty"` // load the model, print its sizes and exit
	Thumbnails bool  `json:",omitempty"` // answer with a thumbnail of each photo
	Share      bool  `json:",omitempty"` // ask before a photo is described whether its picture is, see Sight
	Previews   bool  `json:",omitempty"` // make previews, see package preview; no model
}

// ConfigEnv is the environment variable with a worker's Config in JSON.
const ConfigEnv = "PHOTODESC_WORKER"

// Info is what a worker reports when its model is loaded.
type Info struct {
	Devices    []llm.Device
	Backends   []llm.Backend `json:",omitempty"` // ggml's backend libraries that were found
	NoGPU      string        `json:",omitempty"` // why no GPU is used
	Protection string        // which rights it has given up
	Weak       string        `json:",omitempty"` // why it could not give up more
}

// Serve runs a worker: it loads the model, answers the supervisor's jobs and
// returns at the end of the batch. version must be that of the supervisor.
func Serve(version string) error {
	var config Config
	if err := json.Unmarshal([]byte(os.Getenv(ConfigEnv)), &config); err != nil {
		return &ui.Exit{Code: ui.ExitUsage, Err: fmt.Errorf("worker is started by `photodesc run` only")}
	}
	llm.SetLog(func(level llm.Level, line string) {
		fmt.Fprintf(os.Stderr, "%s%s\n", LogPrefixes[level], line)
	})
	if config.Measure {
		return measureHere(config)
	}
	if config.Previews {
		return servePreviews(config)
	}
	// If the system runs out of memory, it should kill a worker, not the supervisor.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	// Nearly all of the heap is pixels. They are cheap to collect, and the default
	// would let them take twice the memory.
	debug.SetGCPercent(20)
	w := &worker{
		config: config, decoders: make(chan struct{}, max(config.Decoders, 1)),
		sidecars: xmp.In(string(config.Root), xmp.Options{}),
	}
	return pool.Serve(pool.ServeOptions{Version: version, Load: w.load}, WrapHandler(w.describe))
}

// LogPrefixes start a worker's lines on stderr, so that the supervisor knows at which
// level to log them.
var LogPrefixes = map[llm.Level]string{llm.Debug: "D ", llm.Info: "I ", llm.Warn: "W ", llm.Error: "E "}

type worker struct {
	config   Config
	engine   *llm.Engine
	decoders chan struct{}
	sidecars *xmp.Sidecars // to be read
	answered atomic.Int64
}

// trimInterval is the number of photos after which a worker returns freed memory
// to the system.
const trimInterval = 25

func (w *worker) load(context.Context) (any, error) {
	if err := vips.Startup(vips.StartupOptions{Untrusted: w.config.Untrusted}); err != nil {
		return nil, err
	}
	engine, err := llm.Open(w.config.Ask.engine(w.config.Engine))
	if err != nil {
		return nil, err
	}
	w.engine = engine
	if engine.OnGPU() {
		// Drivers compile their code when it first runs and write it to caches,
		// which are not accessible after protect.
		if err := engine.WarmUp(context.Background()); err != nil {
			return nil, err
		}
	}
	info := Info{
		Devices:  engine.Devices(),
		Backends: llm.Backends(),
		NoGPU:    engine.NoGPU(),
	}
	// From here on only photos are opened.
	info.Protection, info.Weak = protect(w.config, engine.OnGPU())
	return info, nil
}

// protect gives up all rights but to read the photos. It returns what protects
// the process and, if that is less than usual, why.
func protect(config Config, gpu bool) (protection, weak string) {
	allowed := config.Only
	if len(allowed) == 0 {
		allowed = append([]storage.RawPath{config.Root}, config.Links...)
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

// Handler returns the answer for one photo, which is sent as JSON.
type Handler func(context.Context, pool.Job) (any, error)

// Hooks for tests: WrapHandler adds faults, ChangeAnswer changes the engine's answer.
var (
	WrapHandler  = func(h Handler) Handler { return h }
	ChangeAnswer = func(_ pool.Job, a llm.Answer) llm.Answer { return a }
)

// Round returns d in seconds, rounded to the millisecond.
func Round(d time.Duration) float64 { return float64(d.Round(time.Millisecond).Milliseconds()) / 1000 }

// kindError carries the kind of a photo's failure over the protocol.
type kindError struct {
	kind      string
	err       error
	readError bool
	file      *tracker.PhotoFile // nil: not opened
}

func (e kindError) Error() string   { return e.err.Error() }
func (e kindError) Kind() string    { return e.kind }
func (e kindError) ReadError() bool { return e.readError }
func (e kindError) Unwrap() error   { return e.err }

// Data is the photo's record as far as it is known.
func (e kindError) Data() any { return tracker.Record{File: e.file} }
