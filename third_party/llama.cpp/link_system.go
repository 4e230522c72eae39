//go:build llama_system

// Package llamacpp links the llama.cpp, ggml and mtmd that pkg-config finds: the
// system's, or those that make has compiled from a source tree. README.md in this
// folder says how; system.h declares the C functions that package llm calls, beside
// those of bridge.h that the public headers allow.
package llamacpp

/*
#cgo llama_system CPPFLAGS: -DPD_LLAMA_SYSTEM
#cgo pkg-config: llama
#cgo LDFLAGS: -lmtmd
#include "llama.h"
#include "system.h"
*/
import "C"

import (
	"fmt"
	"sync"
)

// System tells that the program links the system's llama.cpp, or one from a source
// tree, not the Go module's.
const System = true

// Linked is "tree" if llama.cpp was compiled from a source tree and is part of the
// program, "system" otherwise.
func Linked() string {
	if C.pd_system_tree() {
		return "tree"
	}
	return "system"
}

// Commit is the version of llama.cpp, as the library states it itself.
func Commit() string { return C.GoString(C.llama_version()) }

// Built is the version of llama.cpp whose headers the program was compiled with.
func Built() string { return C.GoString(C.pd_system_built()) }

// Check returns an error if the system's llama.cpp is of another version than that
// which the program was compiled with: they exchange structures, which change from
// version to version under the same name of the library.
func Check() error { return sameVersion(Commit(), Built()) }

func sameVersion(library, built string) error {
	if library == built {
		return nil
	}
	if library == "" {
		library = "unknown"
	}
	return fmt.Errorf("the system's llama.cpp is version %s and photodesc was built for %s\n"+
		"  build it again: make build LLAMA=system", library, built)
}

// Load loads the backends that the system has for ggml, once in a process, and silences
// ggml's log until it is set. Without it there is no device, not even the CPU.
var Load = sync.OnceFunc(func() { C.pd_system_load_backends() })

// SystemInfo lists the CPU features that ggml was compiled with, as llama.cpp
// prints them.
func SystemInfo() string {
	Load()
	return C.GoString(C.llama_print_system_info())
}

// BLAS is empty: ggml's own kernels or its BLAS backend, if the system has it, do the work.
func BLAS() (config, core string) { return "", "" }

// Stamp names the sources that a backend's library of photodesc's own must be built
// from: it fits no such program.
func Stamp() string { return "llama.cpp " + Commit() + ", of another build" }
