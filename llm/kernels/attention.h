// Attention of many queries over many keys, with sums in float: softmax(q·kᵀ · scale + mask) · v for one head. The
// matrix of scores is never stored as a whole.
namespace pd::PD_SET {

// The layout of one thread's memory: offsets in bytes, in this order.
struct attention_scratch {
    int    n, dk;        // keys and values in a key, padded
    size_t kdim, vdim;   // dwords of a panel of keys, of values
    size_t k, v, scores, weights, q, total;
    attention_scratch(int keys, int d, int dv) {
        n       = (keys + PANEL - 1) / PANEL * PANEL;
        dk      = padded(d);
        kdim    = panel_dwords(dk / EACH);
        vdim    = panel_dwords(n / EACH);
        k       = 0;
        v       = k + n / PANEL * kdim * 4;
        scores  = v + (size_t) ((dv + PANEL - 1) / PANEL) * vdim * 4;
        weights = scores + (size_t) ROWS * n * 4;
        q       = weights + (size_t) ROWS * n / EACH * 4;
        total   = q + (size_t) ROWS * dk / EACH * 4;
    }
};

inline size_t attention_bytes(int keys, int dk, int dv) { return attention_scratch(keys, dk, dv).total; }

inline void pack_keys_and_values(const attention & a, char * scratch) {
    const attention_scratch at(a.keys, a.dk, a.dv);
    for (int i = 0; i < at.n / PANEL; i++) {
        const int rows = a.keys - i * PANEL < PANEL ? a.keys - i * PANEL : PANEL;
        pack_rows(a.k_type, a.k + (size_t) i * PANEL * a.k_stride, a.k_stride, rows, 0, a.dk, (uint32_t *) (scratch + at.k) + i * at.kdim, nullptr);
    }
    for (int c = 0, i = 0; c < a.dv; c += PANEL, i++) {
        pack_columns(a.v_type, a.v, a.v_stride, a.keys, at.n, c, a.dv, (uint32_t *) (scratch + at.v) + i * at.vdim);
    }
}

// Turns a row's n scores, of which the first keys count, into softmax weights that are not yet normalised. Returns their sum.
inline float softmax_row(float * s, int n, float scale, const uint16_t * mask, int keys, uint32_t * out) {
    constexpr float log2e = 1.44269504f; // 2^x is cheaper to compute than e^x
    floats top    = all(-INFINITY);
    floats factor = all(scale * log2e);
    if (mask == nullptr && keys == n && scale > 0) {
        for (int i = 0; i < n; i += WIDTH) {
            top = most(top, load(s + i));
        }
        top = mul(top, factor);
    } else {
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
        factor = all(1.0f);
    }
    const float highest = most_of(top);
    if (highest == -INFINITY) { // nothing to attend to
        memset(out, 0, (size_t) n / EACH * 4);
        return 1.0f;
    }
    const floats less = all(-highest);
    floats sum[EACH];
    for (int j = 0; j < EACH; j++) {
        sum[j] = zero();
    }
    for (int i = 0; i < n; i += BLOCK) {
        floats e[EACH];
        for (int j = 0; j < EACH; j++) {
            e[j]   = power_of_two(fma(load(s + i + WIDTH * j), factor, less));
            sum[j] = add(sum[j], e[j]);
        }
#ifdef PD_BF16
        store(out + i / EACH, pack_two(e[0], e[1]));
#else
        store(out + i, as_dwords(e[0]));
#endif
    }
    floats all_sums = sum[0];
    for (int j = 1; j < EACH; j++) {
        all_sums = add(all_sums, sum[j]);
    }
    return sum_of(all_sums);
}

// Computes queries from..to. pack_keys_and_values must have filled the same scratch.
inline void attend(const attention & a, int from, int to, char * scratch) {
    const attention_scratch at(a.keys, a.dk, a.dv);
    float *    s = (float *) (scratch + at.scores);
    uint32_t * w = (uint32_t *) (scratch + at.weights);
    uint32_t * q = (uint32_t *) (scratch + at.q);
    const int  n = at.n, ldq = at.dk / EACH, ldw = n / EACH;
    by_rows(from, to, [&](int row, auto count) {
        constexpr int M = decltype(count)::value;
        for (int m = 0; m < M; m++) {
            convert_row(GGML_TYPE_F32, a.q + (size_t) (row + m) * a.q_stride, a.dk, q + (size_t) m * ldq);
        }
        for (int i = 0; i < n / PANEL; i++) {
            floats acc[M][2];
            clear(acc);
            tile<M>(ldq, q, ldq, (const uint32_t *) (scratch + at.k) + i * at.kdim, acc);
#pragma GCC unroll 12
            for (int m = 0; m < M; m++) {
                store(s + (size_t) m * n + i * PANEL, acc[m][0]);
                store(s + (size_t) m * n + i * PANEL + WIDTH, acc[m][1]);
            }
        }
        float part[M];
        for (int m = 0; m < M; m++) {
            const uint16_t * mask = a.mask == nullptr ? nullptr : (const uint16_t *) (a.mask + (size_t) (row + m) * a.mask_stride);
            part[m] = 1.0f / softmax_row(s + (size_t) m * n, n, a.scale, mask, a.keys, w + (size_t) m * ldw);
        }
        for (int c = 0, i = 0; c < a.dv; c += PANEL, i++) {
            floats acc[M][2];
            clear(acc);
            tile<M>(ldw, w, ldw, (const uint32_t *) (scratch + at.v) + i * at.vdim, acc);
#pragma GCC unroll 12
            for (int m = 0; m < M; m++) {
                float * out = (float *) (a.out + (size_t) (row + m) * a.out_stride) + c;
                store_first(out, mul(acc[m][0], all(part[m])), a.dv - c);
                store_first(out + WIDTH, mul(acc[m][1], all(part[m])), a.dv - c - WIDTH);
            }
        }
    });
}

} // namespace pd::PD_SET
