package pool

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f with a clock of its own, which moves on as soon as everybody
// waits, so that a time-out of an hour takes no time. Workers must not be
// processes there: see newBubbleRig.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// newBubbleRig is newRig for a bubble.
func newBubbleRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	if cfg.launch == nil {
		cfg.launch = launchInMemory
	}
	if cfg.sampleEvery == 0 {
		cfg.sampleEvery = time.Second
	}
	// The test machine's own state would be read from files, which take real time.
	if cfg.samplers.CPU == nil {
		cfg.samplers.CPU = func() float64 { return 0 }
	}
	if cfg.samplers.OOMKills == nil {
		cfg.samplers.OOMKills = func() uint64 { return 0 }
	}
	if cfg.samplers.Worker == nil {
		cfg.samplers.Worker = func(int) (uint64, error) { return 0, errors.New("no process") }
	}
	r := newRig(t, cfg)
	r.limit = 3 * time.Hour
	return r
}

// bubbleIf runs f in a bubble if it waits for a time-out, and with processes if not.
func bubbleIf(t *testing.T, timed bool, f func(t *testing.T, newRig func(Config) *rig)) {
	t.Helper()
	if timed {
		bubble(t, func(t *testing.T) { f(t, func(cfg Config) *rig { return newBubbleRig(t, cfg) }) })
		return
	}
	t.Parallel()
	f(t, func(cfg Config) *rig { return newRig(t, cfg) })
}

// memProcess is a fake worker in this process. The protocol and both of its ends
// are the real ones; only the pipes are not the system's.
type memProcess struct {
	end    context.CancelFunc
	out    *io.PipeWriter
	orders *io.PipeReader
	exited chan error
}

func (p *memProcess) kill() {
	p.out.Close() // first: a dead worker sends nothing
	p.orders.Close()
	p.end()
}

func (p *memProcess) wait() error {
	err := <-p.exited
	p.kill()
	return err
}

// memPID counts process IDs that no process has.
var memPID atomic.Int64

// launchInMemory is a launcher of fakes whose exit is seen as soon as they end.
func launchInMemory(cmd *exec.Cmd, onLine func(string)) (*proc, error) {
	ctx, end := context.WithCancel(context.Background())
	orderR, orderW := io.Pipe()
	reportR, reportW := io.Pipe()
	p := &memProcess{end: end, out: reportW, orders: orderR, exited: make(chan error, 1)}
	out := &silencer{w: reportW}
	env := func(name string) (value string) {
		for _, kv := range cmd.Env {
			if v, ok := strings.CutPrefix(kv, name+"="); ok {
				value = v
			}
		}
		return value
	}
	f := newFake(env, out, out.silence)
	go func() {
		opt := f.options()
		if opt.Heartbeat < time.Second {
			opt.Heartbeat = 0 // the default; the clock moves far
		}
		opt = opt.withDefaults()
		w := &server{opt: opt, out: out, orphaned: func() {}}
		err := w.serve(ctx, orderR, f.describe)
		if slices.Contains(f.moods, "sticky") {
			<-ctx.Done()
		}
		p.exited <- err
	}()
	return newProc(1<<30+int(memPID.Add(1)), p, orderW, reportR, &stderrTail{onLine: onLine}), nil
}

// unkillable is a launcher whose first worker, once it is killed, does not exit
// before release is closed.
func unkillable(release <-chan struct{}) launcher {
	var one sync.Once
	return func(cmd *exec.Cmd, onLine func(string)) (*proc, error) {
		p, err := launchInMemory(cmd, onLine)
		one.Do(func() { p.process = stuckProcess{p.process.(*memProcess), release} })
		return p, err
	}
}

type stuckProcess struct {
	*memProcess
	release <-chan struct{}
}

func (p stuckProcess) kill() {}

func (p stuckProcess) wait() error {
	<-p.release
	p.memProcess.kill()
	return p.memProcess.wait()
}

// silencer passes on what is written until it is silenced.
type silencer struct {
	w      io.Writer
	silent atomic.Bool
}

func (s *silencer) silence() { s.silent.Store(true) }

func (s *silencer) Write(b []byte) (int, error) {
	if s.silent.Load() {
		return len(b), nil
	}
	return s.w.Write(b)
}
