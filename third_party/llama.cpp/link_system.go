//go:build llama_system

// Package llamacpp links the system's llama.cpp, ggml and mtmd. README.md in this
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

// System tells that the program links the system's llama.cpp, not the Go module's.
const System = true

// Commit is the version of the system's llama.cpp, as it states it itself.
func Commit() string { return C.GoString(C.llama_version()) }

// Built is the version of llama.cpp whose headers the program was compiled with.
func Built() string { return C.GoString(C.pd_system_built()) }

// Check returns an error if the system's llama.cpp is of another version than that
// which the program was compiled with: they exchange structures, which change from
// version to version under the same name of the library.
func Check() error {
	if Commit() == Built() {
		return nil
	}
	return fmt.Errorf("the system's llama.cpp is version %s and photodesc was built for %s\n"+
		"  build it again: make build LLAMA=system", Commit(), Built())
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
func Stamp() string { return "the system's llama.cpp " + Commit() }
