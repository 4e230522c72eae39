package pool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// proc is a worker process as the system sees it: pipes and a process group.
// What it says arrives as events; after exited nothing more comes.
type proc struct {
	pid    int
	cmd    *exec.Cmd
	orders chan []byte // lines for the worker
	stdin  *os.File    // what they are written to
	wrote  chan struct{}
	stderr *stderrTail

	mu     sync.Mutex
	exited bool // its number may belong to another process
}

// Events that a process sends to the run.
type (
	evReport struct {
		w *worker
		r report
	}
	evBroken struct { // the worker said what it may not say
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
		err error // of exec.Cmd.Wait
	}
)

// drainTime bounds how long a dead worker's pipes are read. Only a grandchild
// that outlived it can hold them open.
const drainTime = 2 * time.Second

// starter starts processes, all from one operating system thread that lives as
// long as the run does: Linux binds the parent-death signal to the thread that
// called fork, and Go ends threads when it pleases.
type starter struct {
	work chan func()
	done chan struct{}
}

func newStarter(workers int) *starter {
	s := &starter{work: make(chan func(), 2*workers+1), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(s.done)
		for f := range s.work {
			f()
		}
	}()
	return s
}

func (s *starter) close() {
	close(s.work)
	<-s.done
}

// startProc starts a worker and the goroutines that listen to it. It sends
// evStarted before anything else is sent about the worker; if that carries an
// error, nothing follows. send must not block for ever. wait is endGroup.
func startProc(w *worker, cmd *exec.Cmd, wait func(pid int) bool, send func(any), each func(string)) {
	p, reports, err := spawn(cmd, each)
	send(evStarted{w, p, err})
	if err != nil {
		return
	}
	go p.write()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		listen(w, reports, send)
	}()
	go func() {
		if wait(p.pid) {
			p.markExited()
		}
		err := cmd.Wait()
		p.markExited()
		reports.SetReadDeadline(time.Now().Add(drainTime))
		<-heard
		reports.Close()
		send(evExited{w, err})
	}()
}

// spawn starts the process and returns our end of its reports.
func spawn(cmd *exec.Cmd, each func(string)) (p *proc, reports *os.File, err error) {
	if cmd == nil {
		return nil, nil, errors.New("starting a worker: no command")
	}
	orderR, orderW, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	reportR, reportW, err := os.Pipe()
	if err != nil {
		orderR.Close()
		orderW.Close()
		return nil, nil, err
	}
	p = &proc{cmd: cmd, orders: make(chan []byte, maxInFlight+1), stdin: orderW, wrote: make(chan struct{}), stderr: &stderrTail{onLine: each}}
	cmd.ExtraFiles = append([]*os.File{orderR, reportW}, cmd.ExtraFiles...)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, workerEnv+"="+strconv.Itoa(ProtocolVersion))
	cmd.Stdout, cmd.Stderr = p.stderr, p.stderr
	cmd.WaitDelay = drainTime
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// A group of its own: the terminal's ^C does not reach it, and what it has
	// started itself can be ended with it.
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr)
	err = cmd.Start()
	orderR.Close()
	reportW.Close()
	if err != nil {
		orderW.Close()
		reportR.Close()
		return nil, nil, fmt.Errorf("starting a worker: %w", err)
	}
	p.pid = cmd.Process.Pid
	return p, reportR, nil
}

// listen passes on what the worker says until it says nothing more or nonsense.
func listen(w *worker, r *os.File, send func(any)) {
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

// discard keeps a pipe empty so that its writer, on the way out, is not held up.
func discard(r *os.File) {
	buf := make([]byte, 16<<10)
	for {
		if _, err := r.Read(buf); err != nil {
			return
		}
	}
}

// write sends orders. It has a goroutine of its own because a worker that does
// not read must not stop the supervisor.
func (p *proc) write() {
	defer close(p.wrote)
	for line := range p.orders {
		if _, err := p.stdin.Write(line); err != nil {
			// The worker is gone or going, which its exit will tell.
			for range p.orders {
			}
			return
		}
	}
}

// close lets go of a process that has ended. A write that still hangs, because
// a grandchild holds the other end, fails when the file is closed.
func (p *proc) close() {
	close(p.orders)
	p.stdin.Close()
	<-p.wrote
}

// markExited notes that the process has ended and must not be signalled any more.
func (p *proc) markExited() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exited = true
}

// kill ends the worker and what it has started. It may be called at any time.
func (p *proc) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.exited {
		syscall.Kill(-p.pid, syscall.SIGKILL)
	}
}
