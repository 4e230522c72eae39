#include "resample.h"

enum { PRECISION = 22 };

static inline uint8_t clip8(int32_t v) {
    v >>= PRECISION;
    return v < 0 ? 0 : v > 255 ? 255 : (uint8_t) v;
}

void pd_resample_rows(const uint8_t * src, int sw, int h, uint8_t * dst, int dw,
                      const int * first, const int * count, const int32_t * weights, int taps) {
    for (int y = 0; y < h; y++) {
        const uint8_t * in = src + (int64_t) y * sw * 3;
        uint8_t * out = dst + (int64_t) y * dw * 3;
        for (int x = 0; x < dw; x++) {
            const int32_t * k = weights + (int64_t) x * taps;
            const uint8_t * p = in + (int64_t) first[x] * 3;
            int32_t r = 1 << (PRECISION - 1), g = r, b = r;
            for (int i = 0; i < count[x]; i++) {
                r += p[3*i + 0] * k[i];
                g += p[3*i + 1] * k[i];
                b += p[3*i + 2] * k[i];
            }
            out[3*x + 0] = clip8(r);
            out[3*x + 1] = clip8(g);
            out[3*x + 2] = clip8(b);
        }
    }
}

// Whole rows at a time, so that the compiler can vectorise.
void pd_resample_cols(const uint8_t * src, int w, uint8_t * dst, int dh,
                      const int * first, const int * count, const int32_t * weights, int taps,
                      int32_t * acc) {
    const int n = w * 3;
    for (int y = 0; y < dh; y++) {
        for (int j = 0; j < n; j++) {
            acc[j] = 1 << (PRECISION - 1);
        }
        for (int i = 0; i < count[y]; i++) {
            const uint8_t * in = src + (int64_t) (first[y] + i) * n;
            const int32_t k = weights[(int64_t) y * taps + i];
            for (int j = 0; j < n; j++) {
                acc[j] += in[j] * k;
            }
        }
        uint8_t * out = dst + (int64_t) y * n;
        for (int j = 0; j < n; j++) {
            out[j] = clip8(acc[j]);
        }
    }
}
