package pool

import (
	"runtime"
	"syscall"
)

// AtNice calls start on an operating system thread with a niceness of at least
// nice, which processes started there inherit. Where niceness belongs to the
// process and not to its threads, as on macOS, this process keeps it.
func AtNice(nice int, start func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if nice <= max(ownNice(), 0) {
			defer runtime.UnlockOSThread()
		} else {
			// Going back takes privileges: the thread ends with its goroutine.
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice)
		}
		start()
	}()
	<-done
}

// ownNice is the niceness of the calling thread.
func ownNice() int {
	n, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	if runtime.GOOS == "linux" {
		return 20 - n // what the system call itself returns
	}
	return n
}
