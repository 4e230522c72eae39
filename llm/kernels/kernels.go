// Package kernels makes llama.cpp's CPU backend faster on CPUs with AVX-512,
// bfloat16 and integer dot products: products of weights, attention, GELU. It
// hooks into ggml from outside; llama.cpp's sources stay as they are, and so
// do the weights, mapped and shared.
package kernels

/*
#cgo CXXFLAGS: -std=c++17
#cgo CPPFLAGS: -DNDEBUG -D_GNU_SOURCE
#cgo CPPFLAGS: -I${SRCDIR}/../../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/include
#cgo CPPFLAGS: -I${SRCDIR}/../../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/src
#cgo CPPFLAGS: -I${SRCDIR}/../../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/src/ggml-cpu
#include "kernels.h"
*/
import "C"

import (
	"os"
	"sync"

	_ "github.com/ollama/ollama/ml/backend/ggml/ggml/src" // ggml
)

// Supported tells whether the kernels were compiled in and this CPU has what
// they need. PHOTODESC_KERNELS=0 in the environment says no: ggml's own and the
// BLAS then do the work.
func Supported() bool { return os.Getenv("PHOTODESC_KERNELS") != "0" && bool(C.pd_kernels_supported()) }

// Enable hooks them into ggml, for the whole process, before a model is loaded.
func Enable() { C.pd_kernels_enable() }

// Work is what a computation is for. It decides how products round, so that a
// row comes out the same in whatever company it is computed.
type Work bool

const (
	Prompts    Work = false // pictures and prompts: bfloat16, for any number of rows
	NextTokens Work = true  // the next token of each slot: 8-bit integers, where the weights are
)

var computing sync.Mutex

// Compute runs f, which computes through ggml. Two engines of one process take
// turns.
func Compute(w Work, f func()) {
	computing.Lock()
	defer computing.Unlock()
	C.pd_kernels_next_tokens(C.bool(w))
	f()
}
