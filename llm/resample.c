#include "resample.h"

#include <string.h>

#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

enum { PRECISION = 22 };

static inline uint8_t clip8(int32_t v) {
    v >>= PRECISION;
    return v < 0 ? 0 : v > 255 ? 255 : (uint8_t) v;
}

// One pixel: the sums of its n taps.
static inline void resample_pixel(const uint8_t * p, const int32_t * k, int n, uint8_t * out) {
    int32_t r = 1 << (PRECISION - 1), g = r, b = r;
    for (int i = 0; i < n; i++) {
        r += p[3*i + 0] * k[i];
        g += p[3*i + 1] * k[i];
        b += p[3*i + 2] * k[i];
    }
    out[0] = clip8(r);
    out[1] = clip8(g);
    out[2] = clip8(b);
}

#ifdef __SSE4_1__
// The same, three colours side by side. Four bytes are read at each tap, the last of which is the next pixel's.
static inline void resample_inner_pixel(const uint8_t * p, const int32_t * k, int n, uint8_t * out) {
    __m128i even = _mm_set1_epi32(1 << (PRECISION - 1)), odd = _mm_setzero_si128();
    int i = 0;
    for (; i + 1 < n; i += 2) {
        int32_t a, b;
        memcpy(&a, p + 3*i, 4);
        memcpy(&b, p + 3*i + 3, 4);
        even = _mm_add_epi32(even, _mm_mullo_epi32(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(a)), _mm_set1_epi32(k[i])));
        odd  = _mm_add_epi32(odd, _mm_mullo_epi32(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(b)), _mm_set1_epi32(k[i + 1])));
    }
    if (i < n) {
        int32_t a;
        memcpy(&a, p + 3*i, 4);
        even = _mm_add_epi32(even, _mm_mullo_epi32(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(a)), _mm_set1_epi32(k[i])));
    }
    const __m128i sum = _mm_srai_epi32(_mm_add_epi32(even, odd), PRECISION);
    const int32_t rgb = _mm_cvtsi128_si32(_mm_packus_epi16(_mm_packs_epi32(sum, sum), sum)); // within 0..255
    memcpy(out, &rgb, 3);
}
#else
#define resample_inner_pixel resample_pixel
#endif

void pd_resample_rows(const uint8_t * src, int sw, int h, uint8_t * dst, int dw,
                      const int * first, const int * count, const int32_t * weights, int taps) {
    for (int y = 0; y < h; y++) {
        const uint8_t * in = src + (int64_t) y * sw * 3;
        uint8_t * out = dst + (int64_t) y * dw * 3;
        for (int x = 0; x < dw; x++) {
            const uint8_t * p = in + (int64_t) first[x] * 3;
            const int32_t * k = weights + (int64_t) x * taps;
            if (first[x] + count[x] < sw) {
                resample_inner_pixel(p, k, count[x], out + 3*x);
            } else {
                resample_pixel(p, k, count[x], out + 3*x);
            }
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
