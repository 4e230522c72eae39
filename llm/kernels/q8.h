// Products of Q8_0 weights with few rows of activations, in 8-bit integers, for the next tokens of all slots. The
// arithmetic is ggml's for Q8_0 (activations rounded to 8 bits in blocks of 32) with another order of sums.
namespace pd::PD_SET {

constexpr int Q8_ROWS = 16; // rows of activations at a time

// A row of activations in 8 bits: k values, then k/32 scales, then for each block -128 times the sum of its values, which
// compensates the 128 that makes the weights unsigned.
inline size_t q8_bytes(int k) { return (size_t) k + (size_t) k / 32 * 8; }

inline void quantise_row(const float * x, int k, char * out) {
    int8_t *  q     = (int8_t *) out;
    float *   scale = (float *) (out + k);
    int32_t * shift = (int32_t *) (scale + k / 32);
    for (int b = 0; b < k / 32; b++) {
        const __m512 lo = _mm512_loadu_ps(x + b * 32), hi = _mm512_loadu_ps(x + b * 32 + 16);
        const float  top = most_of(most(magnitude(lo), magnitude(hi)));
        const float  d   = top / 127.0f;
        const __m512 r    = _mm512_set1_ps(d > 0 ? 1.0f / d : 0.0f);
        const __m512i a   = _mm512_cvtps_epi32(_mm512_mul_ps(lo, r)), c = _mm512_cvtps_epi32(_mm512_mul_ps(hi, r));
        _mm_storeu_si128((__m128i *) (q + b * 32), _mm512_cvtsepi32_epi8(a));
        _mm_storeu_si128((__m128i *) (q + b * 32 + 16), _mm512_cvtsepi32_epi8(c));
        // Rounded to half precision, as in ggml. NaN for a block with NaN or infinities, so that it does not look like numbers.
        scale[b] = half_to_float(_cvtss_sh(d + (top - top), _MM_FROUND_TO_NEAREST_INT));
        shift[b] = -128 * _mm512_reduce_add_epi32(_mm512_add_epi32(a, c));
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

// Computes c[m][0..15] for M rows of quantised activations and 16 rows of weights.
template <int M>
inline void q8_tile(int blocks, const char * w, size_t stride, const char * a, size_t lda, float * c, size_t ldc, __mmask16 some) {
    const int k = blocks * 32;
    __m512    sum[M];
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) {
        sum[m] = _mm512_setzero_ps();
    }
    // Rows are contiguous, but 16 are read side by side, which is more streams than the CPU prefetches. The next 16 rows are
    // prefetched here while these are computed.
    const size_t ahead = (size_t) 16 * stride, step = ahead / blocks;
    const __m512i sign = _mm512_set1_epi8((char) 0x80);
    for (int b = 0; b < blocks; b++) {
        const char * at = w + (size_t) b * sizeof(q8_block);
        for (size_t line = 0; line < step + 63; line += 64) {
            _mm_prefetch(w + ahead + b * step + line, _MM_HINT_T1);
        }
        // Scales: one half-precision number of each row.
        auto half = [&](int i) { return (short) *(const uint16_t *) (at + (some >> i & 1 ? i : 0) * stride); };
        const __m512 scale = _mm512_cvtph_ps(_mm256_set_epi16(half(15), half(14), half(13), half(12), half(11), half(10), half(9), half(8),
                                                              half(7), half(6), half(5), half(4), half(3), half(2), half(1), half(0)));
        // Values: 16 rows × 8 dwords become 8 vectors of a dword of each row.
        __m512i v[8];
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            const int     row = i < 4 ? i : i + 4; // together with row + 4
            const int     i0  = some >> row & 1 ? row : 0, i1 = some >> (row + 4) & 1 ? row + 4 : 0;
            const __m256i lo = _mm256_loadu_si256((const __m256i *) (at + i0 * stride + 2));
            const __m256i hi = _mm256_loadu_si256((const __m256i *) (at + i1 * stride + 2));
            v[i] = _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1), sign);
        }
        transpose8(v);
#pragma GCC unroll 16
        for (int m = 0; m < M; m++) {
            const char *    row   = a + m * lda;
            const int32_t * q     = (const int32_t *) (row + b * 32);
            const float *   ascale = (const float *) (row + k);
            __m512i acc = _mm512_set1_epi32(((const int32_t *) (ascale + blocks))[b]);
#pragma GCC unroll 8
            for (int i = 0; i < 8; i++) {
                acc = _mm512_dpbusd_epi32(acc, v[i], _mm512_set1_epi32(q[i]));
            }
            sum[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc), _mm512_mul_ps(scale, _mm512_set1_ps(ascale[b])), sum[m]);
        }
    }
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) {
        _mm512_mask_storeu_ps(c + m * ldc, some, sum[m]);
    }
}

// Computes m ≤ M rows of activations and up to 16 columns from n0.
template <int M> inline void q8_rows(const q8_product & p, int m, int from, int n0) {
    if constexpr (M > 1) {
        if (m < M) {
            q8_rows<M - 1>(p, m, from, n0);
            return;
        }
    }
    const int       n    = p.columns - n0;
    const __mmask16 some = n >= 16 ? 0xffff : (__mmask16) ((1u << n) - 1);
    q8_tile<M>(p.k / 32, p.w + n0 * p.stride, p.stride, p.a + from * q8_bytes(p.k), q8_bytes(p.k), p.c + from * p.ldc + n0, p.ldc, some);
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
