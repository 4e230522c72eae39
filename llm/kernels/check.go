package kernels

/*
#include "check.h"
#include "ggml.h"
*/
import "C"

// What follows computes one operation through ggml, with the kernels or
// without: for the tests, which cannot call C themselves.

// weights is a type of ggml's for weights.
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

// product multiplies: w is n×k, x batches×m×k, the result batches×m×n.
func product(t weights, k, n, m, batches, threads int, nextTokens bool, w, x []float32) []float32 {
	out := make([]float32, n*m*batches)
	if C.pd_check_product(C.int(t), C.int(k), C.int(n), C.int(m), C.int(batches), C.int(threads), truth(nextTokens),
		(*C.float)(&w[0]), (*C.float)(&x[0]), (*C.float)(&out[0])) != 0 {
		return nil
	}
	return out
}

// attend is softmax(q·kᵀ·scale + mask)·v: q is heads×queries×dk, k kvHeads×keys×dk,
// v kvHeads×keys×dv, mask queries×keys or nil, the result queries×heads×dv.
func attend(dk, dv, queries, keys, heads, kvHeads, threads int, scale float32, q, k, v, mask []float32) []float32 {
	out := make([]float32, queries*heads*dv)
	var m *C.float
	if mask != nil {
		m = (*C.float)(&mask[0])
	}
	C.pd_check_attention(C.int(dk), C.int(dv), C.int(queries), C.int(keys), C.int(heads), C.int(kvHeads), C.int(threads), C.float(scale),
		(*C.float)(&q[0]), (*C.float)(&k[0]), (*C.float)(&v[0]), m, (*C.float)(&out[0]))
	return out
}

func gelu(threads int, x []float32) []float32 {
	out := make([]float32, len(x))
	C.pd_check_gelu(C.int(len(x)), C.int(threads), (*C.float)(&x[0]), (*C.float)(&out[0]))
	return out
}
