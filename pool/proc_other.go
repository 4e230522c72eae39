//go:build !linux

package pool

import "syscall"

// dieWithParent does nothing here. The worker exits when its input is closed,
// which happens when the supervisor ends.
func dieWithParent(*syscall.SysProcAttr) {}

// endGroup does not wait here, because there is no portable way to wait for a
// process without reaping it.
func endGroup(int) bool { return false }
