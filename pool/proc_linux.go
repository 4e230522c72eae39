package pool

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel kill the worker when the thread that started it
// ends, which is when the supervisor does (see starter). The worker also sees
// its input close, but C code that exhausts the machine is better off dead at once.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// endGroup waits for the process to end and then ends what it has started. The
// body is left in place meanwhile, so that the group's number cannot have been
// given to anybody else. It reports whether it did.
func endGroup(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		if err == nil {
			syscall.Kill(-pid, syscall.SIGKILL)
		}
		return err == nil
	}
}
