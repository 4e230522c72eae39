package pool

import "golang.org/x/sys/unix"

func clearDeathSignal() { unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) }
