package xmp

import (
	"io/fs"
	"os"
)

// renameIfFree renames a file, if the new name is free, on file systems that cannot do both
// at once: there is a moment between looking and renaming.
func renameIfFree(from, to string) error {
	there, err := isThere(to)
	if err != nil {
		return err
	}
	if there {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}
