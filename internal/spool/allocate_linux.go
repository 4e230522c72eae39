package spool

import (
	"os"

	"golang.org/x/sys/unix"

	"photodesc/internal/durable"
)

// allocate takes the room of a file on the disk before any of it is fetched, if the file system can do this.
func allocate(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	for {
		err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
		switch {
		case err == unix.EINTR:
			continue
		case durable.Unsupported(err):
			return nil
		}
		return err
	}
}
