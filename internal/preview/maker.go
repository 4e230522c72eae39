package preview

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Options are how previews are made.
type Options struct {
	// Command returns the command of a worker.
	Command func() (*exec.Cmd, error)
	// Workers is how many run at once; default 1.
	Workers int
	// Timeout bounds the time of one preview; default 60 s. A worker that takes longer is killed.
	Timeout time.Duration
	// Batch is after how many previews a worker is replaced, because libraries leak; default 500.
	Batch int
}

// Maker makes previews. Its methods may be called concurrently.
type Maker struct {
	o     Options
	slots chan *process // a token for each worker; nil where none is running

	mu     sync.Mutex
	closed bool
	live   map[*process]bool
}

// NewMaker returns a Maker, which starts workers when they are needed.
func NewMaker(o Options) *Maker {
	o.Workers = max(o.Workers, 1)
	if o.Timeout <= 0 {
		o.Timeout = 60 * time.Second
	}
	if o.Batch <= 0 {
		o.Batch = 500
	}
	m := &Maker{o: o, slots: make(chan *process, o.Workers), live: map[*process]bool{}}
	for range o.Workers {
		m.slots <- nil
	}
	return m
}

// errClosed is returned after Close.
var errClosed = errors.New("previews are not made any more")

// Make returns the preview of the photo at a path below the photo folder. The error is a
// *PhotoError if the photo has none: it cannot be decoded, or a worker crashed over it or
// took too long. ctx ends only the waiting for a free worker.
func (m *Maker) Make(ctx context.Context, path string, size Size) ([]byte, error) {
	return m.ask(ctx, Request{Path: []byte(path), Size: size}, readJPEG)
}

// ask has a worker answer a request.
func (m *Maker) ask(ctx context.Context, request Request, read func(*bufio.Reader) ([]byte, error)) ([]byte, error) {
	var p *process
	select {
	case p = <-m.slots:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// The worker goes back whatever happens; a broken one is replaced by none.
	var keep *process
	defer func() { m.slots <- keep }()
	if ctx.Err() != nil {
		keep = p
		return nil, ctx.Err()
	}
	// A worker that has ended between two previews is no fault of the photo.
	for fresh := p == nil; ; fresh = true {
		if p == nil {
			var err error
			if p, err = m.start(); err != nil {
				return nil, err
			}
		}
		body, err := p.ask(request, read, m.o.Timeout)
		if photoErr := (*PhotoError)(nil); err == nil || errors.As(err, &photoErr) {
			if p.made++; p.made < m.o.Batch {
				keep = p
			} else {
				m.end(p)
			}
			return body, err
		}
		m.end(p)
		p = nil
		switch {
		case m.isClosed():
			return nil, errClosed
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, &PhotoError{fmt.Sprintf("no picture was made of it in %v", m.o.Timeout)}
		case fresh:
			return nil, &PhotoError{"a library crashed over it"}
		}
	}
}

// Close ends all workers, also those at work.
func (m *Maker) Close() {
	m.mu.Lock()
	m.closed = true
	for p := range m.live {
		p.kill()
	}
	m.mu.Unlock()
	for range m.o.Workers {
		if p := <-m.slots; p != nil {
			m.end(p)
		}
	}
	for range m.o.Workers {
		m.slots <- nil
	}
}

func (m *Maker) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// process is a running worker.
type process struct {
	cmd     *exec.Cmd
	in, out *os.File
	answers *bufio.Reader
	made    int
}

func (m *Maker) start() (*process, error) {
	cmd, err := m.o.Command()
	if err != nil {
		return nil, err
	}
	requestR, requestW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answerR, answerW, err := os.Pipe()
	if err != nil {
		requestR.Close()
		requestW.Close()
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{requestR, answerW}
	// In a group of its own it does not receive the terminal's ^C.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err = errClosed; !m.closed {
		err = cmd.Start()
	}
	requestR.Close()
	answerW.Close()
	if err != nil {
		requestW.Close()
		answerR.Close()
		return nil, fmt.Errorf("starting a worker for previews: %w", err)
	}
	p := &process{cmd: cmd, in: requestW, out: answerR, answers: bufio.NewReader(answerR)}
	m.live[p] = true
	return p, nil
}

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// end waits for the process, which is killed if it does not exit by itself at once.
func (m *Maker) end(p *process) {
	m.mu.Lock()
	delete(m.live, p)
	m.mu.Unlock()
	p.in.Close()
	p.kill()
	p.out.Close()
	go func() { _ = p.cmd.Wait() }() // a disk that does not answer may hold it
}

func (p *process) ask(request Request, read func(*bufio.Reader) ([]byte, error), timeout time.Duration) ([]byte, error) {
	line, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(timeout)
	if err := errors.Join(p.in.SetDeadline(deadline), p.out.SetDeadline(deadline)); err != nil {
		return nil, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	body, err := read(p.answers)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return body, err
}
