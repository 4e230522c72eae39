package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"photodesc/internal/ui"
	"photodesc/tracker"

	"go.uber.org/zap"
)

// isNewPlace is whether a run begins in a folder that nobody has named and in which no run has been.
func isNewPlace(workdir string) bool {
	_, err := os.Lstat(filepath.Join(workdir, tracker.ProgressName))
	return filepath.Clean(workdir) == "." && os.IsNotExist(err)
}

// sayPlace says where the files of the first run go if nobody has said it: among the sources of photodesc with a warning.
func sayPlace(workdir string, log *zap.Logger) {
	dir, err := filepath.Abs(workdir)
	if err != nil {
		dir = workdir
	}
	text := fmt.Sprintf("Progress, results and logs go to the current folder, %s; photodesc -C FOLDER takes another", ui.AtHome(dir))
	if mod, err := os.ReadFile(filepath.Join(workdir, "go.mod")); err == nil && bytes.HasPrefix(mod, []byte("module photodesc\n")) {
		log.Warn(text + ". These are photodesc's own sources")
		return
	}
	log.Info(text)
}
