// Package durabletest makes system calls fail on purpose, as file systems do
// that do not have them. It is for tests.
package durabletest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// OnThread calls f on a thread of its own, on which system calls fail, by name.
// It skips the test where there is no seccomp.
func OnThread(t testing.TB, calls map[string]syscall.Errno, f func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := refuse(calls)
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skipf("no seccomp: %v", err)
	}
}

// refuse has system calls of the calling thread fail from now on.
func refuse(calls map[string]syscall.Errno) error {
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow}
	for name, errno := range calls {
		policy.Syscalls = append(policy.Syscalls, seccomp.SyscallGroup{
			Names: []string{name}, Action: seccomp.ActionErrno | seccomp.Action(errno),
		})
	}
	return seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Policy: policy})
}

// Main is a program: the system calls named by its first argument, as in
// "fsync=ENOTTY,flock=ENOLCK", fail in the program that the others start.
func Main() {
	err := refusing(os.Args[1:])
	fmt.Fprintln(os.Stderr, "refuse:", err)
	os.Exit(1)
}

func refusing(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("wants CALL=ERRNO,… PROGRAM ARGUMENTS")
	}
	calls := map[string]syscall.Errno{}
	for one := range strings.SplitSeq(args[0], ",") {
		call, name, _ := strings.Cut(one, "=")
		errno := errnoOf(name)
		if errno == 0 {
			return fmt.Errorf("%q is no error", name)
		}
		calls[call] = errno
	}
	program, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := refuse(calls); err != nil {
		return err
	}
	return unix.Exec(program, args[1:], os.Environ())
}

func errnoOf(name string) syscall.Errno {
	for e := syscall.Errno(1); e < 200; e++ {
		if unix.ErrnoName(e) == name {
			return e
		}
	}
	return 0
}
