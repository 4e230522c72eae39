// Rotates queries and keys by their positions (RoPE).
namespace pd::PD_SET {

// Turns pairs of n values: each value and the one behind it, with turns as cosine, sine, cosine, …; or, by halves, each and the
// one n/2 values behind it, with turns as n/2 cosines and as many sines. n is a multiple of 32; y may be x. Products
// and sums are rounded as in ggml's own function where that is compiled for a CPU with FMA.
inline void rotate(const float * x, float * y, const float * turns, int n, bool by_halves) {
    if (by_halves) {
        for (int i = 0, j = n / 2; i < n / 2; i += WIDTH, j += WIDTH) {
            const floats a = load(x + i), b = load(x + j), cosine = load(turns + i), sine = load(turns + j);
            store(y + i, fma(a, cosine, mul(b, sub(zero(), sine))));
            store(y + j, fma(a, sine, mul(b, cosine)));
        }
        return;
    }
    for (int i = 0; i < n; i += WIDTH) {
        const floats v = load(x + i), t = load(turns + i);
#ifdef PD_AVX512
        store(y + i, _mm512_fmaddsub_ps(_mm512_moveldup_ps(v), t, mul(_mm512_movehdup_ps(v), _mm512_permute_ps(t, 0xb1))));
#else
        store(y + i, _mm256_fmaddsub_ps(_mm256_moveldup_ps(v), t, mul(_mm256_movehdup_ps(v), _mm256_permute_ps(t, 0xb1))));
#endif
    }
}

} // namespace pd::PD_SET
