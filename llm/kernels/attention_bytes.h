// Attention of many queries over many keys, in bytes: queries, keys, values and the weights between them have 8 bits each.
// For encoders, which attend without a mask. Sums are integers over KEYS keys, then floats.
#ifdef PD_BYTES

namespace pd::PD_SET {

constexpr int   LONGEST    = 256;         // values in a key
constexpr float WEIGHT_LOG = 7.99435344f; // the weight of a query's highest score is 255, of which this is log2

#ifdef PD_AVX512
constexpr int TOGETHER  = 8;            // queries of a stage, see attention_stages.h
constexpr int BYTE_ROWS = 2 * TOGETHER; // queries with room in the memory of a thread
#else
constexpr int BYTE_ROWS = ROWS;
#endif

// The layout of one thread's memory: offsets in bytes, in this order.
struct byte_attention_scratch {
    int    n, dk, dv;    // keys, values in a key, in a value, all padded
    size_t kdim, vdim;   // dwords of a panel of keys, of values
    size_t k, k_scales, k_starts, v, v_scales, v_means, scores, weights, q, sums, total;
    byte_attention_scratch(int keys, int d, int v_length) {
        n        = (keys + PANEL - 1) / PANEL * PANEL;
        dk       = (d + 2 * WIDTH - 1) / (2 * WIDTH) * (2 * WIDTH);
        dv       = (v_length + PANEL - 1) / PANEL * PANEL;
        kdim     = panel_dwords(dk / 4);
        vdim     = panel_dwords(n / 4);
        k        = 0;
        k_scales = k + n / PANEL * kdim * 4;
        k_starts = k_scales + (size_t) n * 4;
        v        = k_starts + (size_t) n * 4;
        v_scales = v + dv / PANEL * vdim * 4;
        v_means  = v_scales + (size_t) dv * 4;
        scores   = v_means + (size_t) dv * 4;
        weights  = scores + (size_t) BYTE_ROWS * LINE * 4;
        q        = weights + (size_t) BYTE_ROWS * LINE;
        sums     = q + (size_t) BYTE_ROWS * dk;
        total    = sums + (size_t) BYTE_ROWS * dv * 4;
    }
};

// Converts a row of n floats to bytes as store_integers does. Returns their scale, NaN if one is not finite.
inline float row_of_bytes(const float * x, int n, uint8_t * out) {
    dwords high = all(0u);
    for (int i = 0; i < n; i += WIDTH) {
        high = most(high, magnitude(load(x + i)));
    }
    const float  top = most_of(high);
    const floats r   = all(top > 0 ? 127 / top : 0.0f); // of NaN, too
    for (int i = 0; i < n; i += WIDTH) {
        store_integers(out + i, mul(load(x + i), r));
    }
    return top - top == 0 ? top / 127 : NAN;
}

// sum becomes starts (or null) and the products of M rows of unsigned bytes, lda dwords apart, with a panel of signed ones.
template <int M>
inline void byte_tile(int steps, const uint32_t * a, size_t lda, const uint32_t * b, const uint32_t * starts, dwords (&sum)[M][2]) {
#pragma GCC unroll 12
    for (int m = 0; m < M; m++) {
        sum[m][0] = starts == nullptr ? all(0u) : load(starts);
        sum[m][1] = starts == nullptr ? all(0u) : load(starts + WIDTH);
    }
    for (int k = 0; k < steps; k++) {
        const dwords b0 = load(b + (size_t) k * PANEL), b1 = load(b + (size_t) k * PANEL + WIDTH);
#pragma GCC unroll 12
        for (int m = 0; m < M; m++) {
            const dwords x = all(a[m * lda + k]);
            sum[m][0] = dot_integers(sum[m][0], x, b0);
            sum[m][1] = dot_integers(sum[m][1], x, b1);
        }
    }
}

// The highest of n > 0 values.
inline float highest(const float * x, int n) {
    floats top[2] = { all(-INFINITY), all(-INFINITY) };
    int i = 0;
    for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {
        top[0] = most(load(x + i), top[0]);
        top[1] = most(load(x + i + WIDTH), top[1]);
    }
    float high = most_of(most(top[0], top[1]));
    for (; i < n; i++) {
        high = x[i] > high ? x[i] : high;
    }
    return high;
}

// Rounds query number row to bytes. Returns what its scores are multiplied with.
inline float query_of_bytes(const attention & a, int dk, int row, uint8_t * out) {
    constexpr float log2e = 1.44269504f; // 2^x is cheaper to compute than e^x
    const float * query = (const float *) (a.q + (size_t) row * a.q_stride);
    alignas(64) float longer[LONGEST];
    if (dk > a.dk) {
        memset(longer, 0, sizeof(longer));
        query = (const float *) memcpy(longer, query, a.dk * sizeof(float));
    }
    return a.scale * log2e * row_of_bytes(query, dk, out);
}

// Adds the products of the weights of M queries with the values of n keys from first to the queries' sums, or begins them.
template <int M> inline void add_values(const byte_attention_scratch & at, char * scratch, const uint8_t * weights, int first, int n) {
    for (int c = 0, i = 0; c < at.dv; c += PANEL, i++) {
        dwords acc[M][2];
        byte_tile<M>(n / 4, (const uint32_t *) weights, LINE / 4, (const uint32_t *) (scratch + at.v) + i * at.vdim + panel_dwords(first / 4), nullptr, acc);
#pragma GCC unroll 12
        for (int m = 0; m < M; m++) {
            float * to = (float *) (scratch + at.sums) + m * at.dv + c;
            const floats x0 = to_floats(acc[m][0]), x1 = to_floats(acc[m][1]);
            store(to, first > 0 ? add(load(to), x0) : x0);
            store(to + WIDTH, first > 0 ? add(load(to + WIDTH), x1) : x1);
        }
    }
}

// Writes the result of query number row from its sums and the sum of its weights.
inline void write_result(const attention & a, const byte_attention_scratch & at, const char * scratch, int row, const float * sums, float part) {
    alignas(64) float whole[LONGEST];
    float * out = a.rounded == nullptr ? (float *) (a.out + (size_t) row * a.out_stride) : whole;
    const floats share = all(1 / part);
    for (int c = 0; c < a.dv; c += WIDTH) {
        const floats mean = load((const float *) (scratch + at.v_means) + c), scale = mul(load((const float *) (scratch + at.v_scales) + c), share);
        store_first(out + c, fma(load(sums + c), scale, mean), a.dv - c);
    }
    if (a.rounded != nullptr) {
        integer_part(whole, a.dv, a.row_values, a.column, row, a.rounded);
    }
}

// Computes queries from..to of a head whose keys and values are packed in scratch, up to ROWS at a time.
inline void attend_by_rows(const attention & a, int from, int to, char * scratch) {
    const byte_attention_scratch at(a.keys, a.dk, a.dv);
    float *   s    = (float *) (scratch + at.scores);
    uint8_t * w    = (uint8_t *) (scratch + at.weights);
    uint8_t * q    = (uint8_t *) (scratch + at.q);
    float *   sums = (float *) (scratch + at.sums);
    by_rows(from, to, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        float top[M], part[M], factor[M]; // of each query: the highest score so far, the sum of weights, what its scores are multiplied with
        for (int m = 0; m < M; m++) {
            top[m]    = -INFINITY;
            part[m]   = 0;
            factor[m] = query_of_bytes(a, at.dk, row + m, q + (size_t) m * at.dk);
        }
        for (int first = 0; first < at.n; first += KEYS) {
            const int n = at.n - first < KEYS ? at.n - first : KEYS;
            for (int i = first / PANEL; i < (first + n) / PANEL; i++) {
                dwords acc[M][2];
                byte_tile<M>((a.dk + 3) / 4, (const uint32_t *) q, at.dk / 4, (const uint32_t *) (scratch + at.k) + i * at.kdim,
                             (const uint32_t *) (scratch + at.k_starts) + i * PANEL, acc);
                const float * scales = (const float *) (scratch + at.k_scales) + i * PANEL;
                const floats s0 = load(scales), s1 = load(scales + WIDTH);
#pragma GCC unroll 12
                for (int m = 0; m < M; m++) {
                    float * to = s + (size_t) m * LINE + i * PANEL - first;
                    store(to, mul(to_floats(acc[m][0]), s0));
                    store(to + WIDTH, mul(to_floats(acc[m][1]), s1));
                }
            }
            for (int m = 0; m < M; m++) {
                const float * x    = s + (size_t) m * LINE;
                uint8_t *     out  = w + (size_t) m * LINE;
                raise_top(highest(x, a.keys - first < n ? a.keys - first : n) * factor[m], first > 0, at.dv, top[m], part[m], sums + m * at.dv);
                const floats f = all(factor[m]), less = all(WEIGHT_LOG - top[m]);
                floats sum = zero();
                int i = 0;
                for (; i < n && first + i + WIDTH <= a.keys; i += WIDTH) {
                    const floats e = coarse_power_of_two(fma(load(x + i), f, less));
                    sum = add(sum, e);
                    store_unsigned(out + i, e);
                }
                for (; i < n; i += WIDTH) { // keys beyond the last one have no weight
                    alignas(64) float some[WIDTH] = {};
                    store_first(some, coarse_power_of_two(fma(load(x + i), f, less)), a.keys - first - i);
                    sum = add(sum, load(some));
                    store_unsigned(out + i, load(some));
                }
                part[m] += sum_of(sum);
            }
            add_values<M>(at, scratch, w, first, n);
        }
        for (int m = 0; m < M; m++) {
            write_result(a, at, scratch, row + m, sums + m * at.dv, part[m]);
        }
    });
}

} // namespace pd::PD_SET

#endif
