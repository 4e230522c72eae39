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

// Measured is what a model needs on this machine. Memory is in bytes.
type Measured struct {
	Weights uint64 // text and vision, mapped, shared by all workers
	Worker  uint64 // one worker's own memory: buffers and Go's runtime
	Slot    uint64 // the KV cache of one slot
	Longest int    // longest edge that photos are decoded to, pixels
	GPU     bool   // the model runs on a GPU
	Second  bool   // the GPU has memory for a second worker
	Slots   int    // slots that the GPU has memory for

	// Photo is about the processor time of a photo until its first token; 0 is unknown.
	Photo time.Duration
}

// Sizes returns the sizes with the memory of decoded photos added. A photo takes
// its pixels, at most twice as long as needed, and those of its tiles. Each worker
// holds DecodeAhead further photos.
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

// Measure loads the model in a separate process and returns what it needs. It
// fails if the model cannot be loaded, before any photo is opened. The process has
// a niceness of at least nice.
func Measure(ctx context.Context, config Config, nice int) (Measured, error) {
	config.Measure = true
	cmd, err := Command(config)
	if err != nil {
		return Measured{}, err
	}
	limited, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	cmd = ContextCommand(limited, cmd)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	// The process exits when its input ends, so it cannot outlive this one.
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
	message, hints := "", false
	for line := range strings.Lines(stderr) {
		indented := strings.HasPrefix(line, "  ")
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "photodesc: "):
			message, hints = strings.TrimPrefix(line, "photodesc: "), true
			continue
		case hints && indented: // what to do, below the message
			message += "\n  " + line
			continue
		case strings.HasPrefix(line, "E "):
			errs = append(errs, strings.TrimPrefix(line, "E "))
		}
		hints = false
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

// noThreads reports whether a process failed because of the limit of processes and threads.
func noThreads(stderr string) bool {
	return strings.Contains(stderr, "pthread_create failed") || strings.Contains(stderr, "failed to create new OS thread")
}

// measureHere runs in the process that Measure has started.
func measureHere(config Config) error {
	// The supervisor handles signals, as it does for workers.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(ui.ExitError)
	}()
	program := machine.OwnMemory()
	opt := config.Ask.engine(config.Engine)
	opt.Parallel, opt.Threads = 2, 1
	engine, err := llm.Open(opt)
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := vips.Startup(vips.StartupOptions{Untrusted: config.Untrusted}); err != nil {
		return err
	}
	if !engine.OnGPU() { // a GPU's driver must be able to write its caches
		protect(config, false)
	}
	// The encoder allocates its buffers with its first tile.
	before := cpuTime()
	if err := engine.WarmUp(context.Background()); err != nil {
		return err
	}
	tile := cpuTime() - before
	s := engine.Sizes()
	// The first picture is small: longer prompts write more of the buffers.
	all, own := s.KV+s.Compute, machine.OwnMemory()
	if s.Unwritten > 0 && own > 0 && !engine.OnGPU() {
		all = program + all - s.Unwritten
	}
	all = max(all, own)
	m := Measured{
		Weights: s.Weights + s.Vision, Slot: s.KV / 2, Longest: engine.LongestEdge(), Worker: all - s.KV,
		Photo: tile * time.Duration(engine.PhotoTiles()),
	}
	if m.GPU = engine.OnGPU(); m.GPU {
		free, model := freeGPUMemory(engine.Devices()), s.Weights+s.Vision+s.Compute
		m.Slots = gpuSlots(free, model, m.Slot)
		m.Second = free > model+m.Slot*uint64(m.Slots)
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

// cpuTime is the processor time of this process, 0 if it is unknown. Other programs
// and slow disks do not change it, unlike the time by the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// SlotsInTime is how many slots a worker on a CPU may have, at most MaxSlots, so that
// no photo comes near its time-out, 0 for none. One that is handed out ahead waits for
// all slots twice. That may take 60 % of the time, since others may use the machine.
// photo is Measured.Photo.
func SlotsInTime(photo, timeout time.Duration) int {
	if photo <= 0 || timeout <= 0 {
		return MaxSlots
	}
	const least = 2
	return int(min(max(timeout*3/(10*photo), least), MaxSlots))
}

// freeGPUMemory returns the free memory of all GPUs together, in bytes.
func freeGPUMemory(devices []llm.Device) (free uint64) {
	for _, d := range devices {
		if d.Kind == "GPU" {
			free += d.Free
		}
	}
	return free
}

// MaxSlots is the number of slots on a CPU above which photos of several tiles are
// described hardly faster: encoding them takes most of the time. MoreSlots is for
// photos of one tile. docs/performance.md has what they give.
const (
	MaxSlots  = 8
	MoreSlots = 16
)

// maxGPUSlots is the largest number of slots on a GPU.
const maxGPUSlots = 32

// gpuSlots returns the number of slots of a worker on a GPU with free bytes of free
// memory. A quarter of these and the memory of the next batch's worker are left
// unused, but there are never fewer slots than on a CPU. Sizes are in bytes.
func gpuSlots(free, model, slot uint64) int {
	free = free / 4 * 3
	fitting := (free - min(free, model)) / 2 / max(slot, 1)
	return int(min(max(fitting, MaxSlots), maxGPUSlots))
}
