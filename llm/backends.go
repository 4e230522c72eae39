package llm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	llamacpp "photodesc/third_party/llama.cpp"
)

// Backend is what became of a library with a backend of ggml's.
type Backend struct {
	Path    string // of the library
	Name    string // of the backend, "CUDA" or "Vulkan"; empty where it is not in use
	Problem string // why it is not
	Spare   bool   // because another one does the work
}

// String is a sentence about it.
func (b Backend) String() string {
	if b.Problem != "" {
		return fmt.Sprintf("%s is not used: %s", b.Path, b.Problem)
	}
	return fmt.Sprintf("%s from %s", b.Name, b.Path)
}

// Backends tells of the libraries that were found when the first model was
// loaded, or are loaded now. They are libggml-*.so beside the program, or in the
// folder that PHOTODESC_BACKENDS names; "0" there means none. On macOS Metal is
// part of the program.
func Backends() []Backend {
	start()
	return slices.Clone(backends)
}

var backends []Backend // written by start

func loadBackends() (found []Backend) {
	if runtime.GOOS == "darwin" {
		return nil
	}
	dir := os.Getenv("PHOTODESC_BACKENDS")
	if dir == "0" {
		return nil
	}
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return nil
		}
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		dir = filepath.Dir(self)
	}
	paths, err := libraries(dir)
	if err != nil {
		return []Backend{{Path: dir, Problem: err.Error()}}
	}
	inUse := ""
	for _, path := range paths {
		b := Backend{Path: path}
		if inUse != "" {
			// It would find the same GPU once more.
			b.Problem, b.Spare = inUse+" does the work", true
		} else if loaded, err := llamacpp.LoadBackend(path); err != nil {
			b.Problem = err.Error()
		} else {
			b.Name, inUse = loaded.Name, loaded.Name
		}
		found = append(found, b)
	}
	return found
}

// libraries lists those of a folder, CUDA's before Vulkan's: where both find the
// GPU, CUDA is the faster one.
func libraries(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	var why *os.PathError
	if errors.As(err, &why) {
		return nil, why.Err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, "libggml-") && strings.HasSuffix(name, ".so") {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths, nil
}
