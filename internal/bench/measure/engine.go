package measure

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"photodesc/internal/photo/vips"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/llm"
	llamacpp "photodesc/third_party/llama.cpp"
)

// The bare engine describes the same photos in processes like a run's workers and
// with the same settings, but without supervisor, protocol and tracker. The photos
// are decoded before the time is taken. The difference to a run is the cost of
// these parts.

// engineResult is the result of the bare engine.
type engineResult struct {
	photos int
	took   float64 // seconds for all photos
	decode float64 // CPU seconds to decode one photo
}

func (r engineResult) photoSeconds() float64 { return r.took / float64(max(r.photos, 1)) }

// engine distributes the photos to as many engines as a run has workers.
func (b *Benchmark) engine(ctx context.Context, photos []string) (r engineResult, err error) {
	workers := min(b.Plan.Workers, len(photos))
	shares := make([][]storage.RawPath, workers)
	for i, p := range photos {
		shares[i%workers] = append(shares[i%workers], storage.RawPath(p))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends those that are left when one fails
	var engines []*bareEngine
	for _, share := range shares {
		e, err := startBareEngine(ctx, b.Worker, share)
		if err != nil {
			return r, err
		}
		engines = append(engines, e)
	}
	for _, e := range engines {
		cpu, err := e.number()
		if err != nil {
			return r, err
		}
		r.decode += cpu / float64(len(photos))
	}
	began := time.Now()
	for _, e := range engines {
		io.WriteString(e.in, "go\n")
	}
	for _, e := range engines {
		n, err := e.number()
		if err != nil {
			return r, err
		}
		r.photos += int(n)
	}
	r.took = time.Since(began).Seconds()
	for _, e := range engines { // what comes next has the machine for itself
		e.in.Close()
		e.cmd.Wait()
	}
	return r, nil
}

// bareEngine is our side of a process. It says two numbers: the CPU seconds
// that decoding took, and, after a line from us, the photos described.
type bareEngine struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	words *strings.Builder
	ctx   context.Context
}

func startBareEngine(ctx context.Context, config worker.Config, photos []storage.RawPath) (*bareEngine, error) {
	cmd, err := worker.Command(config)
	if err != nil {
		return nil, err
	}
	env := cmd.Env
	if cmd, err = selfCommand(ctx, "bench", "engine"); err != nil {
		return nil, err
	}
	cmd.Env = env
	e := &bareEngine{cmd: cmd, words: &strings.Builder{}, ctx: ctx}
	cmd.Stderr = e.words
	if e.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return e, json.NewEncoder(e.in).Encode(photos)
}

func (e *bareEngine) number() (float64, error) {
	line, err := e.out.ReadString('\n')
	if err == nil {
		return strconv.ParseFloat(strings.TrimSpace(line), 64)
	}
	err = e.cmd.Wait()
	if e.ctx.Err() != nil {
		return 0, e.ctx.Err()
	}
	return 0, fmt.Errorf("the bare engine failed: %s", worker.FailureText(e.words.String(), err))
}

// ServeBareEngine runs a bare engine in a process that engine has started.
func ServeBareEngine(in io.Reader, out io.Writer) error {
	var config worker.Config
	if err := json.Unmarshal([]byte(os.Getenv(worker.ConfigEnv)), &config); err != nil {
		return &ui.Exit{Code: ui.ExitUsage, Err: errors.New("this is started by `photodesc bench` only")}
	}
	llm.SetLog(func(level llm.Level, line string) { fmt.Fprintf(os.Stderr, "%s%s\n", worker.LogPrefixes[level], line) })
	lines := bufio.NewReader(in)
	var photos []storage.RawPath
	line, err := lines.ReadBytes('\n')
	if err := errors.Join(err, json.Unmarshal(line, &photos)); err != nil {
		return err
	}
	if err := vips.Startup(vips.StartupOptions{}); err != nil {
		return err
	}
	engine, err := llm.Open(config.Engine)
	if err != nil {
		return err
	}
	before := cpuSeconds()
	var pictures []llm.Picture
	for _, p := range photos {
		img, err := vips.Decode(string(p), vips.Options{Longest: engine.LongestEdge(), MaxBytes: config.MaxBytes})
		if err != nil {
			return err
		}
		pictures = append(pictures, llm.Picture{
			Width: img.Width, Height: img.Height, Pix: img.Pix, OrigWidth: img.OrigWidth, OrigHeight: img.OrigHeight,
		})
	}
	fmt.Fprintln(out, cpuSeconds()-before)
	if _, err := lines.ReadString('\n'); err != nil {
		return err
	}
	go func() { // its input ends with us, and it with its input
		io.Copy(io.Discard, lines)
		os.Exit(ui.ExitError)
	}()
	if err := describeAll(engine, pictures, config.Engine.Parallel+worker.DecodeAhead); err != nil {
		return err
	}
	fmt.Fprintln(out, len(pictures))
	return nil
}

// describeAll has as many pictures in the engine at once as a worker would.
func describeAll(engine *llm.Engine, pictures []llm.Picture, atOnce int) error {
	next := make(chan llm.Picture)
	failed := make([]error, atOnce)
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			for p := range next {
				if _, err := engine.Describe(context.Background(), p); err != nil && failed[i] == nil {
					failed[i] = err
				}
			}
		})
	}
	for _, p := range pictures {
		next <- p
	}
	close(next)
	all.Wait()
	return errors.Join(failed...)
}

// cpuSeconds returns the processor time of this process in seconds.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// Limits are the highest rates of the machine.
type Limits struct {
	Threads int     `json:"threads"`
	Sgemm   float64 `json:"sgemm_gflop_per_second"`     // 0: no BLAS
	Read    float64 `json:"memory_gigabyte_per_second"` // reading
	BLAS    string  `json:"blas,omitempty"`
	Core    string  `json:"blas_core,omitempty"`
	GPU     string  `json:"gpu,omitempty"` // whose limits these are not
}

// limits measures in a process of its own, as a worker's libraries are set up.
func (b *Benchmark) limits(ctx context.Context) (l Limits, err error) {
	threads := min(b.Plan.Threads*b.Plan.Workers, runtime.NumCPU())
	cmd, err := selfCommand(ctx, "bench", "limits", strconv.Itoa(threads))
	if err != nil {
		return l, err
	}
	cmd.Env = worker.Environment(os.Environ())
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return l, ctx.Err()
	}
	if err != nil {
		return l, fmt.Errorf("measuring the machine's limits: %w\n%s", err, wording.LastLines(words.String(), 5))
	}
	return l, json.Unmarshal(out, &l)
}

// FindLimits measures for some seconds how fast this machine multiplies matrices and
// reads memory with so many threads.
func FindLimits(threads int) Limits {
	const about = time.Second
	l := Limits{
		Threads: threads,
		// The shape of the encoder's largest product: a tile's patches, their
		// values, and the feed-forward network's.
		Sgemm: llamacpp.Sgemm(1024, 3072, 768, threads, about) / 1e9,
		Read:  llamacpp.ReadMemory(threads, about) / 1e9,
	}
	if config, core := llamacpp.BLAS(); config != "" {
		l.BLAS, l.Core = worker.BlasName(config), core
	}
	for _, d := range llm.Devices() {
		if d.Kind == "GPU" {
			l.GPU = d.Name
		}
	}
	return l
}

func (l Limits) text() string {
	sgemm := "no BLAS"
	if l.Sgemm > 0 {
		sgemm = fmt.Sprintf("sgemm %s GFLOP/s", numberText(l.Sgemm))
	}
	return fmt.Sprintf("%s, reading memory %s GB/s", sgemm, numberText(l.Read))
}
