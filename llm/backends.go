//go:build !llama_system

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

// Backend is a library with one of ggml's compute backends that was found beside the
// program.
type Backend struct {
	Path    string // of the library
	Name    string // of the backend, "CUDA" or "Vulkan"; empty where it is not in use
	Problem string // why it is not in use
	Spare   bool   // it is not in use because another backend is
}

// String says where the backend is from, or why it is not used.
func (b Backend) String() string {
	if b.Problem != "" {
		return fmt.Sprintf("%s is not used: %s", b.Path, b.Problem)
	}
	return fmt.Sprintf("%s from %s", b.Name, b.Path)
}

// Backends lists the backend libraries, which are loaded once: before the first model
// or by this call. They are the files libggml-*.so beside the program, or in the
// folder that PHOTODESC_BACKENDS names; "0" means none. On macOS Metal is part of the
// program.
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
			// It would find the same GPU again.
			b.Problem, b.Spare = inUse+" is used instead", true
		} else if loaded, err := llamacpp.LoadBackend(path); err != nil {
			b.Problem = err.Error()
		} else {
			b.Name, inUse = loaded.Name, loaded.Name
		}
		found = append(found, b)
	}
	return found
}

// libraries lists the backend libraries of a folder in alphabetical order, so that
// CUDA, which is faster, comes before Vulkan.
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
