package xmp

import (
	"os"

	"golang.org/x/sys/unix"

	"photodesc/internal/durable"
)

// renameNew renames a file and fails with fs.ErrExist where the new name is taken.
func renameNew(from, to string) error {
	err := unix.RenamexNp(from, to, unix.RENAME_EXCL)
	if durable.Unsupported(err) {
		return renameIfFree(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
