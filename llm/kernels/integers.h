// Products of Q8_0 weights with many rows of activations, in integers, for the encoder and prefill. If the CPU has dot
// products of bytes, activations are rounded to 8 bits, and 2 blocks of 32 share a scale, so that their sums are scaled once:
// scaling takes the units that multiply. Of two blocks of weights, that with the smaller scale is rounded again. Otherwise
// activations are rounded to 16 bits, and weights keep their 8 bits and their scales.
#include "ggml.h"

namespace pd::PD_SET {

#ifdef PD_VNNI
constexpr int Q8_UNROLLED = Q8_STEPS;
#else
constexpr int Q8_UNROLLED = 1; // if unrolled, the compiler computes all pair sums before it adds them, and spills both
#endif

// A packed panel starts with a float for each column: 0, or NaN if a weight is not finite. Groups follow, each with what
// PANEL columns need: initial sums (for bytes), the variants of the scales, and dwords as [step][column].
struct integer_group {
#ifdef PD_VNNI
    uint32_t start[PANEL]; // -128 times the sum of the values: compensates the 128 added to the activations
#endif
    float    scale[FINENESS][PANEL];
    uint32_t dwords[GROUP * Q8_STEPS][PANEL];
};

constexpr int GROUP_PANELS = GROUP * Q8 / PANEL; // panels whose columns share a scale as activations

inline size_t integer_panel_bytes(int k) { return PANEL * sizeof(float) + (size_t) groups(k) * sizeof(integer_group); }

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

// Packs a group of WIDTH rows of Q8_0 weights, of which n exist, from blocks blocks at w. Where blocks share a scale, it is
// the largest one, and the values of the others are rounded to it. Returns 0, or NaN if a weight of a row is not finite.
inline floats pack_group(const q8_block * w, size_t stride, int n, int blocks, int half, integer_group * out) {
    static const q8_block none[GROUP] = {};
    floats scale[GROUP], largest = zero(), poison = zero(); // largest: keeps its sign
    for (int b = 0; b < blocks; b++) {
        const int8_t * at[WIDTH];
        alignas(64) uint16_t scales[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            const q8_block * block = (i < n ? (const q8_block *) ((const char *) w + i * stride) : none) + b;
            _mm_prefetch((const char *) block + 512, _MM_HINT_T0); // the CPU does not prefetch so many streams
            at[i]     = block->q;
            scales[i] = block->scale;
        }
        scale[b] = from_half(scales);
        largest  = larger(scale[b], largest);
        poison   = fma(scale[b], zero(), poison);
        transpose_block(at, &out->dwords[b * Q8_STEPS][half]);
    }
    for (int i = 0; i < FINENESS; i++) {
        store(out->scale[i] + half, mul(largest, all((1 + i / (float) FINENESS) / ((uint64_t) 1 << EXPONENTS / 2) / ((uint64_t) 1 << EXPONENTS / 2))));
    }
#ifdef PD_VNNI
    dwords sum = all(0u);
    const floats to_largest = div(all(16384.0f), largest); // times a scale it is NaN, and then 0, if all are 0
    for (int b = 0; b < blocks; b++) {
        const dwords f = low_half(rounded_dwords(mul(scale[b], to_largest))), factor = either(f, shifted<16>(f));
        for (int i = b * Q8_STEPS; i < (b + 1) * Q8_STEPS; i++) {
            dwords v = load(&out->dwords[i][half]);
            if (GROUP > 1) {
                v = scaled_bytes(v, factor);
                store(&out->dwords[i][half], v);
            }
            sum = dot_integers(sum, all(0x80808080u), v);
        }
    }
    store(out->start + half, minus(sum));
#endif
    return poison;
}

// Packs n ≤ PANEL rows of Q8_0 weights. Missing rows are zeros.
inline void pack_integers(const char * w, size_t stride, int n, int k, char * panel) {
    floats poison[2] = { zero(), zero() };
    integer_group * out = (integer_group *) (panel + PANEL * sizeof(float));
    for (int g = 0; g < groups(k); g++) {
        for (int half = 0; half < PANEL; half += WIDTH) {
            const q8_block * at = (const q8_block *) (w + half * stride) + g * GROUP;
            poison[half / WIDTH] = add(poison[half / WIDTH], pack_group(at, stride, n - half, blocks_of_group(k, g), half, out + g));
        }
    }
    store((float *) panel, poison[0]);
    store((float *) panel + WIDTH, poison[1]);
}

// Computes M rows of one panel, of which the first n columns exist. They are written to c, ldc values apart.
template <int M> inline void integer_tile(const integer_product & p, int row, int column, const char * panel, int n, float * c, size_t ldc) {
    const row_group * a = (const row_group *) (p.a + row / INTEGER_ROWS * integer_tile_bytes(p.k));
    const integer_group * b = (const integer_group *) (panel + PANEL * sizeof(float));
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
    for (int g = 0; g < groups(p.k); g++, b++, a += INTEGER_ROWS) {
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
        for (int block = 0, blocks = blocks_of_group(p.k, g); block < blocks; block++) {
#pragma GCC unroll Q8_UNROLLED
            for (int i = 0; i < Q8_STEPS; i++) {
                const uint32_t * w = b->dwords[block * Q8_STEPS + i];
                const dwords w0 = load(w), w1 = load(w + WIDTH);
#pragma GCC unroll 8
                for (int m = 0; m < M; m++) {
                    const dwords x = all(((const uint32_t *) a[m].q)[block * Q8_STEPS + i]);
                    acc[m][0] = dot_integers(acc[m][0], x, w0);
                    acc[m][1] = dot_integers(acc[m][1], x, w1);
                }
            }
            for (size_t line = 0; line < INTEGER_ROWS * sizeof(row_group) / GROUP + 63; line += 64) {
                _mm_prefetch((const char *) a + 4096 + block * (INTEGER_ROWS * sizeof(row_group) / GROUP) + line, _MM_HINT_T0);
            }
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
        float * to = c + m * ldc;
        store_first(to, finished(p.then, p.c, to, column, add(sum[m][0], poison)), n);
        store_first(to + WIDTH, finished(p.then, p.c, to + WIDTH, column + WIDTH, add(sum[m][1], poison)), n - WIDTH);
    }
}

// Computes panels from..to. scratch: integer_panel_bytes(k) for each.
inline void multiply_integer_panels(const integer_product & p, int from, int to, char * scratch) {
    const size_t each = integer_panel_bytes(p.k);
    auto columns = [&](int panel) { return p.columns - panel * PANEL < PANEL ? p.columns - panel * PANEL : PANEL; };
    for (int i = from; i < to; i++) {
        pack_integers(p.w + (size_t) i * PANEL * p.stride, p.stride, columns(i), p.k, scratch + (i - from) * each);
    }
    // Weights are read for each product anew, 32 rows side by side, which the CPU does not prefetch: the next ones are asked for
    // during the second half of these products, some lines at a time.
    const int    later = p.rows / 2;
    const size_t lines = (p.next_bytes + 63) / 64, tiles = (size_t) (p.rows - later + INTEGER_ROWS - 1) / INTEGER_ROWS * (to - from);
    const size_t some  = (lines + tiles - 1) / tiles;
    size_t line = 0;
    alignas(64) float group[INTEGER_ROWS * GROUP_PANELS * PANEL]; // finished columns that will share a scale
    by_rows<INTEGER_ROWS>(0, p.rows, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        for (int i = from; i < to; i++) {
            for (size_t end = row >= later ? line + some : 0; line < end && line < lines; line++) {
                _mm_prefetch(p.next + line * 64, _MM_HINT_T1);
            }
            const int at = i % GROUP_PANELS * PANEL;
            if (p.rounded == nullptr) {
                integer_tile<M>(p, row, i * PANEL, scratch + (i - from) * each, columns(i), p.c + (size_t) row * p.ldc + i * PANEL, p.ldc);
                continue;
            }
            integer_tile<M>(p, row, i * PANEL, scratch + (i - from) * each, columns(i), group + at, GROUP_PANELS * PANEL);
            if (at + PANEL == GROUP_PANELS * PANEL || (i + 1) * PANEL >= p.columns) {
                integer_columns<M>(group, GROUP_PANELS * PANEL, p.columns, i / GROUP_PANELS, row, p.rounded);
            }
        }
    });
}

} // namespace pd::PD_SET
