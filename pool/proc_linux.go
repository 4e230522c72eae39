package pool

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel kill the worker when the thread that started it
// ends, which is when the supervisor ends (see starter). The worker also notices
// that its input is closed, but C code that uses up the machine must end at once.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// endGroup waits for the process to exit and then kills what it has started. The
// process is not reaped before that, so that its group ID cannot belong to other
// processes. It reports false if it could not wait.
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
