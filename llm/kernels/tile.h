// The register tile that all products use.
namespace pd::PD_SET {

constexpr int PANEL = 2 * WIDTH; // columns of a packed panel

// Of attention: keys at a time, whose scores stay in the cache, and the distance from one query's scores to the next
// one's, which then lie in other sets of the cache.
constexpr int KEYS = 512;
constexpr int LINE = KEYS + 2 * PANEL;

// A panel holds PANEL columns of the right-hand matrix as [step of k][column], a dword of elements for each.
inline size_t panel_dwords(int steps) { return (size_t) steps * PANEL; }

// acc[m][0..1] += sum over k of a[m][k] · b[k][column], in the order of k for any M. a: rows of elements, lda dwords
// apart. b: a panel.
template <int M> inline void tile(int steps, const uint32_t * a, size_t lda, const uint32_t * b, floats (&acc)[M][2]) {
    for (int k = 0; k < steps; k++) {
        const dwords b0 = load(b + (size_t) k * PANEL);
        const dwords b1 = load(b + (size_t) k * PANEL + WIDTH);
#pragma GCC unroll 12
        for (int m = 0; m < M; m++) {
            const dwords x = all(a[m * lda + k]);
            acc[m][0] = dot(acc[m][0], x, b0);
            acc[m][1] = dot(acc[m][1], x, b1);
        }
    }
}

template <int M> inline void clear(floats (&acc)[M][2]) {
#pragma GCC unroll 12
    for (int m = 0; m < M; m++) {
        acc[m][0] = acc[m][1] = zero();
    }
}

// Of attention: where high is above the highest score of a query so far, the query's sums and the sum of its weights, if
// begun, are scaled to the new one.
inline void raise_top(float high, bool begun, int dv, float & top, float & part, float * sums) {
    if (high <= top) { // otherwise it is higher, or NaN
        return;
    }
    if (begun && top > -INFINITY) {
        const floats less = power_of_two(all(top - high));
        part *= first_of(less);
        for (int c = 0; c < dv; c += WIDTH) {
            store(sums + c, mul(load(sums + c), less));
        }
    }
    top = high;
}

// by_rows calls f for rows from..to with the number of rows as a compile-time constant: M at a time, then the rest.
template <int M, typename F> inline void rest_of_rows(int row, int n, F && f) {
    if constexpr (M > 1) {
        if (n < M) {
            rest_of_rows<M - 1>(row, n, f);
            return;
        }
    }
    f(row, std::integral_constant<int, M>());
}
template <int M = ROWS, typename F> inline void by_rows(int from, int to, F && f) {
    for (int row = from; row < to; row += M) {
        rest_of_rows<M>(row, to - row, f);
    }
}

} // namespace pd::PD_SET
