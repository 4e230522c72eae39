//go:build !llama_system

package kernels

/*
#include <stdlib.h>
#include "check.h"
#include "ggml.h"
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// The functions of this file compute one operation through ggml, with or
// without the kernels. They are here because test files cannot use cgo.

// weights is a ggml_type of weights.
type weights int

const (
	f32  weights = C.GGML_TYPE_F32
	f16  weights = C.GGML_TYPE_F16
	bf16 weights = C.GGML_TYPE_BF16
	q8_0 weights = C.GGML_TYPE_Q8_0
	q4_0 weights = C.GGML_TYPE_Q4_0
	q4_K weights = C.GGML_TYPE_Q4_K
	q6_K weights = C.GGML_TYPE_Q6_K
)

// use turns the kernels on or off for the process.
func use(on bool) { C.pd_kernels_use(truth(on)) }

func truth(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// product multiplies w (n×k) with x (batches×m×k). The result is batches×m×n, or
// nil if rows of k values do not fit the type.
func product(t weights, k, n, m, batches, threads int, nextTokens bool, w, x []float32) []float32 {
	out := make([]float32, n*m*batches)
	if C.pd_check_product(C.int(t), C.int(k), C.int(n), C.int(m), C.int(batches), C.int(threads), truth(nextTokens),
		(*C.float)(&w[0]), (*C.float)(&x[0]), (*C.float)(&out[0])) != 0 {
		return nil
	}
	return out
}

// productQ8 multiplies with Q8_0 weights as they are stored: n×k values and a
// scale for each 32 of them.
func productQ8(k, n, m, threads int, nextTokens bool, w []int8, scales, x []float32) []float32 {
	out := make([]float32, n*m)
	C.pd_check_q8(C.int(k), C.int(n), C.int(m), C.int(threads), truth(nextTokens),
		(*C.int8_t)(&w[0]), (*C.float)(&scales[0]), (*C.float)(&x[0]), (*C.float)(&out[0]))
	return out
}

// attention has the operands of one attention, in the layout that check.h
// describes.
type attention struct {
	dk, dv, queries, keys, heads, kvHeads int
	threads                               int
	scale                                 float32
	q, k, v, mask                         []float32 // mask may be nil
	bytes                                 bool      // products in bytes

	// Of next tokens, over a KV cache.
	next           bool
	kind           weights // type of keys and values; f16 unless next is set
	streams        int
	maskHeads      int
	alibi, softcap float32
	sinks          []float32
}

// attend computes a. The result is streams×queries×heads×dv.
func attend(a attention) []float32 {
	if !a.next && a.streams == 0 {
		a.kind, a.streams = f16, 1
	}
	a.maskHeads = max(a.maskHeads, 1)
	out := make([]float32, a.streams*a.queries*a.heads*a.dv)
	c := (*C.struct_pd_attention)(C.calloc(1, C.sizeof_struct_pd_attention))
	defer C.free(unsafe.Pointer(c))
	*c = C.struct_pd_attention{
		_type: C.int(a.kind), dk: C.int(a.dk), dv: C.int(a.dv), queries: C.int(a.queries), keys: C.int(a.keys), heads: C.int(a.heads), kv_heads: C.int(a.kvHeads),
		streams: C.int(a.streams), mask_heads: C.int(a.maskHeads), threads: C.int(a.threads), next_tokens: truth(a.next), in_bytes: truth(a.bytes),
		scale: C.float(a.scale), alibi: C.float(a.alibi), softcap: C.float(a.softcap),
	}
	var pins runtime.Pinner
	defer pins.Unpin()
	for _, x := range []struct {
		to   **C.float
		from []float32
	}{{&c.q, a.q}, {&c.k, a.k}, {&c.v, a.v}, {&c.mask, a.mask}, {&c.sinks, a.sinks}} {
		if x.from != nil {
			pins.Pin(&x.from[0])
			*x.to = (*C.float)(&x.from[0])
		}
	}
	C.pd_check_attention(c, (*C.float)(&out[0]))
	return out
}

// encoder computes a small encoder and returns the number of operations in its
// graph; check.h says which.
func encoder(t weights, embd, patches, threads int, merge, shared bool, data []float32) (int, []float32) {
	out := make([]float32, embd*patches*patches)
	n := C.pd_check_encoder(C.int(t), C.int(embd), C.int(patches), C.int(threads), truth(merge), truth(shared), (*C.float)(&data[0]), (*C.float)(&out[0]))
	return int(n), out
}

// rounding is a small graph whose norm and GELU may write integers; check.h
// says which. Of threads, planned are planned for.
type rounding struct {
	embd, hidden, rows, planned, threads, read, head int
}

// compute returns how many operations of r write integers, and its result;
// leave: as if none did.
func (r rounding) compute(leave bool, data []float32) (int, []float32) {
	out := make([]float32, r.rows*r.embd)
	c := C.struct_pd_rounded{embd: C.int(r.embd), hidden: C.int(r.hidden), rows: C.int(r.rows), planned: C.int(r.planned), threads: C.int(r.threads),
		read: C.int(r.read), head: C.int(r.head), leave: truth(leave)}
	n := C.pd_check_rounded(&c, (*C.float)(&data[0]), (*C.float)(&out[0]))
	return int(n), out
}

// sharedProducts multiplies two matrices w (2×n×k) in Q8_0 with the same m rows of x
// (times×m×k), each times factor, by one graph. merged is as in check.h. The result is times×2×m×n.
func sharedProducts(k, n, m, threads, times int, nextTokens, merged bool, w, factor, x []float32) []float32 {
	out := make([]float32, times*2*n*m)
	C.pd_check_shared(C.int(k), C.int(n), C.int(m), C.int(threads), truth(nextTokens), truth(merged), C.int(times),
		(*C.float)(&w[0]), (*C.float)(&factor[0]), (*C.float)(&x[0]), (*C.float)(&out[0]))
	return out
}

// rmsNorm norms rows×heads×n values; strided: of rows×(heads+1)×n.
func rmsNorm(n, heads, rows, threads int, strided bool, x []float32) []float32 {
	out := make([]float32, n*heads*rows)
	C.pd_check_rms_norm(C.int(n), C.int(heads), C.int(rows), C.int(threads), truth(strided), (*C.float)(&x[0]), (*C.float)(&out[0]))
	return out
}

// rotation turns rows×heads×n values by the rows' positions; check.h says how.
type rotation struct {
	n, heads, threads, mode int
	scale, yarn             float32
	positions               []int32
	factors                 []float32 // may be nil
}

func (r rotation) compute(x []float32) []float32 {
	out := make([]float32, len(x))
	C.pd_check_rope(C.int(r.n), C.int(r.heads), C.int(len(r.positions)), C.int(r.threads), C.int(r.mode), C.float(r.scale), C.float(r.yarn),
		(*C.int32_t)(&r.positions[0]), (*C.float)(unsafe.SliceData(r.factors)), (*C.float)(&x[0]), (*C.float)(&out[0]))
	return out
}

func gelu(threads int, x []float32) []float32 {
	out := make([]float32, len(x))
	C.pd_check_gelu(C.int(len(x)), C.int(threads), (*C.float)(&x[0]), (*C.float)(&out[0]))
	return out
}
