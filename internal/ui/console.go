package ui

import (
	"io"
	"time"
)

// Console writes to a terminal that may be closed or halted, or to a pipe that nobody
// reads. It does not block the run: what does not fit into its queue is dropped.
type Console struct {
	out   io.Writer
	lines chan []byte
	done  chan struct{}
}

const (
	consoleRoom     = 1024            // writes that may wait
	consolePatience = 2 * time.Second // for the last of them
)

func newConsole(out io.Writer) *Console {
	c := &Console{out: out, lines: make(chan []byte, consoleRoom), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for b := range c.lines {
			if b == nil {
				return
			}
			_, _ = c.out.Write(b)
		}
	}()
	return c
}

// Write never fails and never blocks.
func (c *Console) Write(b []byte) (int, error) {
	select {
	case c.lines <- append([]byte{}, b...):
	default:
	}
	return len(b), nil
}

// Flush waits a moment until everything is written. Later writes are dropped.
func (c *Console) Flush() {
	patience := time.After(consolePatience)
	select {
	case c.lines <- nil:
	case <-patience:
		return
	}
	select {
	case <-c.done:
	case <-patience:
	}
}
