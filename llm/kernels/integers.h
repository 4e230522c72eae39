// Products of Q8_0 weights with many rows of activations, in integers, for the encoder and prefill. Weights keep their 8
// bits. Activations are rounded in blocks of 32 that share a scale: to 8 bits if the CPU has dot products of bytes,
// otherwise to 16.
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
constexpr int Q8_UNROLLED = 1; // if unrolled, the compiler computes all pair sums before it adds them, and spills both
#endif
constexpr int Q8_VECTORS = Q8 / WIDTH;          // vectors of a block of floats

// Scales of activations are rounded up to (1 + variant/FINENESS) · 2^exponent. The panel has the weights' scales times
// each variant, so the product of both scales is an integer addition to the exponent, which does not use the units that
// multiply. To keep exponents positive, the weights' scales are divided by 2^EXPONENTS.
constexpr int EXPONENTS = 64;

// Activations are stored in the order in which they are read, so that the CPU prefetches them: the first blocks of
// INTEGER_ROWS rows, their second blocks, and so on. A float for each row follows: 0, or NaN if a value of the row is not
// finite or too large. It is added to the results, so that such a row does not look like numbers.
struct row_block {
    integer  q[Q8];
    uint32_t exponent; // in the bits of a float's exponent
    uint32_t variant;  // offset in bytes from the first variant of a panel's scales
};

inline size_t integer_tile_bytes(int k) { return ((size_t) k / Q8 * sizeof(row_block) + sizeof(float)) * INTEGER_ROWS; }
inline size_t integer_rows_bytes(int rows, int k) {
    return ((rows + INTEGER_ROWS - 1) / INTEGER_ROWS * integer_tile_bytes(k) + 63) / 64 * 64;
}

// Writes row number row of the rows at out.
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

// A packed panel starts with a float for each column: 0, or NaN if a weight is not finite. Blocks follow, each with what
// PANEL columns need: initial sums (for bytes), the variants of the scales, and dwords as [step][column].
struct integer_block {
#ifdef PD_VNNI
    uint32_t start[PANEL]; // -128 times the sum of the values: compensates the 128 added to the activations
#endif
    float    scale[FINENESS][PANEL];
    uint32_t dwords[Q8_STEPS][PANEL];
};

inline size_t integer_panel_bytes(int k) { return PANEL * sizeof(float) + (size_t) k / Q8 * sizeof(integer_block); }

// Transposes a block of WIDTH rows, row i of which begins at at[i], to dwords as [step][row].
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

// Packs n ≤ PANEL rows of Q8_0 weights. Missing rows are zeros.
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
                _mm_prefetch((const char *) block + 512, _MM_HINT_T0); // the CPU does not prefetch so many streams
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

// Computes M rows of one panel, of which the first n columns exist.
template <int M> inline void integer_tile(const integer_product & p, int row, int column, const char * panel, int n) {
    const row_block * a = (const row_block *) (p.a + row / INTEGER_ROWS * integer_tile_bytes(p.k));
    const integer_block * b = (const integer_block *) (panel + PANEL * sizeof(float));
    float * c = p.c + (size_t) row * p.ldc + column;
    for (int m = 0; p.then.add != nullptr && m < M; m++) { // what is added in the end lies far away
        _mm_prefetch((const char *) (p.then.add + (c - p.c) + m * p.ldc), _MM_HINT_T0);
        _mm_prefetch((const char *) (p.then.add + (c - p.c) + m * p.ldc + WIDTH), _MM_HINT_T0);
    }
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
        float * to = c + m * p.ldc;
        store_first(to, finished(p.then, p.c, to, column, add(sum[m][0], poison)), n);
        store_first(to + WIDTH, finished(p.then, p.c, to + WIDTH, column + WIDTH, add(sum[m][1], poison)), n - WIDTH);
    }
}

// Computes panels from..to. scratch: integer_panel_bytes(k) for each.
inline void multiply_integer_panels(const integer_product & p, int from, int to, char * scratch) {
    const size_t each = integer_panel_bytes(p.k);
    auto columns = [&](int panel) { return p.columns - panel * PANEL < PANEL ? p.columns - panel * PANEL : PANEL; };
    for (int i = from; i < to; i++) {
        pack_integers(p.w + (size_t) i * PANEL * p.stride, p.stride, columns(i), p.k / Q8, scratch + (i - from) * each);
    }
    // Weights are read for each product anew, 32 rows side by side, which the CPU does not prefetch: the next ones are asked for
    // during the second half of these products, some lines at a time.
    const int    later = p.rows / 2;
    const size_t lines = (p.next_bytes + 63) / 64, tiles = (size_t) (p.rows - later + INTEGER_ROWS - 1) / INTEGER_ROWS * (to - from);
    const size_t some  = (lines + tiles - 1) / tiles;
    size_t line = 0;
    by_rows<INTEGER_ROWS>(0, p.rows, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        for (int i = from; i < to; i++) {
            for (size_t end = row >= later ? line + some : 0; line < end && line < lines; line++) {
                _mm_prefetch(p.next + line * 64, _MM_HINT_T1);
            }
            integer_tile<M>(p, row, i * PANEL, scratch + (i - from) * each, columns(i));
        }
    });
}

} // namespace pd::PD_SET
