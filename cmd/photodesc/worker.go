package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"photodesc/internal/confine"
	"photodesc/internal/photo"
	"photodesc/internal/photo/vips"
	"photodesc/llm"
	"photodesc/pool"
	"photodesc/tracker"
)

// workerJob is what a worker is told once, in its environment.
type workerJob struct {
	Root      rawPath   // photo folder, absolute
	Links     []rawPath `json:",omitempty"` // files and folders elsewhere that links in it lead to
	Ask       questions
	Engine    llm.Options
	Untrusted bool
	MaxBytes  int64 `json:",omitempty"`
	Decoders  int   // photos decoded at once
	Measure   bool  `json:",omitempty"` // load, say the sizes, leave
}

const workerJobEnv = "PHOTODESC_WORKER"

// workerInfo is what a worker tells of itself when its model is loaded.
type workerInfo struct {
	Devices    []llm.Device
	Backends   []llm.Backend `json:",omitempty"` // libraries of ggml's that were found
	NoGPU      string        `json:",omitempty"` // why a GPU is not used
	Protection string        // what it has given up
	Weak       string        `json:",omitempty"` // why it is not more
}

// serve is a worker's life: load the model, answer for photos, leave. Its
// version must be the supervisor's.
func serve(version string) error {
	var job workerJob
	if err := json.Unmarshal([]byte(os.Getenv(workerJobEnv)), &job); err != nil {
		return &exit{code: exitUsage, err: fmt.Errorf("worker is started by `photodesc run` only")}
	}
	llm.SetLog(func(level llm.Level, line string) {
		fmt.Fprintf(os.Stderr, "%s%s\n", logPrefixes[level], line)
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
	return pool.Serve(pool.ServeOptions{Version: version, Load: w.load}, around(w.describe))
}

// Lines on stderr carry their level, so that the supervisor can log them at it.
var logPrefixes = map[llm.Level]string{llm.Debug: "D ", llm.Info: "I ", llm.Warn: "W ", llm.Error: "E "}

type worker struct {
	job      workerJob
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
	info := workerInfo{
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

func protect(job workerJob, gpu bool) (protection, weak string) {
	read := []string{string(job.Root)}
	for _, l := range job.Links {
		read = append(read, string(l))
	}
	protection, err := confine.Apply(read, gpu)
	if err != nil {
		weak = err.Error()
	}
	return protection, weak
}

// handler answers for one photo.
type handler func(context.Context, pool.Job) (any, error)

// around is where the tests' faults come in.
var around = func(h handler) handler { return h }

// describe is the way of one photo through the worker: path to pixels to words.
func (w *worker) describe(ctx context.Context, j pool.Job) (any, error) {
	began := time.Now()
	img, err := w.decode(j.Path)
	var bad *photo.Error
	if errors.As(err, &bad) {
		return nil, kindError{string(bad.Kind), bad.Err, bad.Lost} // the record says which photo
	}
	if err != nil {
		return nil, err
	}
	if w.answered.Add(1)%tidyEvery == 0 {
		llm.Trim()
		debug.FreeOSMemory()
	}
	decoded := time.Now()
	picture := llm.Picture{
		Width: img.Width, Height: img.Height, Pix: img.Pix,
		OrigWidth: img.OrigWidth, OrigHeight: img.OrigHeight,
		Context: w.job.Ask.context(j.Path, img.Metadata),
	}
	img.Pix = nil // the engine lets go of them as soon as it has its tiles
	a, err := w.engine.Describe(ctx, picture)
	if errors.Is(err, llm.ErrBroken) {
		// No fault of this photo's, most likely: let another process try it.
		fmt.Fprintf(os.Stderr, "%s%v\n", logPrefixes[llm.Error], err)
		os.Exit(exitError)
	}
	if err != nil {
		return nil, err
	}
	rec := tracker.Record{
		Status: tracker.OK,
		Width:  img.OrigWidth,
		Height: img.OrigHeight,
		Tiles:  a.Tiles,
		Seconds: tracker.Seconds{
			Decode:   round(decoded.Sub(began)),
			Encode:   round(a.Encode),
			Prompt:   round(a.Prefill),
			Generate: round(a.Generate),
			Total:    round(time.Since(began)),
		},
	}
	w.job.Ask.record(&rec, a)
	return rec, nil
}

// decode turns a path into pixels, so many at once as there are decoders.
func (w *worker) decode(rel string) (*vips.Image, error) {
	w.decoders <- struct{}{}
	defer func() { <-w.decoders }()
	return vips.Decode(photoPath(string(w.job.Root), rel), vips.Options{
		Longest: w.engine.LongestEdge(), MaxBytes: w.job.MaxBytes,
	})
}

// round gives seconds to the millisecond.
func round(d time.Duration) float64 { return float64(d.Round(time.Millisecond).Milliseconds()) / 1000 }

// kindError carries the kind of a photo's failure over the protocol.
type kindError struct {
	kind string
	err  error
	lost bool
}

func (e kindError) Error() string { return e.err.Error() }
func (e kindError) Kind() string  { return e.kind }
func (e kindError) Lost() bool    { return e.lost }
func (e kindError) Unwrap() error { return e.err }
