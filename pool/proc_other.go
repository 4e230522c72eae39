//go:build !linux

package pool

import "syscall"

// dieWithParent does nothing here: the worker's own watch on its input, which
// closes with the supervisor, has to do.
func dieWithParent(*syscall.SysProcAttr) {}

// endGroup does not wait here: there is no portable way to wait for a process
// and leave its body in place.
func endGroup(int) bool { return false }
