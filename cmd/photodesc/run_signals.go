package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"photodesc/internal/awake"
	"photodesc/internal/ui"
)

// untilStopped returns a context that ends when the run is to stop: at the first
// signal, or when the workdir cannot be written to any more. The second signal, or
// SIGQUIT, which `stop --now` sends, also kills the workers. A terminal that closes
// sends SIGHUP more than once, so only the first one counts.
func (r *runner) untilStopped() (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-r.track.Broken():
			cancel() // there may be no photo for a long time whose Add says it
		case <-ctx.Done():
		}
	}()
	r.signals.handOver()
	quit := make(chan struct{})
	go func() {
		asked, first := 0, true
		for {
			select {
			case <-quit:
				return
			case <-r.signals.progress:
				r.log.Info(r.show.Now())
			case s := <-r.signals.stop:
				r.service.Stopping()
				r.show.SetPhase(ui.StoppingPhase)
				r.track.Live().Stopping()
				if first {
					r.hungUp.Store(s == syscall.SIGHUP)
				}
				first = false
				if s != syscall.SIGHUP {
					asked++
				}
				switch {
				case s == syscall.SIGQUIT || asked > 1:
					r.log.Warn("Stopping at once; photos in flight are described by the next run")
					if p := r.pool.Load(); p != nil {
						p.Kill()
					}
					r.shared.Load().kill()
					time.AfterFunc(atOnce, func() { os.Exit(ui.ExitStopped) }) // a disk may hang
				case s == syscall.SIGHUP:
					r.log.Info("The terminal was closed; stopping: " + ui.FinishedFirst(r.track.Live().Progress().InFlight))
				default:
					r.log.Info("Stopping: " + ui.FinishedFirst(r.track.Live().Progress().InFlight) + "; once more to stop at once")
				}
				cancel()
			}
		}
	}()
	return ctx, func() {
		close(quit)
		cancel()
	}
}

// atOnce is how long a run may take to end when it is to stop at once. It can be
// killed at any moment, so a process that hangs is no loss.
const atOnce = 10 * time.Second

// signals are those that ask a run for its progress or to stop.
type signals struct {
	progress chan os.Signal
	stop     chan os.Signal
	handOver func() // leaves the signals to untilStopped
}

// catchSignals takes the signals from the first moment of a run to its last.
// Otherwise they would end the process while it reads what earlier runs left or
// writes the last figures. Until untilStopped acts on them they are kept, but a
// second one ends the process, because the workdir may be on a disk that hangs.
func catchSignals() *signals {
	s := &signals{progress: make(chan os.Signal, 1), stop: make(chan os.Signal, 8)}
	signal.Notify(s.progress, progressSignals...)
	signal.Notify(s.stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(s.stop, syscall.SIGHUP)
	}
	// Caught and left alone: a write to a closed pipe is an error, not the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	early, kept := make(chan struct{}), make(chan []os.Signal, 1)
	go func() {
		var asked []os.Signal
		again := false
		for {
			select {
			case <-early:
				kept <- asked
				return
			case sig := <-s.stop:
				asked = append(asked, sig)
				if sig == syscall.SIGHUP {
					continue
				}
				if again || sig == syscall.SIGQUIT {
					os.Exit(ui.ExitStopped)
				}
				again = true
			}
		}
	}()
	s.handOver = sync.OnceFunc(func() {
		close(early)
		for _, sig := range <-kept {
			select {
			case s.stop <- sig:
			default: // there are enough of them
			}
		}
	})
	return s
}

func (s *signals) release() {
	s.handOver()
	signal.Stop(s.progress)
	signal.Stop(s.stop)
}

// stayAwake keeps the machine from sleeping, if that is wanted, until its result is
// called.
func (l *logs) stayAwake(wanted bool) (release func()) {
	if !wanted {
		return func() {}
	}
	text, release, err := awake.Hold()
	switch {
	case errors.Is(err, awake.ErrNoService):
		text = "Nothing is done against sleep: " + err.Error()
	case err != nil:
		text = "The machine may go to sleep: " + err.Error() + "; --keep-awake=false does without asking"
	default:
		text = "The machine is kept awake: " + text
	}
	if l.once(text) {
		l.log.Info(text)
	}
	if err == nil {
		return release
	}
	return func() {}
}
