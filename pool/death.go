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

const (
	DeathStart    DeathKind = "start"    // could not be started at all
	DeathSegfault DeathKind = "segfault" // touched memory that is not its own
	DeathAbort    DeathKind = "abort"    // gave up on itself: an assertion, a panic, a C++ exception
	DeathOOM      DeathKind = "oom"      // the system took it because memory ran out, or it was refused memory
	DeathKilled   DeathKind = "killed"   // SIGKILL, from neither us nor, as far as can be seen, the OOM killer
	DeathSignal   DeathKind = "signal"   // another signal
	DeathExit     DeathKind = "exit"     // left without being asked
	DeathSilence  DeathKind = "silence"  // no hello, or no sign of life; we killed it
	DeathTimeout  DeathKind = "timeout"  // a photo took too long; we killed it
	DeathProtocol DeathKind = "protocol" // said what makes no sense; we killed it
	DeathMemory   DeathKind = "memory"   // far over its budget; we killed it
	deathNone     DeathKind = ""
)

// death is one worker's end: the kind, and a sentence's worth of detail.
type death struct {
	kind   DeathKind
	detail string
}

// isMemory says that a death is about memory or came from outside, so that a
// photo is not blamed for it as for a crash: another program may have been the
// one that ate the memory.
func (d death) isMemory() bool {
	return d.kind == DeathOOM || d.kind == DeathMemory || d.kind == DeathKilled
}

// classify tells from how a process ended, from what it printed, and from
// whether the system counted an OOM kill meanwhile, what it died of. It is for
// ends that we did not bring about ourselves.
//
// A Go program with C in it rarely dies of a signal: the runtime catches
// SIGSEGV and SIGABRT, prints a dump and exits with status 2. So the words count
// as much as the status does.
func classify(waitErr error, w *stderrTail, oomKills uint64) death {
	if errors.Is(waitErr, exec.ErrWaitDelay) {
		waitErr = nil // a grandchild kept its output open; the worker itself left with 0
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

// waitStatus digs the status out of what exec.Cmd.Wait returned.
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
