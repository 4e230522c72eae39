package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// newPlace is whether a run begins in a folder that nobody has named and in which no run has been.
func (r *runner) newPlace() bool {
	_, err := os.Lstat(filepath.Join(r.dir, tracker.ProgressName))
	return filepath.Clean(r.dir) == "." && os.IsNotExist(err)
}

// sayPlace says where the files of the first run go if nobody has said it: among the sources of photodesc with a warning.
func (r *runner) sayPlace() {
	dir, err := filepath.Abs(r.dir)
	if err != nil {
		dir = r.dir
	}
	text := fmt.Sprintf("Progress, results and logs go to the current folder, %s; photodesc -C FOLDER takes another", ui.AtHome(dir))
	if mod, err := os.ReadFile(filepath.Join(r.dir, "go.mod")); err == nil && bytes.HasPrefix(mod, []byte("module photodesc\n")) {
		r.log.Warn(text + ". These are photodesc's own sources")
		return
	}
	r.log.Info(text)
}
