package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"photodesc/tracker"
)

// peek is tracker.Peek with an error that says what to do.
func peek(dir string) (tracker.Snapshot, error) {
	s, err := tracker.Peek(dir)
	return s, workdirError(dir, err)
}

func workdirError(dir string, err error) error {
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

// writeJSON writes one object on a line of its own.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
