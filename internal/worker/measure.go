package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"photodesc/internal/machine"

	"photodesc/internal/photo/vips"
	"photodesc/internal/ui"
	"photodesc/llm"
	"photodesc/pool"
)

// Measured is what a model costs on this machine, in bytes.
type Measured struct {
	Weights uint64 // text and vision, mapped, shared by all workers
	Worker  uint64 // one worker's own: buffers, run time
	Slot    uint64 // a slot's part of the KV cache
	Longest int    // longest edge that photos are decoded to, pixels
	GPU     bool   // a GPU does the work
	Second  bool   // and has the memory for a second worker
	Slots   int    // and for so many slots
}

// Sizes adds what a decoded photo takes: its pixels, at most twice as long as
// needed, and those of its tiles. Each worker holds a few that are decoded ahead.
func (m Measured) Sizes() pool.Sizes {
	edge := uint64(m.Longest)
	pixels := 3 * (2*edge*2*edge + 2*edge*edge)
	return pool.Sizes{
		Weights: m.Weights, Worker: m.Worker + DecodeAhead*pixels, Slot: m.Slot,
		Pixels: pixels,
	}
}

// loadTimeout is how long a model may take to load.
const loadTimeout = 5 * time.Minute

// Measure loads the model once in a process of its own and asks what it takes.
// A model that cannot be loaded is found here, before any photo is touched. The
// process has a niceness of at least nice.
func Measure(ctx context.Context, job Job, nice int) (Measured, error) {
	job.Measure = true
	cmd, err := Command(job)
	if err != nil {
		return Measured{}, err
	}
	limited, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	cmd = ContextCommand(limited, cmd)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	// Its input ends with us, and it with its input.
	if _, err := cmd.StdinPipe(); err != nil {
		return Measured{}, err
	}
	pool.AtNice(nice, func() { err = cmd.Start() })
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		if ctx.Err() != nil {
			return Measured{}, ctx.Err()
		}
		if limited.Err() != nil {
			return Measured{}, fmt.Errorf("the model was not loaded within %v\n  is its disk very slow, or does a driver hang? `photodesc doctor` checks this machine", loadTimeout)
		}
		return Measured{}, errors.New(FailureText(words.String(), err))
	}
	var m Measured
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		return Measured{}, fmt.Errorf("measuring the model: %w", err)
	}
	return m, nil
}

// ContextCommand returns a copy of cmd that is killed when ctx ends.
func ContextCommand(ctx context.Context, cmd *exec.Cmd) *exec.Cmd {
	c := exec.CommandContext(ctx, cmd.Path)
	c.Args = cmd.Args
	c.Env = cmd.Env
	return c
}

// FailureText returns why a process failed, for people: the message that it printed
// to stderr or, if it crashed without one, its last lines; then llama.cpp's first error.
func FailureText(stderr string, err error) string {
	var errs []string
	message := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "photodesc: "); ok {
			message = text
		} else if text, ok := strings.CutPrefix(line, "E "); ok {
			errs = append(errs, text)
		}
	}
	if message == "" {
		message = fmt.Sprintf("the model could not be loaded: %v", err)
		if last := pool.CrashLines(stderr); len(last) > 0 {
			message += "\n  its process said last: " + strings.Join(last, "\n    ")
		}
		if noThreads(stderr) || errors.Is(err, syscall.EAGAIN) {
			message += "\n  it may have no more threads: raise the limit of processes (`ulimit -u`), or stop others of this user"
		}
	}
	if len(errs) > 0 {
		message += "\n  llama.cpp says: " + errs[0]
	}
	return message
}

// noThreads is whether a process died of a limit of processes and threads.
func noThreads(stderr string) bool {
	return strings.Contains(stderr, "pthread_create failed") || strings.Contains(stderr, "failed to create new OS thread")
}

// measureHere is the other side: it runs in the process that measures.
func measureHere(job Job) error {
	// What a signal means is for the supervisor to say, as it is with a worker.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(ui.ExitError)
	}()
	opt := job.Ask.engine(job.Engine)
	opt.Parallel, opt.Threads = 2, 1
	engine, err := llm.Open(opt)
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := vips.Startup(vips.StartupOptions{Untrusted: job.Untrusted}); err != nil {
		return err
	}
	// The encoder's buffers come with its first tile.
	if engine.OnGPU() {
		err = tryOut(engine) // unprotected: its driver is to fill its caches for the workers
	} else {
		protect(job, false)
		err = engine.Try(context.Background())
	}
	if err != nil {
		return err
	}
	s := engine.Sizes()
	m := Measured{
		Weights: s.Weights + s.Vision, Slot: s.KV / 2, Longest: engine.LongestEdge(),
		Worker: max(machine.OwnMemory(), s.KV+s.Compute) - s.KV,
	}
	if m.GPU = engine.OnGPU(); m.GPU {
		free, model := gpuRoom(engine.Devices()), s.Weights+s.Vision+s.Compute
		m.Slots = gpuSlots(free, model, m.Slot)
		m.Second = free > model+m.Slot*uint64(m.Slots)
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

// gpuRoom is the memory that the GPUs together have left, in bytes.
func gpuRoom(devices []llm.Device) (free uint64) {
	for _, d := range devices {
		if d.Kind == "GPU" {
			free += d.Free
		}
	}
	return free
}

// MaxSlots is where generating for more photos at once stops paying.
const MaxSlots = 8

// maxGPUSlots is the same on a GPU.
const maxGPUSlots = 32

// gpuSlots is how many slots a worker gets on a GPU with so much memory free: as many as leave room for the next batch's
// worker beside it and for a quarter of what is free, but no fewer than on a CPU. Sizes are bytes.
func gpuSlots(free, model, slot uint64) int {
	free = free / 4 * 3
	room := (free - min(free, model)) / 2 / max(slot, 1)
	return int(min(max(room, MaxSlots), maxGPUSlots))
}
