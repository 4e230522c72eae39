package pool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// proc is a worker's process: the pipes to it and the way to end it. What it
// reports arrives as events; after evExited nothing more comes.
type proc struct {
	process
	pid     int
	orders  chan []byte    // lines for the worker
	in      io.WriteCloser // what they are written to
	reports io.ReadCloser  // lines from the worker
	stderr  *stderrTail    // its standard output and error
	wrote   chan struct{}  // closed when no more orders are written
}

// process is what a worker runs in.
type process interface {
	// kill ends it and all that it has started. It may be called at any time.
	kill()
	// wait returns when it has ended and no more than what is in the pipes will
	// come from it. The error is that of exec.Cmd.Wait.
	wait() error
}

// launcher starts a worker. onLine is given each line that it prints; it may be nil.
type launcher func(cmd *exec.Cmd, onLine func(string)) (*proc, error)

func newProc(pid int, p process, in io.WriteCloser, reports io.ReadCloser, stderr *stderrTail) *proc {
	return &proc{process: p, pid: pid, in: in, reports: reports, stderr: stderr,
		orders: make(chan []byte, 2*maxInFlightLimit+1), wrote: make(chan struct{})}
}

// Events that a process sends to the run.
type (
	evReport struct {
		w *worker
		r report
	}
	evBroken struct { // the worker sent what it may not send
		w   *worker
		err error
	}
	evStarted struct {
		w   *worker
		p   *proc
		err error
	}
	evExited struct {
		w   *worker
		err error // of process.wait
	}
)

// drainTime bounds how long a dead worker's pipes are read. Only a process that
// the worker has started and that outlived it can hold them open.
const drainTime = 2 * time.Second

// starter starts processes, all from one operating system thread that lives as
// long as the run: Linux binds the parent-death signal to the thread that called
// fork, and Go may end any thread.
type starter struct {
	work chan func()
	done chan struct{}
}

func newStarter(workers, nice int) *starter {
	s := &starter{work: make(chan func(), 2*workers+1), done: make(chan struct{})}
	go AtNice(nice, func() {
		defer close(s.done)
		for f := range s.work {
			f()
		}
	})
	return s
}

func (s *starter) close() {
	close(s.work)
	<-s.done
}

// startProc starts a worker and the goroutines that serve its pipes. It sends
// evStarted before any other event about the worker. If that carries an error,
// nothing follows. send reports false when the run is over, and must
// not block for ever.
func startProc(w *worker, launch launcher, cmd *exec.Cmd, send func(any) bool, onLine func(string)) {
	p, err := launch(cmd, onLine)
	send(evStarted{w, p, err})
	if err != nil {
		return
	}
	go p.write()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		listen(w, p.reports, send)
	}()
	go func() {
		err := p.wait()
		<-heard
		p.reports.Close()
		if !send(evExited{w, err}) {
			p.close() // an abandoned worker outlived the run
		}
	}()
}

// spawn starts cmd as a worker. endGroup is the function of that name.
func spawn(cmd *exec.Cmd, endGroup func(pid int) bool, onLine func(string)) (*proc, error) {
	if cmd == nil {
		return nil, errors.New("starting a worker: no command")
	}
	orderR, orderW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reportR, reportW, err := os.Pipe()
	if err != nil {
		orderR.Close()
		orderW.Close()
		return nil, err
	}
	stderr := &stderrTail{onLine: onLine}
	cmd.ExtraFiles = append([]*os.File{orderR, reportW}, cmd.ExtraFiles...)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, workerEnv+"="+strconv.Itoa(ProtocolVersion))
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.WaitDelay = drainTime
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// In a process group of its own the worker does not receive the terminal's ^C,
	// and what it has started can be ended with it.
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr)
	err = cmd.Start()
	orderR.Close()
	reportW.Close()
	if err != nil {
		orderW.Close()
		reportR.Close()
		return nil, fmt.Errorf("starting a worker: %w", err)
	}
	p := &osProcess{cmd: cmd, reports: reportR, endGroup: endGroup}
	return newProc(cmd.Process.Pid, p, orderW, reportR, stderr), nil
}

// osProcess is a process of the operating system.
type osProcess struct {
	cmd      *exec.Cmd
	reports  *os.File
	endGroup func(pid int) bool

	mu     sync.Mutex
	exited bool // the process ID may belong to another process
}

func (p *osProcess) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.exited {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}

func (p *osProcess) wait() error {
	if p.endGroup(p.cmd.Process.Pid) {
		p.markExited()
	}
	err := p.cmd.Wait()
	p.markExited()
	p.reports.SetReadDeadline(time.Now().Add(drainTime))
	return err
}

// markExited notes that the process must not be signalled any more.
func (p *osProcess) markExited() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exited = true
}

// listen passes on the worker's reports until there are no more or one is invalid.
func listen(w *worker, r io.Reader, send func(any) bool) {
	s := lineReader(r)
	for s.Scan() {
		rep, err := parseReport(s.Bytes())
		if err != nil {
			send(evBroken{w, err})
			discard(r)
			return
		}
		send(evReport{w, rep})
	}
	if err := s.Err(); err != nil && !os.IsTimeout(err) {
		send(evBroken{w, err})
		discard(r)
	}
}

// discard keeps a pipe empty, so that a worker that writes to it can exit.
func discard(r io.Reader) { _, _ = io.Copy(io.Discard, r) }

// write sends orders. It has a goroutine of its own, because a worker that does
// not read must not block the supervisor.
func (p *proc) write() {
	defer close(p.wrote)
	for line := range p.orders {
		if _, err := p.in.Write(line); err != nil {
			// The worker has exited or will, and evExited tells the run.
			for range p.orders {
			}
			return
		}
	}
}

// close releases the pipes of a process that has ended. If a process that it
// started holds the other end of one, a write to it fails now.
func (p *proc) close() {
	close(p.orders)
	p.in.Close()
	<-p.wrote
}
