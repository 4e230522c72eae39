package llm

import (
	"syscall"
	"time"
)

// cpuTime is the CPU time that this process has used. What else runs on the
// machine moves it less than the time of the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
