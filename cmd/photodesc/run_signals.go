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

// catchSignals stops the run at the first signal and kills the workers at the
// second; SIGQUIT, which `stop --now` sends, kills at once. A terminal that
// closes says so more than once, without meaning more by it, and is not there
// any more for what is written to it.
func (r *runner) catchSignals(cancel context.CancelFunc) (release func()) {
	r.handOver()
	quit := make(chan struct{})
	go func() {
		asked := 0
		for {
			select {
			case <-quit:
				return
			case <-r.asked:
				r.log.Info(r.show.Now())
			case s := <-r.signals:
				r.service.Stopping()
				r.show.SetPhase(ui.StoppingPhase)
				if s != syscall.SIGHUP {
					asked++
				}
				switch {
				case s == syscall.SIGQUIT || asked > 1:
					r.log.Warn("Stopping at once; photos in flight are described by the next run")
					if p := r.pool.Load(); p != nil {
						p.Kill()
					}
					time.AfterFunc(atOnce, func() { os.Exit(ui.ExitStopped) }) // a disk may hang
				case s == syscall.SIGHUP:
					r.log.Info("The terminal was closed; stopping, photos in flight are finished first")
				default:
					r.log.Info("Stopping: photos in flight are finished first; once more to stop at once")
				}
				cancel()
			}
		}
	}()
	return func() { close(quit) }
}

// atOnce is how long a run may take to end when it is to stop at once. It can be
// killed at any moment, so a process that hangs is no loss.
const atOnce = 10 * time.Second

// heedSignals takes the signals that ask for the progress or for an end, from
// the first moment to the last: unheard they would end the process, while it
// reads what earlier runs left or writes the last figures. catchSignals answers;
// until then a second one ends the process, for the workdir may be on a disk
// that hangs.
func (r *runner) heedSignals() (release func()) {
	r.asked = make(chan os.Signal, 1)
	signal.Notify(r.asked, progressSignals...)
	r.signals = make(chan os.Signal, 8)
	signal.Notify(r.signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) { // nohup asks for that
		signal.Notify(r.signals, syscall.SIGHUP)
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
			case s := <-r.signals:
				asked = append(asked, s)
				if s == syscall.SIGHUP {
					continue
				}
				if again || s == syscall.SIGQUIT {
					os.Exit(ui.ExitStopped)
				}
				again = true
			}
		}
	}()
	r.handOver = sync.OnceFunc(func() {
		close(early)
		for _, s := range <-kept {
			select {
			case r.signals <- s:
			default: // there are enough of them
			}
		}
	})
	return func() {
		r.handOver()
		signal.Stop(r.asked)
		signal.Stop(r.signals)
	}
}

// stayAwake keeps the machine from sleeping until its result is called.
func (r *runner) stayAwake() (release func()) {
	if !r.flags.KeepAwake {
		return func() {}
	}
	text, release, err := awake.Hold()
	switch {
	case errors.Is(err, awake.ErrNoService):
		r.log.Info("Nothing is done against sleep: " + err.Error())
	case err != nil:
		r.log.Info("The machine may go to sleep: " + err.Error() + "; --keep-awake=false does without asking")
	default:
		r.log.Info("The machine is kept awake: " + text)
		return release
	}
	return func() {}
}
