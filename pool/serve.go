package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"photodesc/internal/machine"
)

// ErrNotWorker is returned by Serve in a process that no pool has started.
var ErrNotWorker = errors.New("this process was not started by a photodesc run")

// ServeOptions are the options of Serve. All fields are optional.
type ServeOptions struct {
	// Version of the program. The supervisor rejects a worker of another version,
	// which it may start when the binary is replaced during a run.
	Version string

	// Load makes the worker ready for its first job. It runs on Serve's goroutine.
	// What it returns is sent to the supervisor as JSON and becomes Event.Info. An
	// error of the first worker ends the whole run with its message.
	Load func(context.Context) (info any, err error)

	// Memory returns this process's own memory in bytes, which is reported with
	// each answer. The default is machine.OwnMemory.
	Memory func() uint64

	// Heartbeat is the time between two heartbeats; default 2 s.
	Heartbeat time.Duration
}

// Serve runs a worker process: it loads, sends hello, calls handle in a new
// goroutine for each job and sends what it returns, as JSON. The supervisor
// decides how many jobs run at once.
//
// An error of handle is sent as a Failure. Its kind is what a method Kind() string
// of the error, or of one that it wraps, returns, or else "model". A method
// ReadError() bool that returns true says that the photo could not be read. A
// panic in handle is not caught: it ends the process, and the supervisor charges
// the photo with a crash.
//
// Serve returns nil when the supervisor has told it to leave and all jobs are
// answered. If the supervisor ends, the process exits at once. SIGINT, SIGHUP and
// SIGTERM are ignored, because terminals and service managers send them to all
// processes of a run, and the supervisor decides what they mean.
func Serve(opt ServeOptions, handle func(context.Context, Job) (any, error)) error {
	if os.Getenv(workerEnv) == "" {
		return ErrNotWorker
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM)
	// What C code starts, such as a debugger, must not inherit the pipes.
	syscall.CloseOnExec(orderFD)
	syscall.CloseOnExec(reportFD)
	// C code may be busy for minutes on another thread; os.Exit does not wait for it.
	w := &server{opt: opt.withDefaults(), out: os.NewFile(reportFD, "reports"), orphaned: func() { os.Exit(exitOrphan) }}
	return w.serve(context.Background(), os.NewFile(orderFD, "orders"), handle)
}

func (o ServeOptions) withDefaults() ServeOptions {
	if o.Memory == nil {
		o.Memory = machine.OwnMemory
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 2 * time.Second
	}
	return o
}

// serve is Serve with the pipes given.
func (w *server) serve(ctx context.Context, in io.Reader, handle func(context.Context, Job) (any, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	// Orders are read from the start, so that the end of the supervisor is noticed
	// while the model loads.
	orders := make(chan order)
	broken := make(chan error, 1)
	go w.readOrders(ctx, in, orders, broken)

	if err := w.load(ctx); err != nil {
		return err
	}
	var jobs sync.WaitGroup
	beat := time.NewTicker(w.opt.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			if err := w.send(report{Alive: &alive{}}); err != nil {
				return err
			}
		case err := <-broken:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case o := <-orders:
			if o.Leave {
				return w.drain(&jobs, beat)
			}
			job := *o.Job
			jobs.Go(func() { w.handleJob(ctx, job, handle) })
		}
	}
}

// readOrders passes on orders. If they end before the worker was told to leave,
// or before it has exited, the supervisor has ended, and the worker exits.
func (w *server) readOrders(ctx context.Context, in io.Reader, orders chan<- order, broken chan<- error) {
	s := lineReader(in)
	for s.Scan() {
		o, err := parseOrder(s.Bytes())
		if err != nil {
			broken <- err
			return
		}
		if o.Reply != nil {
			w.questions.answer(*o.Reply)
			continue
		}
		select {
		case orders <- o:
		case <-ctx.Done():
			return
		}
		if o.Leave {
			break
		}
	}
	if err := s.Err(); err != nil {
		broken <- fmt.Errorf("reading orders: %w", err)
		return
	}
	// After leave only replies come, and the supervisor keeps the pipe open until
	// this process has exited.
	for s.Scan() {
		if o, err := parseOrder(s.Bytes()); err == nil && o.Reply != nil {
			w.questions.answer(*o.Reply)
		}
	}
	w.orphaned()
}

// exitOrphan is the exit status of a worker that outlived its supervisor. Only
// strace or a service manager can show it.
const exitOrphan = 75

// server is the worker's end of the protocol.
type server struct {
	opt      ServeOptions
	orphaned func() // ends the process when the supervisor has ended

	questions questions

	mu  sync.Mutex // one line at a time
	out io.Writer
}

// load calls Load and sends hello, or fatal if it fails.
func (w *server) load(ctx context.Context) error {
	var info json.RawMessage
	if w.opt.Load != nil {
		v, err := w.opt.Load(ctx)
		if err == nil && v != nil {
			info, err = json.Marshal(v)
		}
		if err != nil {
			w.send(report{Fatal: failureOf(err)})
			return err
		}
	}
	return w.send(report{Hello: &hello{
		Protocol: ProtocolVersion,
		Version:  w.opt.Version,
		PID:      os.Getpid(),
		Info:     info,
	}})
}

// handleJob calls handle for one job and sends the answer.
func (w *server) handleJob(ctx context.Context, job Job, handle func(context.Context, Job) (any, error)) {
	a := answer{ID: job.ID}
	v, err := handle(context.WithValue(ctx, askerKey{}, asker{w, job.ID}), job)
	if err == nil {
		a.Data, err = json.Marshal(v)
	}
	if err == nil && len(a.Data) > maxLine/2 {
		err = fmt.Errorf("the answer is %d bytes long", len(a.Data))
	}
	if err != nil {
		a.Data, a.Failure = nil, failureOf(err)
	}
	// If the write fails, the supervisor has ended, which readOrders notices.
	w.send(report{Result: &a})
}

// drain waits for the jobs under way and sends heartbeats meanwhile.
func (w *server) drain(jobs *sync.WaitGroup, beat *time.Ticker) error {
	done := make(chan struct{})
	go func() {
		jobs.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			return nil
		case <-beat.C:
			if err := w.send(report{Alive: &alive{}}); err != nil {
				return err
			}
		}
	}
}

// send writes one report with the memory that the process has now. The memory is
// read under the lock, so that the supervisor receives the figures in order.
func (w *server) send(r report) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch mem := w.opt.Memory(); {
	case r.Hello != nil:
		r.Hello.Mem = mem
	case r.Alive != nil:
		r.Alive.Mem = mem
	case r.Result != nil:
		r.Result.Mem = mem
	}
	line, err := encodeLine(r)
	if err != nil {
		return err
	}
	_, err = w.out.Write(line)
	return err
}

// failureOf returns the Failure for an error of handle or Load.
func failureOf(err error) *Failure {
	f := &Failure{Kind: KindModel, Message: err.Error()}
	var typed interface{ Kind() string }
	if errors.As(err, &typed) && typed.Kind() != "" {
		f.Kind = typed.Kind()
	}
	var read interface{ ReadError() bool }
	f.ReadError = errors.As(err, &read) && read.ReadError()
	var detailed interface{ Data() any }
	if errors.As(err, &detailed) {
		if data, err := json.Marshal(detailed.Data()); err == nil && len(data) < maxLine/16 {
			f.Data = data
		}
	}
	if len(f.Message) > maxLine/16 { // JSON may make six bytes of one
		f.Message = f.Message[:maxLine/16]
	}
	return f
}
