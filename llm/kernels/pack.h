// Packing: weights, keys and values of any type into panels of bfloat16.
#pragma once
#include "tile.h"
#ifdef PD_KERNELS

#include "ggml.h"

#include <cstring>

namespace pd {

struct q8_block { // ggml's block_q8_0: 32 values that share a scale
    uint16_t scale; // half precision
    int8_t   q[32];
};

inline float half_to_float(uint16_t h) { return _cvtsh_ss(h); }

// Types that 32 values can be read of without help.
inline bool direct(ggml_type t) {
    return t == GGML_TYPE_F32 || t == GGML_TYPE_F16 || t == GGML_TYPE_BF16 || t == GGML_TYPE_Q8_0;
}

// 32 values from index k (a multiple of 32) of a row, as bfloat16.
inline __m512i load32(ggml_type type, const void * row, int k) {
    switch (type) {
        case GGML_TYPE_F16: {
            const uint16_t * p = (const uint16_t *) row + k;
            return to_bf16(_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p)),
                           _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) (p + 16))));
        }
        case GGML_TYPE_BF16:
            return _mm512_loadu_si512((const uint16_t *) row + k);
        case GGML_TYPE_Q8_0: {
            const q8_block * b = (const q8_block *) row + k / 32;
            const __m512     d = _mm512_set1_ps(half_to_float(b->scale));
            const __m256i    q = _mm256_loadu_si256((const __m256i *) b->q);
            const __m512    lo = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(q)));
            const __m512    hi = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256(q, 1)));
            return to_bf16(_mm512_mul_ps(lo, d), _mm512_mul_ps(hi, d));
        }
        default: { // F32
            const float * p = (const float *) row + k;
            return to_bf16(_mm512_loadu_ps(p), _mm512_loadu_ps(p + 16));
        }
    }
}

// The same for the last n < 32 values of a row of F32, F16 or BF16; zeros follow.
inline __m512i load_tail(ggml_type type, const void * row, int k, int n) {
    if (type == GGML_TYPE_BF16) {
        return _mm512_maskz_loadu_epi16((__mmask32) ((1u << n) - 1), (const uint16_t *) row + k);
    }
    if (type == GGML_TYPE_F16) {
        const uint16_t * p = (const uint16_t *) row + k;
        return to_bf16(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first16(n), p)),
                       _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first16(n - 16), p + 16)));
    }
    const float * p = (const float *) row + k;
    return to_bf16(_mm512_maskz_loadu_ps(first16(n), p), _mm512_maskz_loadu_ps(first16(n - 16), p + 16));
}

// A row of k values to bfloat16, followed by zeros up to a multiple of 32.
inline void convert_row(ggml_type type, const void * row, int k, uint16_t * out) {
    int i = 0;
    for (; i + 32 <= k; i += 32) {
        _mm512_storeu_si512(out + i, load32(type, row, i));
    }
    if (i < k) {
        _mm512_storeu_si512(out + i, load_tail(type, row, i, k - i));
    }
}

inline int padded(int k) { return (k + 31) / 32 * 32; }

// Packs n ≤ 32 rows of k values into a panel, a column for each row. Missing rows and values are zeros. Types that are
// not direct go through ggml's own conversion; scratch then holds a row of k floats.
inline void pack_rows(ggml_type type, const void * rows, size_t stride, int n, int k, uint32_t * out, float * scratch) {
    const ggml_to_float_t to_float = direct(type) ? nullptr : ggml_get_type_traits(type)->to_float;
    const int pairs = padded(k) / 2;
    if (to_float != nullptr) {
        for (int j = 0; j < PANEL; j++) { // a row at a time
            uint32_t * column = out + j;
            if (j >= n) {
                for (int p = 0; p < pairs; p++) {
                    column[(size_t) p * PANEL] = 0;
                }
                continue;
            }
            to_float((const char *) rows + j * stride, scratch, k);
            alignas(64) uint32_t line[16];
            for (int i = 0; i < k; i += 32) {
                _mm512_store_si512(line, i + 32 <= k ? load32(GGML_TYPE_F32, scratch, i) : load_tail(GGML_TYPE_F32, scratch, i, k - i));
                for (int p = 0; p < 16; p++) {
                    column[(size_t) (i / 2 + p) * PANEL] = line[p];
                }
            }
        }
        return;
    }
    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < k; i += 32) {
            __m512i v[16];
            for (int j = 0; j < 16; j++) {
                const int    row = half * 16 + j;
                const void * p   = (const char *) rows + row * stride;
                v[j] = row >= n ? _mm512_setzero_si512() : i + 32 <= k ? load32(type, p, i) : load_tail(type, p, i, k - i);
            }
            transpose16(v);
            for (int j = 0; j < 16; j++) {
                _mm512_storeu_si512(out + (size_t) (i / 2 + j) * PANEL + half * 16, v[j]);
            }
        }
    }
}

// Packs columns c..c+31 of k rows into a panel: the k index runs over the rows. For attention's values.
inline void pack_columns(ggml_type type, const void * rows, size_t stride, int k, int c, int columns, uint32_t * out) {
    const int n = columns - c < 32 ? columns - c : 32;
    const __m512i even = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8,
                                          39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    const __m512i odd  = _mm512_add_epi16(even, _mm512_set1_epi16(16));
    for (int i = 0; i < padded(k); i += 2) {
        __m512i v[2];
        for (int j = 0; j < 2; j++) {
            const void * p = (const char *) rows + (size_t) (i + j) * stride;
            v[j] = i + j >= k ? _mm512_setzero_si512() : n == 32 ? load32(type, p, c) : load_tail(type, p, c, n);
        }
        _mm512_storeu_si512(out + (size_t) (i / 2) * PANEL, _mm512_permutex2var_epi16(v[0], even, v[1]));
        _mm512_storeu_si512(out + (size_t) (i / 2) * PANEL + 16, _mm512_permutex2var_epi16(v[0], odd, v[1]));
    }
}

} // namespace pd
#endif
