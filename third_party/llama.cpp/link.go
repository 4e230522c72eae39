//go:build !llama_system

// Package llamacpp links llama.cpp, ggml and the vision encoder into the program. It
// decides which version is linked and how it is compiled; README.md in this folder
// explains it. bridge.h declares the C functions that package llm calls.
package llamacpp

/*
#cgo CXXFLAGS: -std=c++17
#cgo CPPFLAGS: -DNDEBUG -DGGML_USE_BLAS
#cgo CPPFLAGS: -I${SRCDIR}/upstream/llama/llama.cpp/include -I${SRCDIR}/upstream/llama/llama.cpp/common
#cgo CPPFLAGS: -I${SRCDIR}/upstream/llama/llama.cpp/src -I${SRCDIR}/upstream/llama/llama.cpp/tools/mtmd
#cgo CPPFLAGS: -I${SRCDIR}/upstream/ml/backend/ggml/ggml/include -I${SRCDIR}/upstream/ml/backend/ggml/ggml/src
#cgo linux pkg-config: openblas
#cgo linux LDFLAGS: -ldl -Wl,--export-dynamic
#include <stdlib.h>
#include "bridge.h"
#include "llama.h"
*/
import "C"

import (
	_ "github.com/ollama/ollama/llama/llama.cpp/src"               // llama
	_ "github.com/ollama/ollama/llama/llama.cpp/tools/mtmd/models" // the vision graphs
)

// System tells that the program links the system's llama.cpp, not the Go module's.
const System = false

// Linked is "module": llama.cpp is part of the program.
func Linked() string { return "module" }

// Check finds nothing wrong: llama.cpp is part of the program.
func Check() error { return nil }

// Commit returns the llama.cpp commit that the linked sources state.
func Commit() string { return C.GoString(C.pd_llama_commit()) }

// Module is the version of the Go module that contains the sources. It has changes of
// its own on top of llama.cpp's commit.
const Module = "v0.17.4"

// SystemInfo lists the CPU features that ggml was compiled with, as llama.cpp
// prints them.
func SystemInfo() string { return C.GoString(C.llama_print_system_info()) }

// BLAS describes the linked BLAS library and the CPU core type it chose its
// kernels for. Both are empty where ggml uses the system's own (macOS).
func BLAS() (config, core string) {
	var cfg [256]C.char
	var cor [64]C.char
	C.pd_blas_info(&cfg[0], 256, &cor[0], 64)
	return C.GoString(&cfg[0]), C.GoString(&cor[0])
}
