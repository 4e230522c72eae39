package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/machine"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// The tests start this test binary again: as a worker that does what the name of a
// photo says, or as a supervisor that is going to be killed.
const (
	roleEnv  = "POOL_TEST_ROLE"
	moodEnv  = "POOL_TEST_MOOD"  // what the worker does whatever the photos say
	delayEnv = "POOL_TEST_DELAY" // that each photo takes
	coldEnv  = "POOL_TEST_COLD"  // a file; while it is there frozen photos wait
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "worker":
		fakeWorker()
	case "supervisor":
		fakeSupervisor()
	default:
		os.Exit(m.Run())
	}
}

// kindError is an error with a kind, as the packages with C in them have.
type kindError string

func (e kindError) Error() string { return "this is " + string(e) }
func (e kindError) Kind() string  { return string(e) }

// readError is the error for a photo that cannot be read.
type readError string

func (e readError) Error() string   { return string(e) }
func (e readError) Kind() string    { return KindUnreadable }
func (e readError) ReadError() bool { return true }

// fake is a worker that does what the names of photos say.
type fake struct {
	moods []string
	delay time.Duration
	cold  string // a file; while it is there frozen photos wait
	out   io.Writer
	// silence makes the worker send nothing more, as if it was stopped.
	silence func()

	mu     sync.Mutex
	leaked uint64

	engine fakeEngine
}

// fakeEngine takes as long as an engine of several slots: it encodes one photo after
// another, and generates text when all its slots have one.
type fakeEngine struct {
	slots, encoder chan struct{}
	generate       *sync.Cond
	unencoded      int
	generated      int // times that all slots had a photo and their texts were generated
}

func newFakeEngine(slots int) fakeEngine {
	return fakeEngine{slots: make(chan struct{}, slots), encoder: make(chan struct{}, 1), generate: sync.NewCond(new(sync.Mutex))}
}

func (e *fakeEngine) describe(encode time.Duration) {
	e.slots <- struct{}{}
	e.generate.L.Lock()
	e.unencoded++
	e.generate.L.Unlock()
	e.encoder <- struct{}{}
	time.Sleep(encode)
	<-e.encoder
	e.generate.L.Lock()
	if e.unencoded--; e.unencoded == 0 {
		e.generated++
		e.generate.Broadcast()
	} else {
		for before := e.generated; e.generated == before; {
			e.generate.Wait()
		}
	}
	e.generate.L.Unlock()
	<-e.slots
}

func newFake(env func(string) string, out io.Writer, silence func()) *fake {
	delay, _ := time.ParseDuration(env(delayEnv))
	return &fake{moods: strings.Fields(env(moodEnv)), delay: delay, cold: env(coldEnv), out: out, silence: silence, leaked: 100 << 20,
		engine: newFakeEngine(8)}
}

func (f *fake) options() ServeOptions {
	opt := ServeOptions{Version: "1", Heartbeat: 20 * time.Millisecond, Memory: f.memory}
	for _, mood := range f.moods {
		switch mood {
		case "silent":
			opt.Load = func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
		case "slowload":
			opt.Load = func(context.Context) (any, error) { time.Sleep(150 * time.Millisecond); return "slow", nil }
		case "fatal":
			opt.Load = func(context.Context) (any, error) { return nil, kindError("nomodel") }
		case "old":
			opt.Version = "0"
		case "babble":
			io.WriteString(f.out, "I am not JSON\n")
		case "hellotwice":
			io.WriteString(f.out, `{"hello":{"protocol":2,"version":"1"}}`+"\n")
		case "nobeat":
			opt.Heartbeat = time.Hour
		}
	}
	return opt
}

func (f *fake) memory() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(f.moods, "leak") {
		return f.leaked
	}
	return 15 << 20
}

// describe is the handler for Serve.
func (f *fake) describe(ctx context.Context, j Job) (any, error) {
	if slices.Contains(f.moods, "slots") {
		f.engine.describe(f.delay)
	} else {
		time.Sleep(f.delay)
	}
	name := j.Path
	if j.Attempt == 1 {
		name = strings.ReplaceAll(name, "once-", "")
	} else if strings.Contains(name, "once-") {
		name = "good"
	}
	act := func(s string) bool { return strings.Contains(name, s) }
	switch {
	case act("segv"):
		syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	case act("abort"):
		fmt.Fprintln(os.Stderr, "ggml.c:123: GGML_ASSERT(n > 0) failed")
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	case act("panic"):
		panic("handler lost its head")
	case act("exit3"):
		fmt.Fprintln(os.Stderr, "cannot go on")
		os.Exit(3)
	case act("exit0"):
		os.Exit(0)
	case act("kill9"):
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case act("hang"):
		<-ctx.Done()
		return nil, ctx.Err()
	case act("stop"):
		f.silence()
		<-ctx.Done()
		return nil, ctx.Err()
	case act("frozen"):
		for err := error(nil); err == nil && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
			_, err = os.Stat(f.cold)
		}
	case act("noread"):
		return nil, readError("cannot open it")
	case act("garbage"):
		io.WriteString(f.out, "{]\n")
	case act("wrongid"):
		io.WriteString(f.out, `{"result":{"id":99999,"data":1}}`+"\n")
	case act("twice"):
		fmt.Fprintf(f.out, `{"result":{"id":%d,"data":"first"}}`+"\n", j.ID)
	case act("giant"):
		io.WriteString(f.out, strings.Repeat("x", maxLine+10)+"\n")
	case act("noise"):
		for i := range 2000 {
			fmt.Println("noise", i, strings.Repeat("y", 50))
		}
		fmt.Fprintln(os.Stderr, strings.Repeat("z", 100000))
	case act("known"):
		return map[string]bool{"needed": Needed(ctx, j.Path)}, nil
	case act("strange"): // it asks about a job that it does not have
		io.WriteString(f.out, `{"question":{"id":99999,"data":1}}`+"\n")
	case act("slow"):
		time.Sleep(200 * time.Millisecond)
	case act("unreadable"):
		return nil, fmt.Errorf("wrapped: %w", kindError("unreadable"))
	case act("fails"):
		return nil, errors.New("no idea")
	case act("unmarshalable"):
		return func() {}, nil
	}
	f.mu.Lock()
	f.leaked += 10 << 20
	f.mu.Unlock()
	return map[string]any{"path": []byte(j.Path), "file": j.File, "isolated": j.Isolated, "pid": os.Getpid()}, nil
}

// fakeWorker is a fake in a process of its own.
func fakeWorker() {
	out := os.NewFile(reportFD, "")
	defer runtime.KeepAlive(out)
	f := newFake(os.Getenv, out, func() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) })
	if slices.Contains(f.moods, "dead") {
		os.Exit(9)
	}
	if slices.Contains(f.moods, "orphan") { // as where the system has no parent-death signal
		clearDeathSignal()
	}
	if err := Serve(f.options(), f.describe); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fakeSupervisor prints its workers' process IDs and runs until it is killed.
func fakeSupervisor() {
	cfg := Config{Command: fakeCommand(os.Getenv(moodEnv)), Workers: 2, MaxInFlight: 2, trace: printTracer{},
		Observe: func(e Event) {
			if e.Kind == EventWorkerReady {
				fmt.Println("ready", e.PID)
			}
		}}
	New(cfg).Run(context.Background(), paths("hang", 8), func(Result) error { return nil })
}

// printTracer prints which photos are handed out.
type printTracer struct{ noTracer }

func (printTracer) handedOut(w *worker, a *attempt) { fmt.Println("out", a.photo.path) }

func fakeCommand(mood string, env ...string) func(int) *exec.Cmd {
	return func(int) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleEnv+"=worker", moodEnv+"="+mood)
		// By default the race detector sleeps for a second at every exit.
		cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0")
		cmd.Env = append(cmd.Env, env...)
		return cmd
	}
}

// paths is n paths of one kind.
func paths(kind string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(kind + strconv.Itoa(i)) {
				return
			}
		}
	}
}

// Kinds of what only a tracer is told.
const (
	EventBatchStart EventKind = "batch-start"
	EventBatchEnd   EventKind = "batch-end"
	EventPhotoOut   EventKind = "photo-out"
	EventPhotoBack  EventKind = "photo-back"
)

// seen is an event or what a tracer was told.
type seen struct {
	Event
	Time    time.Time
	Path    string
	Attempt int
}

func (r *rig) batchStarted(b *batch) { r.saw(seen{Event: Event{Kind: EventBatchStart, Batch: b.n}}) }

func (r *rig) batchEnded(b *batch) {
	r.saw(seen{Event: Event{Kind: EventBatchEnd, Batch: b.n, Photos: b.answered}})
}

func (r *rig) handedOut(w *worker, a *attempt) {
	r.saw(seen{Event: Event{Kind: EventPhotoOut, Batch: a.batch.n, Worker: w.n, PID: w.pid(), InFlight: len(w.attempts)},
		Path: a.photo.path, Attempt: a.photo.attempts})
	if a.photo.attempts > 1 {
		r.retried++
	}
}

func (r *rig) unfinished(a *attempt) {
	r.saw(seen{Event: Event{Kind: EventPhotoBack, Batch: a.batch.n, Worker: a.worker}, Path: a.photo.path, Attempt: a.photo.attempts})
}

func (r *rig) saw(e seen) {
	e.Time = time.Now()
	if e.Time.After(r.deadline) {
		panic("the run does not end; log:\n" + r.log())
	}
	r.events = append(r.events, e)
	if e.Kind == EventWorkerStart {
		r.alive[e.PID] = true
	}
	if r.onEvent != nil {
		r.onEvent(e)
	}
}

// rig runs a pool and records what it reports.
type rig struct {
	t        testing.TB
	cfg      Config
	p        *Pool
	results  map[string]Result
	order    []string
	events   []seen
	alive    map[int]bool // worker pids started
	logs     *observer.ObservedLogs
	onDone   func(Result) error
	onEvent  func(seen)
	stats    Stats
	retried  int           // attempts after the first
	wall     time.Duration // of the run
	err      error
	limit    time.Duration // of the run
	deadline time.Time     // after which it counts as endless
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	r := &rig{t: t, cfg: cfg, results: map[string]Result{}, alive: map[int]bool{}, logs: logs, limit: time.Minute}
	if r.cfg.Command == nil {
		r.cfg.Command = fakeCommand("")
	}
	if r.cfg.minBackoff == 0 {
		r.cfg.minBackoff, r.cfg.maxBackoff = time.Millisecond, 5*time.Millisecond
	}
	if r.cfg.sampleEvery == 0 {
		r.cfg.sampleEvery = 20 * time.Millisecond
	}
	if r.cfg.samplers.System == nil { // the test machine's own state is no part of a test
		r.cfg.samplers.System = func() (machine.SystemMemory, error) {
			return machine.SystemMemory{Total: 8 << 30, Available: 6 << 30, UsedPercent: 25}, nil
		}
	}
	r.cfg.Log = zap.New(core)
	r.cfg.trace = r
	r.cfg.Observe = func(e Event) { r.saw(seen{Event: e}) }
	r.p = New(r.cfg)
	return r
}

func (r *rig) run(jobs iter.Seq[string]) *rig {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), r.limit)
	defer cancel()
	began := time.Now()
	r.deadline = began.Add(r.limit + time.Minute) // in a bubble a run without an end would soon fill the memory
	r.stats, r.err = r.p.Run(ctx, jobs, func(res Result) error {
		if r.onDone != nil {
			if err := r.onDone(res); err != nil {
				return err
			}
		}
		if _, twice := r.results[res.Path]; twice {
			r.t.Errorf("%q has two results", res.Path)
		}
		r.results[res.Path] = res
		r.order = append(r.order, res.Path)
		return nil
	})
	r.wall = time.Since(began)
	if ctx.Err() != nil {
		r.t.Errorf("the run took too long; log:\n%s", r.log())
	}
	for pid := range r.alive {
		if err := syscall.Kill(pid, 0); err == nil {
			r.t.Errorf("worker %d is alive after the run", pid)
		}
	}
	return r
}

func (r *rig) log() string {
	var b strings.Builder
	for _, e := range r.logs.All() {
		fmt.Fprintln(&b, e.Level, e.Message)
	}
	return b.String()
}

// noError also wants every path to have a result.
func (r *rig) noError(jobs iter.Seq[string]) *rig {
	r.t.Helper()
	if r.err != nil {
		r.t.Fatalf("run: %v; log:\n%s", r.err, r.log())
	}
	n := 0
	for p := range jobs {
		n++
		if _, ok := r.results[p]; !ok {
			r.t.Errorf("%q has no result; log:\n%s", p, r.log())
		}
	}
	if n != len(r.results) {
		r.t.Errorf("%d results for %d photos", len(r.results), n)
	}
	return r
}

// failed is the paths without data, as "path kind".
func (r *rig) failed() []string {
	var fs []string
	for _, res := range r.results {
		if res.Failure != nil {
			fs = append(fs, res.Path+" "+res.Failure.Kind)
		}
	}
	slices.Sort(fs)
	return fs
}

func (r *rig) count(kind EventKind) int {
	n := 0
	for _, e := range r.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// mixed is good photos with the given ones inserted at places that are random but
// the same in every run.
func mixed(good int, bad ...string) iter.Seq[string] {
	all := slices.Collect(paths("good", good))
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, b := range bad {
		all = slices.Insert(all, rnd.IntN(len(all)), b)
	}
	return slices.Values(all)
}
