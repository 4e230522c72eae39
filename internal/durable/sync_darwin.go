package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// plainSync calls fsync. On macOS [os.File.Sync] asks the drive itself to write
// (F_FULLFSYNC), which SMB and exFAT may refuse although they have fsync.
func plainSync(f *os.File, _ error) error {
	return os.NewSyscallError("fsync", unix.Fsync(int(f.Fd())))
}
