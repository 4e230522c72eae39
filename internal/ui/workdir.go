package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"photodesc/tracker"
)

// Peek is tracker.Peek with an error that says what to do.
func Peek(dir string) (tracker.Snapshot, error) {
	s, err := tracker.Peek(dir)
	return s, WorkdirError(dir, err)
}

// WorkdirError explains why a workdir cannot be read; nil remains nil.
func WorkdirError(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %q\n  give the workdir of a run with -C, or go there", dir)
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%q is no folder\n  give the workdir of a run with -C, or go there", dir)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the workdir cannot be read: %w\n  ask as the user who runs it", err)
	}
	return err
}
