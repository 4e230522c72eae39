// Attention of many queries over many keys, in bfloat16 with sums in float: softmax(q·kᵀ · scale + mask) · v for one
// head, without ever writing the whole matrix of scores.
#pragma once
#include "pack.h"
#include "tile.h"
#ifdef PD_KERNELS

#include <cmath>

namespace pd {

struct attention {
    int queries, keys;
    int dk, dv;           // values in a key (and a query), in a value

    const char * q;       // F32 rows
    size_t       q_stride; // bytes
    const char * k;
    ggml_type    k_type;
    size_t       k_stride;
    const char * v;
    ggml_type    v_type;
    size_t       v_stride;
    const char * mask;    // F16 rows, one for each query, added to the scores; or null
    size_t       mask_stride;
    float        scale;

    char * out;           // F32 rows of dv values
    size_t out_stride;    // bytes
};

// Memory that one thread needs, laid out in this order.
struct attention_scratch {
    size_t k, v, scores, weights, q, total; // offsets in bytes
    attention_scratch(int keys, int dk, int dv) {
        const size_t n = (size_t) (keys + PANEL - 1) / PANEL, columns = (size_t) (dv + PANEL - 1) / PANEL;
        k       = 0;
        v       = k + n * panel_dwords(padded(dk) / 2) * 4;
        scores  = v + columns * panel_dwords((int) n * PANEL / 2) * 4;
        weights = scores + ROWS * n * PANEL * 4;
        q       = weights + ROWS * n * PANEL * 2;
        total   = q + (size_t) ROWS * padded(dk) * 2;
    }
};

inline void pack_keys_and_values(const attention & a, char * scratch) {
    const attention_scratch at(a.keys, a.dk, a.dv);
    const int    n    = (a.keys + PANEL - 1) / PANEL;
    const size_t kdim = panel_dwords(padded(a.dk) / 2), vdim = panel_dwords(n * PANEL / 2);
    for (int i = 0; i < n; i++) {
        const int rows = a.keys - i * PANEL < PANEL ? a.keys - i * PANEL : PANEL;
        pack_rows(a.k_type, a.k + (size_t) i * PANEL * a.k_stride, a.k_stride, rows, a.dk, (uint32_t *) (scratch + at.k) + i * kdim, nullptr);
    }
    for (int c = 0, i = 0; c < a.dv; c += PANEL, i++) {
        pack_columns(a.v_type, a.v, a.v_stride, a.keys, c, a.dv, (uint32_t *) (scratch + at.v) + i * vdim);
    }
}

// Scores of a row become weights in bfloat16, their sum is returned.
inline float softmax_row(float * s, int n, float scale, const uint16_t * mask, int keys, uint16_t * out) {
    __m512 most = _mm512_set1_ps(-INFINITY);
    for (int i = 0; i < n; i += 16) {
        const __mmask16 on = first16(keys - i);
        __m512 x = _mm512_mul_ps(_mm512_load_ps(s + i), _mm512_set1_ps(scale));
        if (mask != nullptr) {
            x = _mm512_add_ps(x, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(on, mask + i)));
        }
        x = _mm512_mask_blend_ps(on, _mm512_set1_ps(-INFINITY), x);
        _mm512_store_ps(s + i, x);
        most = _mm512_max_ps(most, x);
    }
    const float top = _mm512_reduce_max_ps(most);
    if (top == -INFINITY) { // nothing to attend to
        for (int i = 0; i < n; i += 32) {
            _mm512_storeu_si512(out + i, _mm512_setzero_si512());
        }
        return 1.0f;
    }
    __m512 sum = _mm512_setzero_ps();
    for (int i = 0; i < n; i += 32) {
        __m512 e[2];
        for (int j = 0; j < 2; j++) {
            const __m512 x = _mm512_sub_ps(_mm512_load_ps(s + i + 16 * j), _mm512_set1_ps(top));
            // exp16 bounds its argument, and what is masked must count for nothing.
            e[j] = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(-80.0f), _CMP_GT_OQ), exp16(x));
            sum  = _mm512_add_ps(sum, e[j]);
        }
        _mm512_storeu_si512(out + i, to_bf16(e[0], e[1]));
    }
    return _mm512_reduce_add_ps(sum);
}

// Queries from..to, after pack_keys_and_values on the same scratch.
inline void attend(const attention & a, int from, int to, char * scratch) {
    const attention_scratch at(a.keys, a.dk, a.dv);
    const int    n    = (a.keys + PANEL - 1) / PANEL * PANEL;
    const int    dk   = padded(a.dk);
    const size_t kdim = panel_dwords(dk / 2), vdim = panel_dwords(n / 2);
    float *      s    = (float *) (scratch + at.scores);
    uint16_t *   w    = (uint16_t *) (scratch + at.weights);
    uint16_t *   q    = (uint16_t *) (scratch + at.q);
    by_rows(from, to, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        for (int m = 0; m < M; m++) {
            convert_row(GGML_TYPE_F32, a.q + (size_t) (row + m) * a.q_stride, a.dk, q + (size_t) m * dk);
        }
        for (int i = 0; i < n / PANEL; i++) {
            __m512 acc[M][2];
            tile<M>(dk / 2, (const uint32_t *) q, dk / 2, (const uint32_t *) (scratch + at.k) + i * kdim, acc);
#pragma GCC unroll 12
            for (int m = 0; m < M; m++) {
                _mm512_store_ps(s + (size_t) m * n + i * PANEL, acc[m][0]);
                _mm512_store_ps(s + (size_t) m * n + i * PANEL + 16, acc[m][1]);
            }
        }
        float part[M];
        for (int m = 0; m < M; m++) {
            const uint16_t * mask = a.mask == nullptr ? nullptr : (const uint16_t *) (a.mask + (size_t) (row + m) * a.mask_stride);
            part[m] = 1.0f / softmax_row(s + (size_t) m * n, n, a.scale, mask, a.keys, w + (size_t) m * n);
        }
        for (int c = 0, i = 0; c < a.dv; c += PANEL, i++) {
            const __mmask16 m0 = first16(a.dv - c), m1 = first16(a.dv - c - 16);
            __m512 acc[M][2];
            tile<M>(n / 2, (const uint32_t *) w, n / 2, (const uint32_t *) (scratch + at.v) + i * vdim, acc);
#pragma GCC unroll 12
            for (int m = 0; m < M; m++) {
                float * out = (float *) (a.out + (size_t) (row + m) * a.out_stride) + c;
                _mm512_mask_storeu_ps(out, m0, _mm512_mul_ps(acc[m][0], _mm512_set1_ps(part[m])));
                _mm512_mask_storeu_ps(out + 16, m1, _mm512_mul_ps(acc[m][1], _mm512_set1_ps(part[m])));
            }
        }
    });
}

} // namespace pd
#endif
