package tracker

import (
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"photodesc/internal/fsutil"
)

// readOutputs calls merge for every line of every output of a workdir, oldest
// first, and changes nothing. A line without a newline is one that is being
// written or was torn, and is left out. Files that vanish meanwhile are too.
func readOutputs[T any](dir string, parse func([]byte) (T, error), merge func(file string, line int, value T, err error)) error {
	return readOutputsUntil(dir, new(atomic.Bool), parse, merge)
}

// readOutputsUntil is readOutputs and ends soon after stopped was set; lines of a block that is read already still come.
func readOutputsUntil[T any](dir string, stopped *atomic.Bool, parse func([]byte) (T, error), merge func(file string, line int, value T, err error)) error {
	files, err := outputFiles(dir)
	if err != nil {
		return err
	}
	for _, path := range files {
		if stopped.Load() {
			break
		}
		f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		_, err = scanLines(stoppable{f, stopped}, parse, func(line int, v T, err error) { merge(name, line, v, err) })
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// stoppable is a reader that ends once it is stopped.
type stoppable struct {
	io.Reader
	stopped *atomic.Bool
}

func (s stoppable) Read(p []byte) (int, error) {
	if s.stopped.Load() {
		return 0, io.EOF
	}
	return s.Reader.Read(p)
}
