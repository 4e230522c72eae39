#pragma once
#include <stdint.h>

// One pass of a separable 8-bit RGB resampling with fixed-point weights, as
// Pillow computes it (22 bits after the point, rounded, clipped to 0..255).
// first[i], count[i]: the source pixels that output pixel i is made of;
// weights: taps values for each output pixel.
void pd_resample_rows(const uint8_t * src, int sw, int h, uint8_t * dst, int dw,
                      const int * first, const int * count, const int32_t * weights, int taps);
void pd_resample_cols(const uint8_t * src, int w, uint8_t * dst, int dh,
                      const int * first, const int * count, const int32_t * weights, int taps,
                      int32_t * acc);
