//go:build !(darwin || freebsd || netbsd || openbsd || dragonfly)

package main

import (
	"os"
	"syscall"
)

// progressSignals make a run print its progress.
var progressSignals = []os.Signal{syscall.SIGUSR1}
