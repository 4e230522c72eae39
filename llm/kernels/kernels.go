//go:build !llama_system

// Package kernels makes llama.cpp's CPU backend faster on x86. It computes
// products of weights, attention and GELU in the widest instructions of the
// CPU, which are chosen when the program starts. It hooks into ggml from
// outside: llama.cpp's sources are unchanged, and weights stay mapped and shared.
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
	"fmt"
	"os"
	"slices"
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

// Check returns an error if PHOTODESC_KERNELS has a value that is not valid on
// this CPU.
func Check() error {
	value := os.Getenv("PHOTODESC_KERNELS")
	valid := append(Sets(), "0", "exact")
	if value == "" || slices.Contains(valid, value) || slices.Contains(Sets(), strings.TrimSuffix(value, "-exact")) {
		return nil
	}
	return fmt.Errorf("PHOTODESC_KERNELS is %q, which this CPU has no kernels for\n"+
		"  on this CPU it may be %s, or a set's name with -exact; without it the best set is used", value, strings.Join(valid, ", "))
}

// Name describes the set of kernels in use. It is empty if there is none.
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

// Sets returns the names of the sets of kernels that this CPU can run, the
// best first.
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

// Supported reports whether there are kernels for this CPU.
func Supported() bool { return Name() != "" }

// Enable hooks the kernels into ggml, for the whole process. Call it before a
// model is loaded.
func Enable() { enable(wanted()) }

func enable(set string, exact bool) {
	C.pd_kernels_exact(C.bool(exact))
	name := C.CString(set)
	defer C.free(unsafe.Pointer(name))
	C.pd_kernels_enable(name)
}

// Merge is a function in C, of a struct ggml_cgraph *, that merges operations of
// an encoder's graph before its memory is planned.
func Merge() unsafe.Pointer { return C.pd_kernels_merge }

// Work is the purpose of a computation. It alone decides how products round, so
// that a row's result does not depend on the rows computed with it.
type Work bool

// The kinds of work.
const (
	Prompts    Work = false // pictures and prompts: the same for any number of rows
	NextTokens Work = true  // the next token of each slot: in 8-bit integers if the weights are
)

var computing sync.Mutex

// Compute runs f, which computes through ggml. Calls run one after another, also
// those of different engines.
func Compute(w Work, f func()) {
	computing.Lock()
	defer computing.Unlock()
	C.pd_kernels_next_tokens(C.bool(w))
	f()
}

// LeaveNextAttention sets, for the whole process, whether ggml computes the
// attention of next tokens. It is for measuring the gain of the kernel.
func LeaveNextAttention(leave bool) { C.pd_kernels_next_attention(C.bool(!leave)) }
