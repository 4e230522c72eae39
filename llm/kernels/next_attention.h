// Attention of a next token over the KV cache: softmax(q·kᵀ · scale + mask) · v in floats. Keys and values are in half
// precision and read in place, once for all heads that share them. Cells that the mask hides are skipped, so a query's
// sums depend on the values and the order of its own cells only, not on where they are or what else the cache holds.
//
// Memory bandwidth is the limit. The heads of a cell are contiguous, so a few cells are computed for all heads before the
// next ones, which are prefetched meanwhile in memory order.
namespace pd::PD_SET {

#ifdef PD_AVX512
constexpr int NEXT_HEADS = 4; // at a time: as many as there are registers for
#else
constexpr int NEXT_HEADS = 3;
#endif
constexpr int NEXT_CELLS  = 4; // at a time
constexpr int NEXT_VALUES = 4; // vectors of a cell's values at a time

// The layout of one thread's memory: offsets in bytes, in this order.
struct next_scratch {
    int    n, dk, dv; // number of cells, length of a key, length of a value; all padded
    size_t cells, bias, q, scores, sums, part, total;
    next_scratch(const next_attention & a) {
        const size_t heads = (size_t) a.kv_heads * a.group;
        n      = (a.keys + WIDTH - 1) / WIDTH * WIDTH + WIDTH; // one vector more, since rows of a power of two map to the same cache sets
        dk     = (a.dk + WIDTH - 1) / WIDTH * WIDTH;
        dv     = (a.dv + WIDTH - 1) / WIDTH * WIDTH;
        cells  = 0;
        bias   = cells + (size_t) n * 4;
        q      = bias + (size_t) n * 4;
        scores = q + heads * dk * 4;
        sums   = scores + heads * n * 4;
        part   = sums + heads * dv * 4;
        total  = part + heads * 4;
    }
};

inline size_t next_bytes(const next_attention & a) { return next_scratch(a).total; }

// Lists the cells that the mask does not hide and the bias that it adds to their scores. Returns their number. The lists
// are padded to whole vectors with the last cell and a bias of minus infinity.
inline int visible_cells(const uint16_t * mask, int keys, uint32_t * cells, float * bias) {
    int n = 0;
    for (int i = 0; i < keys; i++) {
        if (mask != nullptr && i + WIDTH <= keys) {
            const floats   m    = from_half(mask + i);
            const unsigned seen = bits_above(m, -INFINITY);
            if (seen == 0) {
                i += WIDTH - 1;
                continue;
            }
            if (seen == (1u << WIDTH) - 1) {
                store(bias + n, m);
                for (int j = 0; j < WIDTH; j++) {
                    cells[n + j] = i + j;
                }
                n += WIDTH;
                i += WIDTH - 1;
                continue;
            }
        }
        const float b = mask == nullptr ? 0.0f : half_to_float(mask[i]);
        if (b > -INFINITY) {
            cells[n] = i;
            bias[n]  = b;
            n++;
        }
    }
    for (int i = n; n > 0 && i % WIDTH != 0; i++) {
        cells[i] = cells[n - 1];
        bias[i]  = -INFINITY;
    }
    return n;
}

// q·k of M heads for NEXT_CELLS cells. q: rows of dk floats, padded with zeros to whole vectors.
template <int M> inline void next_scores(const next_attention & a, const char * keys, const uint32_t * cells, const float * q, int ldq, float * s, int lds) {
    const int whole = a.dk / WIDTH * WIDTH;
    const uint16_t * k[NEXT_CELLS];
    floats acc[M][NEXT_CELLS];
#pragma GCC unroll 4
    for (int c = 0; c < NEXT_CELLS; c++) {
        k[c] = (const uint16_t *) (keys + cells[c] * a.k_stride);
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) {
            acc[m][c] = zero();
        }
    }
    for (int d = 0; d < whole; d += WIDTH) {
#pragma GCC unroll 4
        for (int c = 0; c < NEXT_CELLS; c++) {
            const floats x = from_half(k[c] + d);
#pragma GCC unroll 4
            for (int m = 0; m < M; m++) {
                acc[m][c] = fma(x, load(q + m * ldq + d), acc[m][c]);
            }
        }
    }
    if (whole < a.dk) {
#pragma GCC unroll 4
        for (int c = 0; c < NEXT_CELLS; c++) {
            const floats x = from_first_halves(k[c] + whole, a.dk - whole);
#pragma GCC unroll 4
            for (int m = 0; m < M; m++) {
                acc[m][c] = fma(x, load(q + m * ldq + whole), acc[m][c]);
            }
        }
    }
#pragma GCC unroll 4
    for (int m = 0; m < M; m++) {
        store_four_sums(s + (size_t) m * lds, acc[m]);
    }
}

// Turns the scores of n cells into softmax weights that are not yet normalised, in whole vectors. Returns the factor that
// normalises their sums. It is NaN if a score is NaN, which exponential() would turn into a number.
inline float next_weights(float * s, int n, float scale, const float * bias) {
    floats top = all(-INFINITY), wrong = zero();
    for (int i = 0; i < n; i += WIDTH) {
        floats x = mul(load(s + i), all(scale));
        wrong = fma(x, zero(), wrong);
        x     = add(x, load(bias + i));
        top   = most(top, x);
        store(s + i, x);
    }
    const float highest = most_of(top);
    floats sum = zero();
    for (int i = 0; i < n; i += WIDTH) {
        const floats x = sub(load(s + i), all(highest));
        const floats e = where_above(x, -80.0f, exponential(x)); // exponential() clamps its argument
        sum = add(sum, e);
        store(s + i, e);
    }
    return 1.0f / sum_of(sum) + sum_of(wrong);
}

// Adds the weighted values of n cells to the sums of M heads: J vectors from index c, of which the last may be short.
template <int M, int J>
inline void next_values(const next_attention & a, const char * values, const uint32_t * cells, int n, const float * w, int ldw, float * sums, int lds, int c) {
    const int last = a.dv - c - (J - 1) * WIDTH; // values in the last vector
    floats acc[M][J];
#pragma GCC unroll 4
    for (int m = 0; m < M; m++) {
#pragma GCC unroll 4
        for (int j = 0; j < J; j++) {
            acc[m][j] = load(sums + m * lds + c + j * WIDTH);
        }
    }
    for (int i = 0; i < n; i++) {
        const uint16_t * v = (const uint16_t *) (values + cells[i] * a.v_stride) + c;
#pragma GCC unroll 4
        for (int j = 0; j < J; j++) {
            const floats x = j < J - 1 || last >= WIDTH ? from_half(v + j * WIDTH) : from_first_halves(v + j * WIDTH, last);
#pragma GCC unroll 4
            for (int m = 0; m < M; m++) {
                acc[m][j] = fma(x, all(w[(size_t) m * ldw + i]), acc[m][j]);
            }
        }
    }
#pragma GCC unroll 4
    for (int m = 0; m < M; m++) {
#pragma GCC unroll 4
        for (int j = 0; j < J; j++) {
            store(sums + m * lds + c + j * WIDTH, acc[m][j]);
        }
    }
}

// Calls f with min(n, MOST) as a compile-time constant.
template <int MOST, typename F> inline void at_most(int n, F && f) {
    if constexpr (MOST > 1) {
        if (n < MOST) {
            at_most<MOST - 1>(n, f);
            return;
        }
    }
    f(std::integral_constant<int, MOST>());
}

// Calls f for groups of at most NEXT_HEADS query heads of a kv head, with their number and the index of the first.
template <typename F> inline void next_groups(const next_attention & a, int kv_head, F && f) {
    for (int g = 0; g < a.group; g += NEXT_HEADS) {
        at_most<NEXT_HEADS>(a.group - g, [&](auto heads) { f(heads, kv_head * a.group + g); });
    }
}

inline void attend_next(const next_attention & a, char * scratch) {
    const next_scratch at(a);
    uint32_t * cells  = (uint32_t *) (scratch + at.cells);
    float *    bias   = (float *) (scratch + at.bias);
    float *    q      = (float *) (scratch + at.q);
    float *    scores = (float *) (scratch + at.scores);
    float *    sums   = (float *) (scratch + at.sums);
    const int  heads  = a.kv_heads * a.group;
    const int  n      = visible_cells((const uint16_t *) a.mask, a.keys, cells, bias);
    for (int h = 0; h < heads; h++) {
        memcpy(q + h * at.dk, a.q + h * a.q_head, a.dk * sizeof(float));
        memset(q + h * at.dk + a.dk, 0, (at.dk - a.dk) * sizeof(float));
        memset(scores + (size_t) h * at.n + n / WIDTH * WIDTH, 0, WIDTH * sizeof(float)); // the last vector is not computed as a whole
    }
    memset(sums, 0, (size_t) heads * at.dv * sizeof(float));
    // Calls f for NEXT_CELLS cells and each kv head, and meanwhile prefetches the next cells in memory order.
    auto by_cells = [&](const char * rows, size_t stride, size_t head, int values, auto && f) {
        const bool   dense = head * a.kv_heads == stride; // no gaps between rows
        const size_t each  = dense ? NEXT_CELLS * head : (size_t) values * 2;
        for (int i = 0; i < n; i += NEXT_CELLS) {
            const char * next = rows + cells[i + NEXT_CELLS < n ? i + NEXT_CELLS : n - 1] * stride;
            for (int kh = 0; kh < a.kv_heads; kh++) {
                const char * part = next + kh * each;
                for (int c = 0; c < (dense ? 1 : NEXT_CELLS); c++) {
#pragma GCC unroll 8
                    for (size_t line = 0; line < each; line += 64) {
                        _mm_prefetch(part + c * stride + line, _MM_HINT_T0);
                    }
                }
                next_groups(a, kh, [&](auto some, int h) { f(some, kh, h, i); });
            }
        }
    };
    by_cells(a.k, a.k_stride, a.k_head, a.dk, [&](auto some, int kh, int h, int i) {
        next_scores<decltype(some)::value>(a, a.k + kh * a.k_head, cells + i, q + h * at.dk, at.dk, scores + (size_t) h * at.n + i, at.n);
    });
    float * part = (float *) (scratch + at.part);
    for (int h = 0; h < heads; h++) {
        part[h] = n == 0 ? 0.0f : next_weights(scores + (size_t) h * at.n, n, a.scale, bias);
    }
    by_cells(a.v, a.v_stride, a.v_head, a.dv, [&](auto some, int kh, int h, int i) {
        for (int c = 0; c < a.dv; c += NEXT_VALUES * WIDTH) {
            at_most<NEXT_VALUES>((a.dv - c + WIDTH - 1) / WIDTH, [&](auto vectors) {
                next_values<decltype(some)::value, decltype(vectors)::value>(a, a.v + kh * a.v_head, cells + i, n - i < NEXT_CELLS ? n - i : NEXT_CELLS,
                                                                             scores + (size_t) h * at.n + i, at.n, sums + h * at.dv, at.dv, c);
            });
        }
    });
    for (int h = 0; h < heads; h++) {
        float * out = (float *) (a.out + h * a.out_head);
        for (int c = 0; c < a.dv; c += WIDTH) {
            store_first(out + c, mul(load(sums + h * at.dv + c), all(part[h])), a.dv - c);
        }
    }
}

} // namespace pd::PD_SET
