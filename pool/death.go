package pool

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// DeathKind is why a worker ended before its time.
type DeathKind string

// The kinds of death.
const (
	DeathStart    DeathKind = "start"    // could not be started at all
	DeathSegfault DeathKind = "segfault" // invalid memory access
	DeathAbort    DeathKind = "abort"    // an assertion, a panic or a C++ exception
	DeathOOM      DeathKind = "oom"      // killed by the system because memory ran out, or refused memory
	DeathKilled   DeathKind = "killed"   // SIGKILL from outside, as far as can be seen not from the OOM killer
	DeathSignal   DeathKind = "signal"   // another signal
	DeathExit     DeathKind = "exit"     // exited without being told to

	// For these the pool has killed the worker.

	DeathSilence  DeathKind = "silence"  // no hello or no heartbeat in time
	DeathTimeout  DeathKind = "timeout"  // a photo took too long
	DeathProtocol DeathKind = "protocol" // invalid lines
	DeathMemory   DeathKind = "memory"   // far above its share of the budget
	deathNone     DeathKind = ""
)

// death is why a worker ended: its kind, and details for the log.
type death struct {
	kind   DeathKind
	detail string
}

// isMemory is whether the death is about memory or came from outside. A photo is
// not charged with it as with a crash, because another program may have used up
// the memory.
func (d death) isMemory() bool {
	return d.kind == DeathOOM || d.kind == DeathMemory || d.kind == DeathKilled
}

// classify returns what a process that the pool did not kill died of. waitErr is
// the error of exec.Cmd.Wait, w is what the process printed, and oomKills is how
// often the system killed for memory meanwhile.
//
// A Go program with C in it rarely dies of a signal: the runtime catches SIGSEGV
// and SIGABRT, prints a dump and exits with status 2. So what it printed matters
// as much as the status.
func classify(waitErr error, w *stderrTail, oomKills uint64) death {
	if errors.Is(waitErr, exec.ErrWaitDelay) {
		waitErr = nil // a process that it started kept its output open; the worker's own status is 0
	}
	status, ok := waitStatus(waitErr)
	cause := w.cause()
	switch {
	case waitErr != nil && !ok:
		return death{DeathStart, waitErr.Error()}
	case ok && status.Signaled():
		return classifySignal(status.Signal(), cause, oomKills)
	}
	code := 0
	if ok {
		code = status.ExitStatus()
	}
	words := strings.Join(w.lines(), "\n")
	if code == 2 {
		switch {
		case hasAny(words, "out of memory", "cannot allocate memory", "bad_alloc"):
			return death{DeathOOM, quoteCause("was refused memory", cause)}
		case hasAny(words, "SIGSEGV", "SIGBUS"):
			return death{DeathSegfault, quoteCause("segmentation fault", cause)}
		case hasAny(words, crashMarkers...):
			return death{DeathAbort, quoteCause("aborted", cause)}
		}
	}
	return death{DeathExit, quoteCause(fmt.Sprintf("exited with status %d", code), cause)}
}

func classifySignal(sig syscall.Signal, cause string, oomKills uint64) death {
	switch sig {
	case syscall.SIGSEGV, syscall.SIGBUS:
		return death{DeathSegfault, quoteCause("segmentation fault", cause)}
	case syscall.SIGABRT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGFPE:
		if hasAny(cause, "bad_alloc") {
			return death{DeathOOM, quoteCause("was refused memory", cause)}
		}
		return death{DeathAbort, quoteCause("aborted ("+sig.String()+")", cause)}
	case syscall.SIGKILL:
		if oomKills > 0 {
			return death{DeathOOM, "killed by the system because memory ran out"}
		}
		return death{DeathKilled, "killed from outside"}
	}
	return death{DeathSignal, quoteCause("ended by signal "+sig.String(), cause)}
}

// waitStatus returns the status in an error of exec.Cmd.Wait.
func waitStatus(err error) (syscall.WaitStatus, bool) {
	if e, ok := err.(*exec.ExitError); ok {
		s, ok := e.Sys().(syscall.WaitStatus)
		return s, ok
	}
	return 0, false
}

func hasAny(s string, subs ...string) bool {
	for _, sub := range subs {
		if strings.Contains(s, sub) {
			return true
		}
	}
	return false
}

func quoteCause(what, cause string) string {
	if cause == "" {
		return what + ", without a word"
	}
	if len(cause) > 300 {
		cause = cause[:300] + "…"
	}
	return what + ": " + cause
}
