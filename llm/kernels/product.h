// Products of weights with many rows of activations, in bfloat16 with sums in float: the encoder and prefill.
#pragma once
#include "pack.h"
#include "tile.h"
#ifdef PD_KERNELS

namespace pd {

// c[m][n] = sum over k of a[m][k] · w[n][k].
struct product {
    int rows, columns, k; // m, n, k

    const uint16_t * a;   // bfloat16, lda values apart; converted by convert_row
    size_t           lda; // padded(k)

    ggml_type    type;    // of w
    const char * w;
    size_t       stride;  // bytes between rows of w

    float * c;
    size_t  ldc;          // floats between rows of c
};

inline int    panels(const product & p) { return (p.columns + PANEL - 1) / PANEL; }
inline size_t panel_bytes(int k) { return panel_dwords(padded(k) / 2) * 4 + (size_t) padded(k) * 4; }

// Computes one panel of columns. scratch: panel_bytes(k).
inline void multiply_panel(const product & p, int panel, char * scratch) {
    const int  pairs = padded(p.k) / 2;
    uint32_t * b     = (uint32_t *) scratch;
    const int  n0    = panel * PANEL;
    const int  n     = p.columns - n0 < PANEL ? p.columns - n0 : PANEL;
    pack_rows(p.type, p.w + n0 * p.stride, p.stride, n, p.k, b, (float *) (b + panel_dwords(pairs)));
    const __mmask16 m0 = first16(n), m1 = first16(n - 16);
    by_rows(0, p.rows, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        __m512 acc[M][2];
        tile<M>(pairs, (const uint32_t *) (p.a + row * p.lda), p.lda / 2, b, acc);
#pragma GCC unroll 12
        for (int m = 0; m < M; m++) {
            float * c = p.c + (size_t) (row + m) * p.ldc + n0;
            _mm512_mask_storeu_ps(c, m0, acc[m][0]);
            _mm512_mask_storeu_ps(c + 16, m1, acc[m][1]);
        }
    });
}

} // namespace pd
#endif
