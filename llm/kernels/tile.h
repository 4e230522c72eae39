// The register tile that all bfloat16 products are made of.
#pragma once
#include "simd.h"
#ifdef PD_KERNELS

#include <type_traits>

namespace pd {

constexpr int PANEL = 32; // columns of a packed panel
constexpr int ROWS  = 12; // rows of a register tile

// A panel holds 32 columns of the right-hand matrix as [pair of k][column][2] bfloat16: a dword for each pair.
inline size_t panel_dwords(int pairs) { return (size_t) pairs * PANEL; }

// acc[m][0..1] = sum over k of a[m][k] · b[k][0..31], in the order of k whatever M is. a: rows of bfloat16 pairs, lda
// dwords apart; b: a panel.
template <int M> inline void tile(int pairs, const uint32_t * a, size_t lda, const uint32_t * b, __m512 (&acc)[M][2]) {
#pragma GCC unroll 12
    for (int m = 0; m < M; m++) {
        acc[m][0] = acc[m][1] = _mm512_setzero_ps();
    }
    for (int k = 0; k < pairs; k++) {
        const __m512bh b0 = as_bf16(_mm512_loadu_si512(b + (size_t) k * PANEL));
        const __m512bh b1 = as_bf16(_mm512_loadu_si512(b + (size_t) k * PANEL + 16));
#pragma GCC unroll 12
        for (int m = 0; m < M; m++) {
            const __m512bh x = as_bf16(_mm512_set1_epi32((int) a[m * lda + k]));
            acc[m][0] = _mm512_dpbf16_ps(acc[m][0], x, b0);
            acc[m][1] = _mm512_dpbf16_ps(acc[m][1], x, b1);
        }
    }
}

// Calls f with a constant M for the rows from..to, ROWS at a time.
template <typename F> inline void by_rows(int from, int to, F && f) {
    for (int m = from; m < to; m += ROWS) {
        switch (to - m) {
            case 1:  f(m, std::integral_constant<int, 1>()); break;
            case 2:  f(m, std::integral_constant<int, 2>()); break;
            case 3:  f(m, std::integral_constant<int, 3>()); break;
            case 4:  f(m, std::integral_constant<int, 4>()); break;
            case 5:  f(m, std::integral_constant<int, 5>()); break;
            case 6:  f(m, std::integral_constant<int, 6>()); break;
            case 7:  f(m, std::integral_constant<int, 7>()); break;
            case 8:  f(m, std::integral_constant<int, 8>()); break;
            case 9:  f(m, std::integral_constant<int, 9>()); break;
            case 10: f(m, std::integral_constant<int, 10>()); break;
            case 11: f(m, std::integral_constant<int, 11>()); break;
            default: f(m, std::integral_constant<int, 12>()); break;
        }
    }
}

} // namespace pd
#endif
