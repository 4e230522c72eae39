// Products of Q8_0 weights with many rows of activations, in integers: the encoder and prefill. Weights keep their 8
// bits; activations are rounded in blocks of 32, which share a scale: to 8 bits where the CPU has dot products of
// bytes, else to 16.
#include "ggml.h"

namespace pd::PD_SET {

constexpr int Q8 = 32; // values in a block

#ifdef PD_VNNI
using integer = uint8_t;             // 128 is added to activations
constexpr float INTEGER_MOST = 127;
constexpr int   FINENESS     = 4;
#else
using integer = int16_t;
constexpr float INTEGER_MOST = 32767; // 32 products with bytes stay below 2^27
constexpr int   FINENESS     = 1;
#endif

constexpr int INTEGERS   = 4 / sizeof(integer); // in a dword
constexpr int Q8_STEPS   = Q8 / INTEGERS;       // dwords of a block
#ifdef PD_VNNI
constexpr int Q8_UNROLLED = Q8_STEPS;
#else
constexpr int Q8_UNROLLED = 1; // or the compiler puts all sums of two products before all sums of those, and both into memory
#endif
constexpr int Q8_VECTORS = Q8 / WIDTH;          // of a block of floats

// The scales of activations are (1 + variant/FINENESS) · 2^exponent, rounded up: then the product of two scales, one for
// each vector of sums and block, is the sum of an exponent and one of the weights' scales that the panel has ready, which
// takes none of the time of the units that multiply. Exponents are kept above zero: EXPONENTS is taken from the weights' scales.
constexpr int EXPONENTS = 64;

// Activations lie in the order in which they are read, or the CPU would not fetch them ahead: for INTEGER_ROWS rows their
// first blocks, then the second ones, and so on; at last a float for each row, 0, or NaN where a value is not finite (or too
// large), so that it is not taken for a number.
struct row_block {
    integer  q[Q8];
    uint32_t exponent; // as a float's
    uint32_t variant;  // as bytes from the first variant of a panel's scales
};

inline size_t integer_tile_bytes(int k) { return ((size_t) k / Q8 * sizeof(row_block) + sizeof(float)) * INTEGER_ROWS; }
inline size_t integer_rows_bytes(int rows, int k) {
    return ((rows + INTEGER_ROWS - 1) / INTEGER_ROWS * integer_tile_bytes(k) + 63) / 64 * 64;
}

// Row number row of those at out.
inline void integer_row(const float * x, int k, int row, char * out) {
    row_block * block = (row_block *) (out + row / INTEGER_ROWS * integer_tile_bytes(k)) + row % INTEGER_ROWS;
    float poison = 0;
    for (int b = 0; b < k / Q8; b++, x += Q8, block += INTEGER_ROWS) {
        floats v[Q8_VECTORS];
        dwords high = all(0u);
        for (int i = 0; i < Q8_VECTORS; i++) {
            v[i] = load(x + i * WIDTH);
            high = most(high, magnitude(v[i]));
        }
        constexpr uint32_t step = (1u << 23) / FINENESS;
        constexpr float least = 0x1p-60f, limit = 0x1p100f;
        const float top = most_of(high) / INTEGER_MOST;
        poison += top < limit ? 0.0f : NAN;
        uint32_t d = (bits_of(top < least ? least : top < limit ? top : limit) + step - 1) / step * step;
        const floats r = all(1.0f / float_of(d));
        for (int i = 0; i < Q8_VECTORS; i++) {
            store_integers(block->q + i * WIDTH, mul(v[i], r));
        }
        block->exponent = (d >> 23 << 23) - ((127u - EXPONENTS) << 23);
        block->variant  = d / step % FINENESS * PANEL * 4;
    }
    const int m = row % INTEGER_ROWS;
    ((float *) (block - m))[m] = poison;
}

// A packed panel holds a float for each column, 0, or NaN where a weight is not finite, and then blocks: for PANEL columns
// starts of sums (for bytes), variants of the scales and [step][column] dwords.
struct integer_block {
#ifdef PD_VNNI
    uint32_t start[PANEL]; // -128 times the sum of the values: takes back what was added to the activations
#endif
    float    scale[FINENESS][PANEL];
    uint32_t dwords[Q8_STEPS][PANEL];
};

inline size_t integer_panel_bytes(int k) { return PANEL * sizeof(float) + (size_t) k / Q8 * sizeof(integer_block); }

// The dwords of WIDTH rows' blocks, those of row i at at[i], become [step][row].
inline void transpose_block(const int8_t * const (&at)[WIDTH], uint32_t * out) {
#ifdef PD_AVX512
    dwords v[8];
    for (int i = 0; i < 8; i++) {
        const int row = i < 4 ? i : i + 4;
        v[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *) at[row])), _mm256_loadu_si256((const __m256i *) at[row + 4]), 1);
    }
    transpose8(v);
    for (int i = 0; i < 8; i++) {
        store(out + i * PANEL, v[i]);
    }
#else
    for (int from = 0; from < Q8_STEPS; from += 8) {
        dwords v[8];
        for (int i = 0; i < 8; i++) {
            v[i] = load_integers(at[i] + from * INTEGERS);
        }
        transpose(v);
        for (int i = 0; i < 8; i++) {
            store(out + (from + i) * PANEL, v[i]);
        }
    }
#endif
}

// Packs n ≤ PANEL rows of Q8_0 weights; missing ones are zeros.
inline void pack_integers(const char * w, size_t stride, int n, int blocks, char * panel) {
    static const q8_block none = {};
    floats poison[2] = { zero(), zero() };
    integer_block * out = (integer_block *) (panel + PANEL * sizeof(float));
    for (int b = 0; b < blocks; b++, out++) {
        for (int half = 0; half < PANEL; half += WIDTH) {
            const int8_t * at[WIDTH];
            alignas(64) uint16_t scales[WIDTH];
            for (int i = 0; i < WIDTH; i++) {
                const q8_block * block = half + i < n ? (const q8_block *) (w + (half + i) * stride) + b : &none;
                _mm_prefetch((const char *) block + 512, _MM_HINT_T0); // so many rows side by side are no stream to the CPU
                at[i]     = block->q;
                scales[i] = block->scale;
            }
            const floats d = from_half(scales);
            poison[half / WIDTH] = fma(d, zero(), poison[half / WIDTH]);
            for (int i = 0; i < FINENESS; i++) {
                store(out->scale[i] + half, mul(d, all((1 + i / (float) FINENESS) / ((uint64_t) 1 << EXPONENTS / 2) / ((uint64_t) 1 << EXPONENTS / 2))));
            }
            transpose_block(at, &out->dwords[0][half]);
#ifdef PD_VNNI
            dwords sum = all(0u);
            for (int i = 0; i < Q8_STEPS; i++) {
                sum = dot_integers(sum, all(0x80808080u), load(&out->dwords[i][half]));
            }
            store(out->start + half, minus(sum));
#endif
        }
    }
    store((float *) panel, poison[0]);
    store((float *) panel + WIDTH, poison[1]);
}

// Columns of a panel for M rows; n of them are there.
template <int M> inline void integer_tile(const integer_product & p, int row, const char * panel, float * c, int n) {
    const row_block * a = (const row_block *) (p.a + row / INTEGER_ROWS * integer_tile_bytes(p.k));
    const integer_block * b = (const integer_block *) (panel + PANEL * sizeof(float));
    floats sum[M][2];
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
        sum[m][0] = load((const float *) panel);
        sum[m][1] = load((const float *) panel + WIDTH);
    }
    for (int block = 0; block < p.k / Q8; block++, b++, a += INTEGER_ROWS) {
        dwords acc[M][2];
#pragma GCC unroll 8
        for (int m = 0; m < M; m++) {
#ifdef PD_VNNI
            acc[m][0] = load(b->start);
            acc[m][1] = load(b->start + WIDTH);
#else
            acc[m][0] = acc[m][1] = all(0u);
#endif
        }
#pragma GCC unroll Q8_UNROLLED
        for (int i = 0; i < Q8_STEPS; i++) {
            const dwords w0 = load(b->dwords[i]), w1 = load(b->dwords[i] + WIDTH);
#pragma GCC unroll 8
            for (int m = 0; m < M; m++) {
                const dwords x = all(((const uint32_t *) a[m].q)[i]);
                acc[m][0] = dot_integers(acc[m][0], x, w0);
                acc[m][1] = dot_integers(acc[m][1], x, w1);
            }
        }
        for (size_t line = 0; line < INTEGER_ROWS * sizeof(row_block) + 63; line += 64) {
            _mm_prefetch((const char *) a + 4096 + line, _MM_HINT_T0);
        }
#pragma GCC unroll 8
        for (int m = 0; m < M; m++) {
            const dwords     e = all(a[m].exponent);
            const uint32_t * d = (const uint32_t *) ((const char *) b->scale + a[m].variant);
            sum[m][0] = fma(to_floats(acc[m][0]), as_floats(plus(load(d), e)), sum[m][0]);
            sum[m][1] = fma(to_floats(acc[m][1]), as_floats(plus(load(d + WIDTH), e)), sum[m][1]);
        }
    }
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
        const floats poison = all(((const float *) a)[m]);
        store_first(c + m * p.ldc, add(sum[m][0], poison), n);
        store_first(c + m * p.ldc + WIDTH, add(sum[m][1], poison), n - WIDTH);
    }
}

// Computes panels from..to of columns. scratch: integer_panel_bytes(k) for each.
inline void multiply_integer_panels(const integer_product & p, int from, int to, char * scratch) {
    const size_t each = integer_panel_bytes(p.k);
    auto columns = [&](int panel) { return p.columns - panel * PANEL < PANEL ? p.columns - panel * PANEL : PANEL; };
    for (int i = from; i < to; i++) {
        pack_integers(p.w + (size_t) i * PANEL * p.stride, p.stride, columns(i), p.k / Q8, scratch + (i - from) * each);
    }
    by_rows<INTEGER_ROWS>(0, p.rows, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        for (int i = from; i < to; i++) {
            integer_tile<M>(p, row, scratch + (i - from) * each, p.c + (size_t) row * p.ldc + i * PANEL, columns(i));
        }
    });
}

} // namespace pd::PD_SET
