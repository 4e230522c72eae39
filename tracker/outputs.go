package tracker

import (
	"os"
	"path/filepath"

	"photodesc/internal/fsutil"
)

// readOutputs calls merge for every line of every output of a workdir, oldest
// first, and changes nothing. A line without a newline is one that is being
// written or was torn, and is left out. Files that vanish meanwhile are too.
func readOutputs[T any](dir string, parse func([]byte) (T, error), merge func(file string, line int, value T, err error)) error {
	files, err := outputFiles(dir)
	if err != nil {
		return err
	}
	for _, path := range files {
		f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		_, err = scanLines(f, parse, func(line int, v T, err error) { merge(name, line, v, err) })
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
