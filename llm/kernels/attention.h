// Attention of many queries over many keys: softmax(q·kᵀ · scale + mask) · v for one head. The matrix of scores is never
// stored as a whole. Sums are in float. attention_bytes.h has the same in bytes.
namespace pd::PD_SET {

constexpr float LOG2E = 1.44269504f; // 2^x is cheaper to compute than e^x

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

// Whether all PANEL values of a mask are value.
inline bool all_are(const uint16_t * mask, uint16_t value) {
#ifdef PD_AVX512
    return _mm512_cmpneq_epi16_mask(_mm512_loadu_si512(mask), _mm512_set1_epi16((short) value)) == 0;
#else
    return _mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_loadu_si256((const __m256i *) mask), _mm256_set1_epi16((short) value))) == -1;
#endif
}

constexpr uint16_t HIDDEN = 0xfc00; // minus infinity

// What a query's mask shows of the keys.
inline visible_keys visible_by(const uint16_t * mask, int keys) {
    visible_keys v = { 0, keys, 0, 0 };
    while (v.to > 0 && v.to % PANEL != 0 && mask[v.to - 1] == HIDDEN) {
        v.to--;
    }
    while (v.to > 0 && v.to % PANEL == 0 && all_are(mask + v.to - PANEL, HIDDEN)) {
        v.to -= PANEL;
    }
    while (v.to > 0 && mask[v.to - 1] == HIDDEN) {
        v.to--;
    }
    while (v.from + PANEL <= v.to && all_are(mask + v.from, HIDDEN)) {
        v.from += PANEL;
    }
    v.plain_from = v.from;
    while (v.plain_from + PANEL <= v.to && !all_are(mask + v.plain_from, 0)) {
        v.plain_from += PANEL;
    }
    v.plain_to = v.plain_from;
    while (v.plain_to + PANEL <= v.to && all_are(mask + v.plain_to, 0)) {
        v.plain_to += PANEL;
    }
    return v;
}

// The same for the queries from..to together: keys that any of them may attend to, and those which no mask changes.
inline visible_keys visible_to(const attention & a, int from, int to) {
    if (a.visible == nullptr) {
        return { 0, a.keys, 0, a.keys / PANEL * PANEL };
    }
    visible_keys all = { a.keys, 0, 0, a.keys };
    for (int i = from; i < to; i++) {
        const visible_keys & v = a.visible[i];
        if (v.from < v.to) {
            all.from = v.from < all.from ? v.from : all.from;
            all.to   = v.to > all.to ? v.to : all.to;
        }
        all.plain_from = v.plain_from > all.plain_from ? v.plain_from : all.plain_from;
        all.plain_to   = v.plain_to < all.plain_to ? v.plain_to : all.plain_to;
    }
    return all;
}

inline void pack_keys_and_values(const attention & a, int from, int to, char * scratch) {
#ifdef PD_BYTES
    if (a.in_bytes) {
        const byte_attention_scratch at(a.keys, a.dk, a.dv);
        pack_bytes(a, at, scratch);
        return;
    }
#endif
    const attention_scratch at(a.keys, a.dk, a.dv);
    const visible_keys visible = visible_to(a, from, to);
    for (int i = visible.from; i < visible.to; i += PANEL) {
        const int rows = a.keys - i < PANEL ? a.keys - i : PANEL;
        pack_rows(a.k_type, a.k + (size_t) i * a.k_stride, a.k_stride, rows, 0, a.dk, (uint32_t *) (scratch + at.k) + i / PANEL * at.kdim, nullptr);
    }
    for (int c = 0, i = 0; visible.from < visible.to && c < a.dv; c += PANEL, i++) {
        pack_columns(a.v_type, a.v + (size_t) visible.from * a.v_stride, a.v_stride, a.keys - visible.from, (visible.to + PANEL - 1) / PANEL * PANEL - visible.from,
                     c, a.dv, (uint32_t *) (scratch + at.v) + i * at.vdim + panel_dwords(visible.from / EACH));
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

// Adds the mask (or null) to a row's n scores, of which the first keys count. top: the highest scores so far.
inline floats masked_scores(float * s, int n, const uint16_t * mask, int keys, floats top) {
    for (int i = 0; i < n; i += WIDTH) {
        floats x = load(s + i);
        if (i + WIDTH <= keys) {
            if (mask != nullptr) {
                x = fma(from_half(mask + i), all(LOG2E), x);
            }
        } else { // keys beyond the last one
            alignas(64) uint16_t no[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                no[j] = i + j >= keys ? HIDDEN : mask != nullptr ? mask[i + j] : 0;
            }
            x = fma(from_half(no), all(LOG2E), x);
        }
        store(s + i, x);
        top = most(top, x);
    }
    return top;
}

// Asks for M rows of values, and for the place of as many results.
template <int M> inline void fetch_queries(const char * q, size_t q_stride, int dk, const char * out, size_t out_stride, int dv) {
    for (int m = 0; m < M; m++) {
        for (int i = 0; i < dk * 4; i += 64) {
            _mm_prefetch(q + m * q_stride + i, _MM_HINT_T0);
        }
        for (int i = 0; i < dv * 4; i += 64) {
            __builtin_prefetch(out + m * out_stride + i, 1);
        }
    }
}

// Adds the values of n keys from first on, times their weights, to the sums of M queries, if they have begun.
template <int M> inline void add_values(const attention_scratch & at, char * scratch, int first, int n, bool begun) {
    float * sums = (float *) (scratch + at.sums);
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
        const uint32_t * values = (const uint32_t *) (scratch + at.v) + i * at.vdim + panel_dwords(first / EACH);
        tile<M>((n + EACH - 1) / EACH, (const uint32_t *) (scratch + at.weights), LINE / EACH, values, acc);
#pragma GCC unroll 12
        for (int m = 0; m < M; m++) {
            store(sums + m * at.dv + c, acc[m][0]);
            store(sums + m * at.dv + c + WIDTH, acc[m][1]);
        }
    }
}

// Computes M queries of a head, whose rows begin at q and out. visible: what they may attend to. The first block of KEYS begins
// at a multiple of KEYS, whatever is hidden, so that a query's result does not depend on the other queries.
template <int M>
inline void attend_rows(const attention & a, const attention_scratch & at, int row, const visible_keys & visible, const char * from, char * to, char * scratch) {
    float *    s    = (float *) (scratch + at.scores);
    uint32_t * w    = (uint32_t *) (scratch + at.weights);
    uint32_t * q    = (uint32_t *) (scratch + at.q);
    float *    sums = (float *) (scratch + at.sums);
    const int   steps  = padded(a.dk) / EACH;
    const float factor = a.scale * LOG2E;
    float top[M], part[M]; // of each query: the highest score so far, the sum of weights
    for (int m = 0; m < M; m++) {
        top[m]  = -INFINITY;
        part[m] = 0;
        convert_row(GGML_TYPE_F32, from + m * a.q_stride, a.dk, q + (size_t) m * steps);
    }
    const int end = (visible.to + PANEL - 1) / PANEL * PANEL;
    bool begun = false; // whether sums and tops hold those of an earlier block
    for (int block = visible.from / KEYS * KEYS; block < visible.to; block += KEYS) {
        const int first = block > visible.from ? block : visible.from;
        const int n     = (block + KEYS < end ? block + KEYS : end) - first;
        // Scores are multiplied before they are stored if something is added to them, otherwise with the highest one's addition.
        const bool   changed    = a.mask != nullptr || first + n > a.keys || !(a.scale > 0);
        const floats f          = all(changed ? 1.0f : factor);
        const int    plain_from = visible.plain_from < first ? 0 : visible.plain_from < first + n ? visible.plain_from - first : n;
        const int    plain_to   = visible.plain_to > first + n ? n : visible.plain_to > first + plain_from ? visible.plain_to - first : plain_from;
        alignas(64) float highest[M][WIDTH];
        for (int m = 0; m < M; m++) {
            store(highest[m], all(-INFINITY));
        }
        for (int i = 0; i < n; i += PANEL) {
            floats acc[M][2];
            clear(acc);
            tile<M>(steps, q, steps, (const uint32_t *) (scratch + at.k) + (first + i) / PANEL * at.kdim, acc);
            if (changed) {
#pragma GCC unroll 12
                for (int m = 0; m < M; m++) {
                    acc[m][0] = mul(acc[m][0], all(factor));
                    acc[m][1] = mul(acc[m][1], all(factor));
                }
            }
#pragma GCC unroll 12
            for (int m = 0; m < M; m++) {
                store(s + (size_t) m * LINE + i, acc[m][0]);
                store(s + (size_t) m * LINE + i + WIDTH, acc[m][1]);
                if (i >= plain_from && i < plain_to) {
                    store(highest[m], most(load(highest[m]), most(acc[m][0], acc[m][1])));
                }
            }
        }
        for (int m = 0; m < M; m++) {
            float *    x    = s + (size_t) m * LINE;
            floats     high = load(highest[m]);
            if (plain_to - plain_from < n) {
                const uint16_t * mask = a.mask == nullptr ? nullptr : (const uint16_t *) (a.mask + (size_t) (row + m) * a.mask_stride) + first;
                high = masked_scores(x, plain_from, mask, a.keys - first, high);
                high = masked_scores(x + plain_to, n - plain_to, mask == nullptr ? nullptr : mask + plain_to, a.keys - first - plain_to, high);
            }
            raise_top(most_of(high) * first_of(f), begun, at.dv, top[m], part[m], sums + m * at.dv);
            const floats less = all(top[m] == -INFINITY ? 0 : -top[m]); // nothing to attend to, or nothing but NaN, which stays
            part[m] += sum_of(weights_of_row(n, w + m * (LINE / EACH), [&](int i) { return fma(load(x + i), f, less); }));
        }
        add_values<M>(at, scratch, first, visible.to - first < n ? visible.to - first : n, begun);
        begun = true;
    }
    for (int m = 0; m < M; m++) {
        const floats share = all(part[m] == 0 ? 0.0f : 1 / part[m]);
        for (int c = 0; c < a.dv; c += WIDTH) {
            const floats sum = begun ? load(sums + m * at.dv + c) : zero();
            store_first((float *) (to + m * a.out_stride) + c, mul(sum, share), a.dv - c);
        }
    }
}

// Computes queries from..to of all heads. pack_keys_and_values must have filled the same scratch.
inline void attend(const attention & a, int from, int to, char * scratch) {
#ifdef PD_BYTES
    if (a.in_bytes) {
        for (int h = 0; h < a.heads; h++) {
            attention one = a;
            one.q += h * a.q_head;
            one.out += h * a.out_head;
            one.column += h * a.dv;
            attend_in_bytes(one, from, to, scratch);
        }
        return;
    }
#endif
    const attention_scratch at(a.keys, a.dk, a.dv);
    by_rows(from, to, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        const visible_keys visible = visible_to(a, row, row + M);
        const char * q   = a.q + (size_t) row * a.q_stride;
        char *       out = a.out + (size_t) row * a.out_stride;
        for (int h = 0; h < a.heads; h++) {
            const bool last = h + 1 == a.heads; // the next ones are in another row
            fetch_queries<M>(last ? q + M * a.q_stride : q + (h + 1) * a.q_head, a.q_stride, a.dk, last ? out + M * a.out_stride : out + (h + 1) * a.out_head, a.out_stride, a.dv);
            attend_rows<M>(a, at, row, visible, q + h * a.q_head, out + h * a.out_head, scratch);
        }
    });
}

} // namespace pd::PD_SET
