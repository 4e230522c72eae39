//go:build !llama_system

package llamacpp

/*
#include <stdlib.h>
#include "backend.h"
*/
import "C"

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// Backend is a shared library with one of ggml's compute backends, built by make cuda or
// make vulkan from the same sources as the program, which has the rest of ggml.
type Backend struct {
	Path    string
	Name    string // ggml's name of it: "CUDA", "Vulkan"; empty unless it is in use
	Devices int    // number of devices that it found
}

// stampSection is the section in which gpu/stamp.cpp names the sources of a library.
const stampSection = "photodesc"

// Stamp names the sources that a library must be built from.
func Stamp() string { return "llama.cpp " + Commit() + ", ollama " + Module }

// LoadBackend loads the library at path and registers its devices with ggml. It fails
// if the library is of other sources, in which case none of its code runs, or finds no
// device. The error says why, without the path.
func LoadBackend(path string) (Backend, error) {
	b := Backend{Path: path}
	if err := checkStamp(path); err != nil {
		return b, err
	}
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var name [64]C.char
	var why [512]C.char
	n := C.pd_backend_load(cpath, &name[0], C.size_t(len(name)), &why[0], C.size_t(len(why)))
	if n < 0 {
		return b, errors.New(strings.TrimPrefix(C.GoString(&why[0]), path+": "))
	}
	b.Name, b.Devices = C.GoString(&name[0]), int(n)
	return b, nil
}

func checkStamp(path string) error {
	if info, err := os.Stat(path); err != nil {
		return errors.Unwrap(err) // a link that leads nowhere
	} else if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	f, err := elf.Open(path)
	if errors.Is(err, os.ErrPermission) {
		return os.ErrPermission
	}
	if err != nil {
		return errors.New("it is not a shared library")
	}
	defer f.Close()
	s := f.Section(stampSection)
	if s == nil {
		return errors.New("it was not built by photodesc's `make cuda` or `make vulkan`")
	}
	if s.Size > 256 {
		return errors.New("it is damaged")
	}
	data, err := s.Data()
	if err != nil {
		return errors.New("it is damaged")
	}
	if built, _, _ := strings.Cut(string(data), "\x00"); built != Stamp() {
		return fmt.Errorf("it was built for other sources (%q) than this program (%q); build it again", built, Stamp())
	}
	return nil
}
