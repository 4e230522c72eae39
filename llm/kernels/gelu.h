// GELU in its tanh form, x · sigmoid(2·√(2/π)·(x + 0.044715·x³)), computed rather than looked up.
#pragma once
#include "simd.h"
#ifdef PD_KERNELS

namespace pd {

inline __m512 gelu16(__m512 x) {
    const __m512 x2 = _mm512_mul_ps(x, x);
    const __m512 u  = _mm512_mul_ps(x, _mm512_fmadd_ps(x2, _mm512_set1_ps(-2 * 0.79788456f * 0.044715f), _mm512_set1_ps(-2 * 0.79788456f)));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0f), exp16(u)));
}

inline void gelu(const float * x, float * y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        _mm512_storeu_ps(y + i, gelu16(_mm512_loadu_ps(x + i)));
    }
    if (i < n) {
        const __mmask16 on = first16((int) (n - i));
        _mm512_mask_storeu_ps(y + i, on, gelu16(_mm512_maskz_loadu_ps(on, x + i)));
    }
}

} // namespace pd
#endif
