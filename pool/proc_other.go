//go:build !linux

package pool

import "syscall"

// dieWithParent does nothing here: the worker's own watch on its input, which
// closes with the supervisor, has to do.
func dieWithParent(*syscall.SysProcAttr) {}

// endGroup does nothing here: without a portable way to wait for a process and
// leave its body in place, its group's number may already belong to another.
func endGroup(int) {}
