// Products of weights with many rows of activations, with sums in float, for the encoder and prefill.
namespace pd::PD_SET {

// The number of values of k that are packed at once, so that the panel fits the L2 cache.
constexpr int DEPTH = 1024 * EACH;

// The memory of one thread for a panel.
inline size_t panel_bytes(int k) {
    const int depth = k < DEPTH ? padded(k) : DEPTH;
    return panel_dwords(depth / EACH) * 4 + (size_t) WIDTH * depth * 4;
}

// Computes one panel of columns. scratch: panel_bytes(k).
inline void multiply_panel(const product & p, int panel, char * scratch) {
    uint32_t * b  = (uint32_t *) scratch;
    const int  n0 = panel * PANEL;
    const int  n  = p.columns - n0 < PANEL ? p.columns - n0 : PANEL;
    for (int from = 0; from < p.k; from += DEPTH) {
        const int to    = p.k - from < DEPTH ? p.k : from + DEPTH;
        const int steps = padded(to - from) / EACH;
        const bool to_end = to == p.k;
        pack_rows(p.type, p.w + n0 * p.stride, p.stride, n, from, to, b, (float *) (b + panel_dwords(steps)));
        by_rows(0, p.rows, [&](int row, auto count) {
            constexpr int M = decltype(count)::value;
            float * c = p.c + (size_t) row * p.ldc + n0;
            alignas(64) float narrow[M][PANEL]; // for the last panel, which may have fewer columns
            floats acc[M][2];
            clear(acc);
            if (from > 0 && n == PANEL) {
#pragma GCC unroll 12
                for (int m = 0; m < M; m++) {
                    acc[m][0] = load(c + m * p.ldc);
                    acc[m][1] = load(c + m * p.ldc + WIDTH);
                }
            } else if (from > 0) {
                for (int m = 0; m < M; m++) {
                    memcpy(narrow[m], c + m * p.ldc, n * sizeof(float));
                    acc[m][0] = load(narrow[m]);
                    acc[m][1] = load(narrow[m] + WIDTH);
                }
            }
            tile<M>(steps, p.a + row * p.lda + from / EACH, p.lda, b, acc);
#pragma GCC unroll 12
            for (int m = 0; m < M; m++) {
                float * out = c + m * p.ldc;
                if (to_end) {
                    acc[m][0] = finished(p.then, p.c, out, n0, acc[m][0]);
                    acc[m][1] = finished(p.then, p.c, out + WIDTH, n0 + WIDTH, acc[m][1]);
                }
                store_first(out, acc[m][0], n);
                store_first(out + WIDTH, acc[m][1], n - WIDTH);
            }
        });
    }
}

} // namespace pd::PD_SET
