// What the operations that hook.cpp takes from ggml have in common.
#pragma once
#include "set.h"

#include "ggml-cpu-impl.h"
#include "traits.h"

#include <atomic>

namespace pd {

extern const set * use; // the set in use

extern std::atomic<bool> decoding, exact; // as in pd_kernels_next_tokens and pd_kernels_exact

inline size_t aligned(size_t n) { return (n + 63) / 64 * 64; }

// The work buffer of an operation. ggml's need not be aligned, so ALIGN more bytes are requested.
constexpr size_t ALIGN = 64;
inline char * work(const ggml_compute_params * p) { return (char *) aligned((size_t) p->wdata); }

// The threads of an operation take chunks 0, 1, … as they become free; each starts with the chunk of its own number. This
// resets the counter and waits for all threads.
inline void start_chunks(ggml_compute_params * p) {
    if (p->ith == 0) {
        ggml_threadpool_chunk_set(p->threadpool, p->nth);
    }
    ggml_barrier(p->threadpool);
}

template <typename F> inline void by_chunks(ggml_compute_params * p, int chunks, F && f) {
    for (int i = p->ith; i < chunks; i = ggml_threadpool_chunk_add(p->threadpool, 1)) {
        f(i);
    }
}

// What computes a product; null if that is left to ggml.
ggml::cpu::tensor_traits * products(const ggml_tensor * op);

// What computes a rotation by positions; null if that is left to ggml.
ggml::cpu::tensor_traits * rotations(const ggml_tensor * op);

// One thread calls it when x is computed: products keep what they have rounded of it for those that follow.
void forget_rounded(const ggml_tensor * x);

} // namespace pd
