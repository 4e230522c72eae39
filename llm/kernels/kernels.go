// Package kernels makes llama.cpp's CPU backend faster on x86: products of
// weights, attention, GELU, in the widest instructions that the CPU has, chosen
// when the program starts. It hooks into ggml from outside; llama.cpp's sources
// stay as they are, and so do the weights, mapped and shared.
package kernels

/*
#cgo CXXFLAGS: -std=c++17
#cgo CPPFLAGS: -DNDEBUG -D_GNU_SOURCE
#cgo CPPFLAGS: -I${SRCDIR}/../../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/include
#cgo CPPFLAGS: -I${SRCDIR}/../../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/src
#cgo CPPFLAGS: -I${SRCDIR}/../../third_party/llama.cpp/upstream/ml/backend/ggml/ggml/src/ggml-cpu
#include <stdlib.h>
#include "kernels.h"
*/
import "C"

import (
	"os"
	"strings"
	"sync"
	"unsafe"

	_ "github.com/ollama/ollama/ml/backend/ggml/ggml/src" // ggml
)

// wanted is the set of kernels that PHOTODESC_KERNELS asks for: a name such as
// "avx2", "0" for none (ggml's own and the BLAS then do the work), "" for the
// best that the CPU can run. "exact", or "-exact" after a name, keeps pictures
// and prompts out of integers.
func wanted() (set string, exact bool) {
	set, exact = strings.CutSuffix(os.Getenv("PHOTODESC_KERNELS"), "exact")
	return strings.TrimSuffix(set, "-"), exact
}

// Name describes the set of kernels for this CPU; it is empty when there is
// none.
func Name() string {
	set, exact := wanted()
	asked := C.CString(set)
	defer C.free(unsafe.Pointer(asked))
	name := C.GoString(C.pd_kernels_name(asked))
	if name != "" && exact {
		name += ", exact"
	}
	return name
}

// Sets names the sets of kernels that this CPU can run, the best first.
func Sets() []string {
	var sets []string
	for _, set := range []string{"avx512bf16", "avx512vnni", "avx512", "avxvnni", "avx2"} {
		name := C.CString(set)
		if C.pd_kernels_name(name) != nil {
			sets = append(sets, set)
		}
		C.free(unsafe.Pointer(name))
	}
	return sets
}

// Supported tells whether there are kernels for this CPU.
func Supported() bool { return Name() != "" }

// Enable hooks them into ggml, for the whole process, before a model is loaded.
func Enable() { enable(wanted()) }

func enable(set string, exact bool) {
	C.pd_kernels_exact(C.bool(exact))
	name := C.CString(set)
	defer C.free(unsafe.Pointer(name))
	C.pd_kernels_enable(name)
}

// Work is what a computation is for. It decides how products round, so that a
// row comes out the same in whatever company it is computed.
type Work bool

// The kinds of work.
const (
	Prompts    Work = false // pictures and prompts: the same for any number of rows
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

// LeaveNextAttention leaves the attention of next tokens to ggml, or no longer,
// for the whole process: to measure what the kernel for it gives.
func LeaveNextAttention(leave bool) { C.pd_kernels_next_attention(C.bool(!leave)) }
