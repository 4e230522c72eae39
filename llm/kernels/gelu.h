// GELU in its tanh form, x · sigmoid(2·√(2/π)·(x + 0.044715·x³)). ggml reads it from a table of half-precision values.
namespace pd::PD_SET {

inline floats gelu_of(floats x) {
    constexpr float c = -2 * 0.79788456f * 1.44269504f; // 2^u is cheaper to compute than e^u
    floats u = mul(x, fma(mul(x, x), all(c * 0.044715f), all(c)));
    u = least(all(126.0f), most(all(-126.0f), u)); // both return their second operand if one is NaN
    const floats n = nearest(u);
    return div(x, add(all(1.0f), times_power_of_two(power_near_zero(sub(u, n)), n)));
}

inline void gelu(const float * x, float * y, int64_t n) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        store(y + i, gelu_of(load(x + i)));
    }
    if (i < n) {
        alignas(64) float last[WIDTH] = {};
        memcpy(last, x + i, (n - i) * sizeof(float));
        store_first(y + i, gelu_of(load(last)), (int) (n - i));
    }
}

} // namespace pd::PD_SET
