// Attention of many queries over many keys: softmax(q·kᵀ · scale + mask) · v for one head. The matrix of scores is never
// stored as a whole. Sums are in float. attention_bytes.h has the same in bytes.
namespace pd::PD_SET {

// The layout of one thread's memory: offsets in bytes, in this order.
struct attention_scratch {
    int    n, dk, dv;           // keys, values in a key, in a value, all padded
    size_t kdim, vdim;          // dwords of a panel of keys, of values for KEYS keys
    size_t k, v, scores, weights, q, sums, total;
    attention_scratch(int keys, int d, int v_length) {
        n       = (keys + PANEL - 1) / PANEL * PANEL;
        dk      = (d + 2 * WIDTH - 1) / (2 * WIDTH) * (2 * WIDTH);
        dv      = (v_length + PANEL - 1) / PANEL * PANEL;
        kdim    = panel_dwords(dk / EACH);
        vdim    = panel_dwords(n / EACH);
        k       = 0;
        v       = k + n / PANEL * kdim * 4;
        scores  = v + (size_t) dv / PANEL * vdim * 4;
        weights = scores + (size_t) ROWS * LINE * 4;
        q       = weights + (size_t) ROWS * LINE / EACH * 4;
        sums    = q + (size_t) ROWS * dk / EACH * 4;
        total   = sums + (size_t) ROWS * dv * 4;
    }
};

inline size_t attention_bytes(int keys, int dk, int dv) {
    size_t n = attention_scratch(keys, dk, dv).total;
#ifdef PD_BYTES
    const size_t bytes = byte_attention_scratch(keys, dk, dv).total;
    n = bytes > n ? bytes : n;
#endif
    return n;
}

inline void pack_keys_and_values(const attention & a, char * scratch) {
#ifdef PD_BYTES
    if (a.in_bytes) {
        const byte_attention_scratch at(a.keys, a.dk, a.dv);
        pack_keys_of_bytes(a, at, scratch);
        pack_values_of_bytes(a, at, scratch);
        return;
    }
#endif
    const attention_scratch at(a.keys, a.dk, a.dv);
    for (int i = 0; i < at.n / PANEL; i++) {
        const int rows = a.keys - i * PANEL < PANEL ? a.keys - i * PANEL : PANEL;
        pack_rows(a.k_type, a.k + (size_t) i * PANEL * a.k_stride, a.k_stride, rows, 0, a.dk, (uint32_t *) (scratch + at.k) + i * at.kdim, nullptr);
    }
    for (int c = 0, i = 0; c < a.dv; c += PANEL, i++) {
        pack_columns(a.v_type, a.v, a.v_stride, a.keys, at.n, c, a.dv, (uint32_t *) (scratch + at.v) + i * at.vdim);
    }
}

// Turns a row's n scores into softmax weights that are not yet normalised, as elements. score(i) loads them, in powers of two and
// less the row's maximum. Returns the weights' sums.
template <typename F> inline floats weights_of_row(int n, uint32_t * out, F && score) {
    floats sum[EACH];
    for (int j = 0; j < EACH; j++) {
        sum[j] = zero();
    }
#pragma GCC unroll 2
    for (int i = 0; i < n; i += BLOCK) {
        floats e[EACH];
        for (int j = 0; j < EACH; j++) {
            e[j]   = power_of_two(score(i + WIDTH * j));
            sum[j] = add(sum[j], e[j]);
        }
#ifdef PD_BF16
        store(out + i / EACH, pack_two(e[0], e[1]));
#else
        store(out + i, as_dwords(e[0]));
#endif
    }
    for (int j = 1; j < EACH; j++) {
        sum[0] = add(sum[0], sum[j]);
    }
    return sum[0];
}

// Whether the first PANEL of n values of a mask are all minus infinity.
inline bool all_masked(const uint16_t * mask, int n) {
    uint16_t other = 0;
    if (n >= PANEL) {
        for (int i = 0; i < PANEL; i++) { // in vectors
            other |= mask[i] ^ 0xfc00;
        }
    } else {
        for (int i = 0; i < n; i++) {
            other |= mask[i] ^ 0xfc00;
        }
    }
    return other == 0;
}

// Multiplies a row's n scores, of which the first keys count, by factor and adds the mask (or null). Returns the highest score.
inline float masked_scores(float * s, int n, floats factor, const uint16_t * mask, int keys) {
    constexpr float log2e = 1.44269504f;
    floats top = all(-INFINITY);
    for (int i = 0; i < n; i += WIDTH) {
        floats x = mul(load(s + i), factor);
        if (i + WIDTH <= keys) {
            if (mask != nullptr) {
                x = fma(from_half(mask + i), all(log2e), x);
            }
        } else { // keys beyond the last one
            alignas(64) uint16_t no[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                no[j] = i + j >= keys ? 0xfc00 : mask != nullptr ? mask[i + j] : 0; // minus infinity
            }
            x = fma(from_half(no), all(log2e), x);
        }
        store(s + i, x);
        top = most(top, x);
    }
    return most_of(top);
}

// The panels of keys that some of the queries from..to may attend to: those before and behind are masked for all of them, and
// their weights are zeros. Blocks of KEYS stay where they are, so that a query's result does not depend on the other queries.
struct panel_range { int from, to; };

inline panel_range visible_panels(const attention & a, int from, int to) {
    const int panels = (a.keys + PANEL - 1) / PANEL;
    if (a.mask == nullptr) {
        return { 0, panels };
    }
    auto masked = [&](int panel) {
        for (int row = from; row < to; row++) {
            if (!all_masked((const uint16_t *) (a.mask + (size_t) row * a.mask_stride) + panel * PANEL, a.keys - panel * PANEL)) {
                return false;
            }
        }
        return true;
    };
    panel_range r = { 0, panels };
    while (r.to > r.from && masked(r.to - 1)) {
        r.to--;
    }
    while (r.from < r.to && masked(r.from)) {
        r.from++;
    }
    return r;
}

// Computes queries from..to. pack_keys_and_values must have filled the same scratch.
inline void attend(const attention & a, int from, int to, char * scratch) {
#ifdef PD_BYTES
    if (a.in_bytes) {
        attend_in_bytes(a, from, to, scratch);
        return;
    }
#endif
    constexpr float log2e = 1.44269504f; // 2^x is cheaper to compute than e^x
    const attention_scratch at(a.keys, a.dk, a.dv);
    float *    s    = (float *) (scratch + at.scores);
    uint32_t * w    = (uint32_t *) (scratch + at.weights);
    uint32_t * q    = (uint32_t *) (scratch + at.q);
    float *    sums = (float *) (scratch + at.sums);
    by_rows(from, to, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        float top[M], part[M], factor[M]; // of each query: the highest score so far, the sum of weights, what its scores are multiplied with
        for (int m = 0; m < M; m++) {
            top[m]    = -INFINITY;
            part[m]   = 0;
            factor[m] = a.scale * log2e;
            const char * from = a.q + (size_t) (row + m) * a.q_stride;
            convert_row(GGML_TYPE_F32, from, a.dk, q + (size_t) m * (padded(a.dk) / EACH));
        }
        const panel_range visible = visible_panels(a, row, row + M);
        bool begun = false; // whether sums and tops hold those of an earlier block
        for (int block = visible.from * PANEL / KEYS * KEYS; block < visible.to * PANEL; block += KEYS) {
            const int first = block > visible.from * PANEL ? block : visible.from * PANEL;
            const int n     = (block + KEYS < visible.to * PANEL ? block + KEYS : visible.to * PANEL) - first;
            alignas(64) float highest[M][WIDTH];
            for (int m = 0; m < M; m++) {
                store(highest[m], all(-INFINITY));
            }
            for (int i = first / PANEL; i < (first + n) / PANEL; i++) {
                floats acc[M][2];
                clear(acc);
                const int steps = padded(a.dk) / EACH;
                tile<M>(steps, q, steps, (const uint32_t *) (scratch + at.k) + i * at.kdim, acc);
#pragma GCC unroll 12
                for (int m = 0; m < M; m++) {
                    float * to = s + (size_t) m * LINE + i * PANEL - first;
                    store(to, acc[m][0]);
                    store(to + WIDTH, acc[m][1]);
                    store(highest[m], most(load(highest[m]), most(acc[m][0], acc[m][1])));
                }
            }
            for (int m = 0; m < M; m++) {
                float *    x    = s + (size_t) m * LINE;
                uint32_t * out  = w + (size_t) m * (LINE / EACH);
                floats     f    = all(factor[m]);
                float      high = most_of(load(highest[m])) * factor[m];
                if (a.mask != nullptr || first + n > a.keys || !(a.scale > 0)) {
                    const uint16_t * mask = a.mask == nullptr ? nullptr : (const uint16_t *) (a.mask + (size_t) (row + m) * a.mask_stride) + first;
                    high = masked_scores(x, n, f, mask, a.keys - first);
                    f    = all(1.0f);
                }
                raise_top(high, begun, at.dv, top[m], part[m], sums + m * at.dv);
                const floats less = all(top[m] == -INFINITY ? 0 : -top[m]); // nothing to attend to, or nothing but NaN, which stays
                part[m] += sum_of(weights_of_row(n, out, [&](int i) { return fma(load(x + i), f, less); }));
            }
            for (int c = 0, i = 0; c < at.dv; c += PANEL, i++) {
                floats acc[M][2];
                clear(acc);
                if (begun) {
#pragma GCC unroll 12
                    for (int m = 0; m < M; m++) {
                        acc[m][0] = load(sums + m * at.dv + c);
                        acc[m][1] = load(sums + m * at.dv + c + WIDTH);
                    }
                }
                tile<M>(n / EACH, w, LINE / EACH, (const uint32_t *) (scratch + at.v) + i * at.vdim + panel_dwords(first / EACH), acc);
#pragma GCC unroll 12
                for (int m = 0; m < M; m++) {
                    store(sums + m * at.dv + c, acc[m][0]);
                    store(sums + m * at.dv + c + WIDTH, acc[m][1]);
                }
            }
            begun = true;
        }
        for (int m = 0; m < M; m++) {
            const floats share = all(part[m] == 0 ? 0.0f : 1 / part[m]);
            for (int c = 0; c < a.dv; c += WIDTH) {
                const floats sum = begun ? load(sums + m * at.dv + c) : zero();
                store_first((float *) (a.out + (size_t) (row + m) * a.out_stride) + c, mul(sum, share), a.dv - c);
            }
        }
    });
}

} // namespace pd::PD_SET
