// Packs weights, keys and values of any type into panels of elements.
#include "ggml.h"

namespace pd::PD_SET {

struct q8_block { // ggml's block_q8_0: 32 values that share a scale
    uint16_t scale; // half precision
    int8_t   q[32];
};

inline float half_to_float(uint16_t h) { return _cvtsh_ss(h); }

// The types that values() reads without ggml's conversion.
inline bool direct(ggml_type t) {
    return t == GGML_TYPE_F32 || t == GGML_TYPE_F16 || t == GGML_TYPE_BF16 || t == GGML_TYPE_Q8_0;
}

// Reads WIDTH values from index k of a row. For Q8_0, k is a multiple of WIDTH.
inline floats values(ggml_type type, const void * row, int k) {
    switch (type) {
        case GGML_TYPE_F16:  return from_half((const uint16_t *) row + k);
        case GGML_TYPE_BF16: return from_bf16((const uint16_t *) row + k);
        case GGML_TYPE_Q8_0: {
            const q8_block * b = (const q8_block *) row + k / 32;
            return mul(from_bytes(b->q + k % 32), all(half_to_float(b->scale)));
        }
        default: return load((const float *) row + k);
    }
}

// Reads BLOCK values from index k of a row as a vector of elements.
inline dwords elements(ggml_type type, const void * row, int k) {
#ifdef PD_BF16
    if (type == GGML_TYPE_BF16) {
        return load((const uint32_t *) ((const uint16_t *) row + k));
    }
    return pack_two(values(type, row, k), values(type, row, k + WIDTH));
#else
    return as_dwords(values(type, row, k));
#endif
}

// The same for the last n < BLOCK values of a row of F32, F16 or BF16, filled up with zeros.
inline dwords last_elements(ggml_type type, const void * row, int k, int n) {
    alignas(64) uint32_t some[BLOCK] = {};
    const size_t size = type == GGML_TYPE_F32 ? 4 : 2;
    memcpy(some, (const char *) row + k * size, n * size);
    return elements(type, some, 0);
}

inline dwords some_elements(ggml_type type, const void * row, int k, int end) {
    return k + BLOCK <= end ? elements(type, row, k) : last_elements(type, row, k, end - k);
}

// Converts a row of k values to elements, filled up with zeros to padded(k).
inline void convert_row(ggml_type type, const void * row, int k, uint32_t * out) {
    for (int i = 0; i < k; i += BLOCK) {
        store(out + i / EACH, some_elements(type, row, i, k));
    }
}

// Packs values from..to of n ≤ PANEL rows into a panel, a column for each row. Missing rows and values are zeros. from
// is a multiple of BLOCK and of the type's block size. Types that are not direct() are converted by ggml; scratch must
// then hold WIDTH rows of to-from floats.
inline void pack_rows(ggml_type type, const void * rows, size_t stride, int n, int from, int to, uint32_t * out, float * scratch) {
    const size_t offset = ggml_row_size(type, from);
    for (int half = 0; half < PANEL; half += WIDTH) {
        const char * at   = (const char *) rows + offset + half * stride;
        size_t       step = stride;
        ggml_type    t    = type;
        if (!direct(type)) {
            for (int j = 0; j < WIDTH && half + j < n; j++) {
                ggml_get_type_traits(type)->to_float(at + j * stride, scratch + (size_t) j * (to - from), to - from);
            }
            at   = (const char *) scratch;
            step = (size_t) (to - from) * sizeof(float);
            t    = GGML_TYPE_F32;
        }
        for (int i = 0; i < to - from; i += BLOCK) {
            dwords v[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                v[j] = half + j < n ? some_elements(t, at + j * step, i, to - from) : all(0u);
            }
            transpose(v);
            for (int j = 0; j < WIDTH; j++) {
                store(out + (size_t) (i / EACH + j) * PANEL + half, v[j]);
            }
        }
    }
}

// Packs columns c..c+PANEL of k rows, filled up with zero rows to n, into a panel whose steps are the rows. For the values
// of attention.
inline void pack_columns(ggml_type type, const void * rows, size_t stride, int k, int n, int c, int columns, uint32_t * out) {
    for (int i = 0; i < n; i += EACH) {
        uint32_t * at = out + (size_t) (i / EACH) * PANEL;
#ifdef PD_BF16
        const __m512i even = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8,
                                              39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
        const __m512i odd  = _mm512_add_epi16(even, _mm512_set1_epi16(16));
        dwords v[2]; // 32 columns of two rows, interleaved in the panel
        for (int j = 0; j < 2; j++) {
            v[j] = i + j < k ? some_elements(type, (const char *) rows + (size_t) (i + j) * stride, c, columns) : all(0u);
        }
        store(at, _mm512_permutex2var_epi16(v[0], even, v[1]));
        store(at + WIDTH, _mm512_permutex2var_epi16(v[0], odd, v[1]));
#else
        for (int half = 0; half < PANEL; half += WIDTH) {
            store(at + half, i < k && c + half < columns ? some_elements(type, (const char *) rows + (size_t) i * stride, c + half, columns) : all(0u));
        }
#endif
    }
}

} // namespace pd::PD_SET
