// What follows products in an encoder: biases, GELU, residuals, norms.
namespace pd::PD_SET {

// A vector of a product, from column c of a row; to is where it will be stored.
inline floats finished(const finish & f, const float * product, const float * to, int c, floats v) {
    if (f.bias != nullptr) {
        v = add(v, load(f.bias + c));
    }
    if (f.gelu) {
        v = gelu_of(v);
    }
    if (f.add != nullptr) {
        v = add(v, load(f.add + (to - product)));
    }
    return v;
}

inline void norm(const float * x, const float * w, const float * b, float eps, float * y, int n) {
    const int whole = n / WIDTH * WIDTH;
    floats s = zero();
    for (int i = 0; i < whole; i += WIDTH) {
        s = add(s, load(x + i));
    }
    float sum = sum_of(s);
    for (int i = whole; i < n; i++) {
        sum += x[i];
    }
    const float mean = sum / n;
    s = zero();
    for (int i = 0; i < whole; i += WIDTH) {
        const floats d = sub(load(x + i), all(mean));
        s = fma(d, d, s);
    }
    float squares = sum_of(s);
    for (int i = whole; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
    }
    const float scale = 1.0f / sqrtf(squares / n + eps);
    for (int i = 0; i < whole; i += WIDTH) {
        store(y + i, fma(mul(sub(load(x + i), all(mean)), all(scale)), load(w + i), load(b + i)));
    }
    for (int i = whole; i < n; i++) {
        y[i] = (x[i] - mean) * scale * w[i] + b[i];
    }
}

// Squares are added up in doubles, as ggml does.
inline void rms_norm(const float * x, float eps, float * y, int n) {
    typedef float  eight __attribute__((vector_size(32)));
    typedef double wide __attribute__((vector_size(64)));
    wide sums[2] = {};
    int  i = 0;
    for (; i + 16 <= n; i += 16) {
        eight v[2];
        memcpy(v, x + i, sizeof v);
        sums[0] += __builtin_convertvector(v[0] * v[0], wide);
        sums[1] += __builtin_convertvector(v[1] * v[1], wide);
    }
    sums[0] += sums[1];
    double sum = 0;
    for (int j = 0; j < 8; j++) {
        sum += sums[0][j];
    }
    for (; i < n; i++) {
        sum += x[i] * x[i];
    }
    const float scale = 1.0f / sqrtf((float) (sum / n) + eps);
    for (i = 0; i + WIDTH <= n; i += WIDTH) {
        store(y + i, mul(load(x + i), all(scale)));
    }
    for (; i < n; i++) {
        y[i] = x[i] * scale;
    }
}

} // namespace pd::PD_SET
