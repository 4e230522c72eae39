// Products of Q8_0 weights with few rows of activations, in 8-bit integers, for the next tokens of all slots. The
// arithmetic is ggml's for Q8_0 (activations rounded to 8 bits in blocks of 32) with another order of sums.
namespace pd::PD_SET {

constexpr int Q8_ROWS = 16; // rows of activations at a time

// A block of a row of activations in 8 bits. The first blocks of Q8_ROWS rows follow each other, then their second blocks, and
// so on, so that a product finds all of them at fixed distances from one address.
struct next_block {
    int8_t  q[32];
    int32_t start; // -128 times the sum of the values: compensates the 128 that makes the weights unsigned
    float   scale;
};

inline size_t q8_rows_bytes(int rows, int k) { return (size_t) ((rows + Q8_ROWS - 1) / Q8_ROWS * Q8_ROWS) * (k / 32) * sizeof(next_block); }
inline next_block * first_block(char * rows, int row, int k) {
    return (next_block *) rows + (size_t) (row / Q8_ROWS) * Q8_ROWS * (k / 32) + row % Q8_ROWS;
}

// Writes row number row of the rows at out.
inline void q8_row(const float * x, int k, int row, char * out) {
    next_block * block = first_block(out, row, k);
    for (int b = 0; b < k / 32; b++, block += Q8_ROWS) {
        const __m512 lo = _mm512_loadu_ps(x + b * 32), hi = _mm512_loadu_ps(x + b * 32 + 16);
        const float  top = most_of(most(magnitude(lo), magnitude(hi)));
        const float  d   = top / 127.0f;
        const __m512 r    = _mm512_set1_ps(d > 0 ? 1.0f / d : 0.0f);
        const __m512i a   = _mm512_cvtps_epi32(_mm512_mul_ps(lo, r)), c = _mm512_cvtps_epi32(_mm512_mul_ps(hi, r));
        _mm_storeu_si128((__m128i *) block->q, _mm512_cvtsepi32_epi8(a));
        _mm_storeu_si128((__m128i *) (block->q + 16), _mm512_cvtsepi32_epi8(c));
        // Rounded to half precision, as in ggml. NaN for a block with NaN or infinities, so that it does not look like numbers.
        block->scale = half_to_float(_cvtss_sh(d + (top - top), _MM_FROUND_TO_NEAREST_INT));
        block->start = -128 * _mm512_reduce_add_epi32(_mm512_add_epi32(a, c));
    }
}

// Transposes 16 rows of 8 dwords. Each vector holds two rows (0 and 4, 1 and 5, … 8 and 12, …) and then one dword of all 16.
inline void transpose8(__m512i (&v)[8]) {
    __m512i t[8];
    for (int i = 0; i < 8; i += 2) {
        t[i]     = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    __m512i r[8];
    for (int i = 0; i < 8; i += 4) {
        r[i]     = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        v[i]     = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        v[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    }
}

// Computes c[m][0..15] for M rows of activations, whose first blocks are at a, and 16 rows of weights, or fewer where WHOLE is false.
template <int M, bool WHOLE> inline void q8_tile(int blocks, const char * w, size_t stride, int rows, const next_block * a, float * c, size_t ldc) {
    constexpr int TOGETHER = 4; // rows of activations whose sums are computed in turns, because each waits for the one before
    __m512 sum[M];
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) {
        sum[m] = _mm512_setzero_ps();
    }
    // Rows are contiguous, but 16 are read side by side, which is more streams than the CPU prefetches. The next 16 rows are
    // prefetched here while these are computed.
    constexpr size_t each = 16 * sizeof(q8_block);
    const char *  next = w + 16 * stride;
    const char *  from[4] = { w, w + 4 * stride, w + 8 * stride, w + 12 * stride }; // three distances from these reach all rows
    const size_t  two = 2 * stride, three = 3 * stride;
    const __m512i sign = _mm512_set1_epi8((char) 0x80);
    for (int b = 0; b < blocks; b++, a += Q8_ROWS, next += each) {
#pragma GCC unroll 16
        for (size_t line = 0; line < each + 63; line += 64) {
            _mm_prefetch(next + line, _MM_HINT_T1);
        }
        auto row = [&](int i) {
            if (!WHOLE) {
                return w + (i < rows ? i : 0) * stride + b * sizeof(q8_block);
            }
            return from[i / 4] + (i % 4 == 0 ? 0 : i % 4 == 1 ? stride : i % 4 == 2 ? two : three);
        };
        // Scales: one half-precision number of each row.
        auto half = [&](int i) { return (short) ((const q8_block *) row(i))->scale; };
        const __m512 scale = _mm512_cvtph_ps(_mm256_set_epi16(half(15), half(14), half(13), half(12), half(11), half(10), half(9), half(8),
                                                              half(7), half(6), half(5), half(4), half(3), half(2), half(1), half(0)));
        // Values: 16 rows × 8 dwords become 8 vectors of a dword of each row.
        auto values = [&](int i) { return _mm256_loadu_si256((const __m256i *) ((const q8_block *) row(i))->q); };
        __m512i v[8];
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            const int i0 = i < 4 ? i : i + 4; // together with row i0 + 4
            v[i] = _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(values(i0)), values(i0 + 4), 1), sign);
        }
        transpose8(v);
#pragma GCC unroll 4
        for (int at = 0; at < M; at += TOGETHER) {
            constexpr int LAST = (M - 1) % TOGETHER + 1;
            const int     n    = at + TOGETHER <= M ? TOGETHER : LAST;
            __m512i acc[TOGETHER];
#pragma GCC unroll 4
            for (int m = 0; m < n; m++) {
                acc[m] = _mm512_set1_epi32(a[at + m].start);
            }
#pragma GCC unroll 8
            for (int i = 0; i < 8; i++) {
#pragma GCC unroll 4
                for (int m = 0; m < n; m++) {
                    acc[m] = dot_integers(acc[m], v[i], _mm512_set1_epi32(((const int32_t *) a[at + m].q)[i]));
                }
            }
#pragma GCC unroll 4
            for (int m = 0; m < n; m++) {
                sum[at + m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc[m]), _mm512_mul_ps(scale, _mm512_set1_ps(a[at + m].scale)), sum[at + m]);
            }
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            from[i] += sizeof(q8_block);
        }
    }
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) {
        store_first(c + m * ldc, sum[m], rows);
    }
}

// Computes m ≤ M rows of activations from row number from on, and up to 16 columns from n0.
template <int M> inline void q8_rows(const q8_product & p, int m, int from, int n0) {
    if constexpr (M > 1) {
        if (m < M) {
            q8_rows<M - 1>(p, m, from, n0);
            return;
        }
    }
    const int          n = p.columns - n0;
    const char *       w = p.w + n0 * p.stride;
    const next_block * a = first_block((char *) p.a, from, p.k);
    float *            c = p.c + from * p.ldc + n0;
    if (n >= 16) {
        q8_tile<M, true>(p.k / 32, w, p.stride, 16, a, c, p.ldc);
    } else {
        q8_tile<M, false>(p.k / 32, w, p.stride, n, a, c, p.ldc);
    }
}

// Computes columns from..to. from is a multiple of 16.
inline void q8_multiply(const q8_product & p, int from, int to) {
    for (int n0 = from; n0 < to; n0 += 16) {
        for (int row = 0; row < p.rows; row += Q8_ROWS) {
            q8_rows<Q8_ROWS>(p, p.rows - row < Q8_ROWS ? p.rows - row : Q8_ROWS, row, n0);
        }
    }
}

} // namespace pd::PD_SET
