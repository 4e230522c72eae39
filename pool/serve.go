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

// ServeOptions says how a worker presents itself. All fields are optional.
type ServeOptions struct {
	// Version of the program; the supervisor turns away a worker of another
	// one, as happens when the binary is replaced under a running run.
	Version string

	// Load makes the worker ready for its first job; what it returns goes to
	// the supervisor as the hello's info. It runs on Serve's own goroutine. An
	// error ends the whole run with its message, for loading again would end
	// the same way.
	Load func(context.Context) (info any, err error)

	// Memory is this process's own memory, reported with each answer.
	// Default: anonymous memory and swap, as the system counts them.
	Memory func() uint64

	// Heartbeat is the time between two signs of life. Default 2 s.
	Heartbeat time.Duration
}

// Serve is a worker process's whole life: it loads, says hello, calls handle
// in a goroutine of its own for each job and sends back what it returns. How
// many jobs run at once is the supervisor's choice.
//
// An error of handle is sent as a Failure; its kind is what a method
// Kind() string on the error or one it wraps says, else "model". A panic in
// handle is not caught: the process dies loudly and the supervisor draws its
// conclusions.
//
// Serve returns nil when it was told to leave and all jobs are answered. When
// the supervisor disappears it does not return: the process exits at once, busy
// or not. Interrupts, hang-ups and SIGTERM are ignored from the first moment,
// because terminals and service managers send them to every process of a run
// while it is the supervisor's part to decide what they mean.
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
// or before it has exited, the supervisor is gone and so is the worker.
func (w *server) readOrders(ctx context.Context, in io.Reader, orders chan<- order, broken chan<- error) {
	s := lineReader(in)
	for s.Scan() {
		o, err := parseOrder(s.Bytes())
		if err != nil {
			broken <- err
			return
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
	// After leave nothing more comes, but the supervisor keeps the pipe open until
	// this process has exited.
	for s.Scan() {
	}
	w.orphaned()
}

// exitOrphan is the exit status of a worker that outlived its supervisor. Only
// strace or a service manager can show it.
const exitOrphan = 75

// server is the worker's end of the protocol.
type server struct {
	opt      ServeOptions
	orphaned func() // ends the process when the supervisor is gone

	mu  sync.Mutex // one line at a time
	out io.Writer
}

// load calls Load and tells the supervisor how it went.
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

// handleJob does one job and reports it.
func (w *server) handleJob(ctx context.Context, job Job, handle func(context.Context, Job) (any, error)) {
	a := answer{ID: job.ID}
	v, err := handle(ctx, job)
	if err == nil {
		a.Data, err = json.Marshal(v)
	}
	if err == nil && len(a.Data) > maxLine/2 {
		err = fmt.Errorf("the answer is %d bytes long", len(a.Data))
	}
	if err != nil {
		a.Data, a.Failure = nil, failureOf(err)
	}
	// A failed write means that nobody listens; readOrders sees to that.
	w.send(report{Result: &a})
}

// drain waits for the jobs under way, with signs of life.
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

// send writes one report, with the memory of this moment in it. It is measured
// under the lock, so that no report overtakes one that knew less.
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

// failureOf turns an error into a Failure with the kind it asks for.
func failureOf(err error) *Failure {
	f := &Failure{Kind: KindModel, Message: err.Error()}
	var typed interface{ Kind() string }
	if errors.As(err, &typed) && typed.Kind() != "" {
		f.Kind = typed.Kind()
	}
	var read interface{ ReadError() bool }
	f.ReadError = errors.As(err, &read) && read.ReadError()
	if len(f.Message) > maxLine/16 { // JSON may make six bytes of one
		f.Message = f.Message[:maxLine/16]
	}
	return f
}
