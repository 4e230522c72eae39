// Vector types and functions for the instruction set that the including file chooses by these macros:
//
//   PD_SET      its name, used as the namespace
//   PD_AVX512   vectors of 16 dwords (otherwise AVX2's of 8)
//   PD_BF16     products of bfloat16, two in a dword (otherwise of floats, one)
//   PD_VNNI     8-bit integer dot products
//
// PD_INTEGERS is defined here if products in integers are faster.
//
// Each file enables its instructions for itself only. A program compiled for older CPUs therefore contains all sets and
// chooses one when it starts.
#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace pd::PD_SET {

inline uint32_t bits_of(float f) {
    uint32_t i;
    memcpy(&i, &f, 4);
    return i;
}
inline float float_of(uint32_t i) {
    float f;
    memcpy(&f, &i, 4);
    return f;
}

#ifdef PD_AVX512

using floats = __m512;
using dwords = __m512i;
constexpr int WIDTH = 16; // dwords in a vector
constexpr int ROWS  = 12; // rows of a register tile
constexpr int INTEGER_ROWS = 7; // rows of a tile with sums in integers and in floats

inline floats load(const float * p) { return _mm512_loadu_ps(p); }
inline void   store(float * p, floats v) { _mm512_storeu_ps(p, v); }
inline dwords load(const uint32_t * p) { return _mm512_loadu_si512(p); }
inline void   store(uint32_t * p, dwords v) { _mm512_storeu_si512(p, v); }
inline floats zero() { return _mm512_setzero_ps(); }
inline floats all(float v) { return _mm512_set1_ps(v); }
inline dwords all(uint32_t v) { return _mm512_set1_epi32((int) v); }
inline floats add(floats a, floats b) { return _mm512_add_ps(a, b); }
inline floats sub(floats a, floats b) { return _mm512_sub_ps(a, b); }
inline floats mul(floats a, floats b) { return _mm512_mul_ps(a, b); }
inline floats div(floats a, floats b) { return _mm512_div_ps(a, b); }
inline floats least(floats a, floats b) { return _mm512_min_ps(a, b); }
inline floats most(floats a, floats b) { return _mm512_max_ps(a, b); }
inline floats fma(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }   // a·b + c
inline floats fnma(floats a, floats b, floats c) { return _mm512_fnmadd_ps(a, b, c); } // c - a·b
inline floats nearest(floats v) { return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline floats times_power_of_two(floats v, floats n) { return _mm512_scalef_ps(v, n); }
inline floats where_above(floats x, float limit, floats v) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, all(limit), _CMP_NLE_UQ), v); } // or NaN
inline unsigned bits_above(floats x, float limit) { return _mm512_cmp_ps_mask(x, all(limit), _CMP_GT_OQ); } // a bit for each value
inline float  sum_of(floats v) { return _mm512_reduce_add_ps(v); }
inline float  most_of(floats v) { return _mm512_reduce_max_ps(v); }
inline float  first_of(floats v) { return _mm512_cvtss_f32(v); }
inline floats from_half(const uint16_t * p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p)); }
// The first n < 16 half-precision numbers, then zeros.
inline floats from_first_halves(const uint16_t * p, int n) { return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16((__mmask16) ((1u << n) - 1), p)); }
inline floats from_bf16(const uint16_t * p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) p)), 16));
}
inline floats from_bytes(const int8_t * p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *) p))); }
inline dwords as_dwords(floats v) { return _mm512_castps_si512(v); }
inline floats as_floats(dwords v) { return _mm512_castsi512_ps(v); }
inline floats to_floats(dwords v) { return _mm512_cvtepi32_ps(v); }
inline dwords plus(dwords a, dwords b) { return _mm512_add_epi32(a, b); }
inline dwords minus(dwords v) { return _mm512_sub_epi32(_mm512_setzero_si512(), v); }
inline dwords magnitude(floats v) { return _mm512_and_si512(as_dwords(v), all(0x7fffffffu)); } // NaN is greater than all numbers
inline dwords most(dwords a, dwords b) { return _mm512_max_epi32(a, b); }
inline floats larger(floats a, floats b) { // in magnitude
    return _mm512_mask_mov_ps(b, _mm512_cmpgt_epi32_mask(magnitude(a), magnitude(b)), a);
}
inline float  most_of(dwords v) {
    return float_of((uint32_t) _mm512_reduce_max_epi32(v));
}
// Stores the first n values: all if n is WIDTH or more, none if it is 0 or less.
inline void store_first(float * p, floats v, int n) {
    _mm512_mask_storeu_ps(p, n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16) ((1u << n) - 1), v);
}

// Transposes 16 vectors in place.
inline void transpose(dwords (&r)[16]) {
    dwords t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i]     = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i]     = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i]      = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4]  = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8]  = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i]      = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8]  = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4]  = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

#else // AVX2 with FMA and F16C

using floats = __m256;
using dwords = __m256i;
constexpr int WIDTH = 8;
constexpr int ROWS  = 6;
constexpr int INTEGER_ROWS = 6;

inline floats load(const float * p) { return _mm256_loadu_ps(p); }
inline void   store(float * p, floats v) { _mm256_storeu_ps(p, v); }
inline dwords load(const uint32_t * p) { return _mm256_loadu_si256((const __m256i *) p); }
inline void   store(uint32_t * p, dwords v) { _mm256_storeu_si256((__m256i *) p, v); }
inline floats zero() { return _mm256_setzero_ps(); }
inline floats all(float v) { return _mm256_set1_ps(v); }
inline dwords all(uint32_t v) { return _mm256_set1_epi32((int) v); }
inline floats add(floats a, floats b) { return _mm256_add_ps(a, b); }
inline floats sub(floats a, floats b) { return _mm256_sub_ps(a, b); }
inline floats mul(floats a, floats b) { return _mm256_mul_ps(a, b); }
inline floats div(floats a, floats b) { return _mm256_div_ps(a, b); }
inline floats least(floats a, floats b) { return _mm256_min_ps(a, b); }
inline floats most(floats a, floats b) { return _mm256_max_ps(a, b); }
inline floats fma(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
inline floats fnma(floats a, floats b, floats c) { return _mm256_fnmadd_ps(a, b, c); }
inline floats nearest(floats v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline floats times_power_of_two(floats v, floats n) { // -126 ≤ n ≤ 127
    return _mm256_mul_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23)));
}
inline floats where_above(floats x, float limit, floats v) { return _mm256_and_ps(_mm256_cmp_ps(x, all(limit), _CMP_NLE_UQ), v); } // or NaN
inline unsigned bits_above(floats x, float limit) { return (unsigned) _mm256_movemask_ps(_mm256_cmp_ps(x, all(limit), _CMP_GT_OQ)); }
inline float  sum_of(floats v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float most_of(floats v) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
inline float  first_of(floats v) { return _mm256_cvtss_f32(v); }
inline floats from_half(const uint16_t * p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) p)); }
inline floats from_first_halves(const uint16_t * p, int n) { // n < 8; then zeros
    alignas(16) uint16_t some[8] = {};
    memcpy(some, p, n * sizeof(*p));
    return from_half(some);
}
inline floats from_bf16(const uint16_t * p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) p)), 16));
}
inline floats from_bytes(const int8_t * p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) p))); }
inline dwords as_dwords(floats v) { return _mm256_castps_si256(v); }
inline floats as_floats(dwords v) { return _mm256_castsi256_ps(v); }
inline floats to_floats(dwords v) { return _mm256_cvtepi32_ps(v); }
inline dwords plus(dwords a, dwords b) { return _mm256_add_epi32(a, b); }
inline dwords minus(dwords v) { return _mm256_sub_epi32(_mm256_setzero_si256(), v); }
inline dwords magnitude(floats v) { return _mm256_and_si256(as_dwords(v), all(0x7fffffffu)); }
inline dwords most(dwords a, dwords b) { return _mm256_max_epi32(a, b); }
inline floats larger(floats a, floats b) {
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(_mm256_cmpgt_epi32(magnitude(a), magnitude(b))));
}
inline float  most_of(dwords v) {
    __m128i s = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_max_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtss_f32(_mm_castsi128_ps(_mm_max_epi32(s, _mm_shuffle_epi32(s, 0xb1))));
}
inline void   store_first(float * p, floats v, int n) {
    if (n >= WIDTH) {
        store(p, v);
    } else if (n > 0) {
        _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), v);
    }
}

// Transposes 8 vectors in place.
inline void transpose(dwords (&r)[8]) {
    dwords t[8];
    for (int i = 0; i < 8; i += 2) {
        t[i]     = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i]     = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i]     = _mm256_permute2x128_si256(r[i], r[i + 4], 0x20);
        t[i + 4] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x31);
    }
    for (int i = 0; i < 8; i++) {
        r[i] = t[i];
    }
}

#endif

// Elements of the products: a dword holds one or two values of a row.
#ifdef PD_BF16
constexpr int EACH = 2; // values in a dword
inline dwords pack_two(floats lo, floats hi) { return (dwords) _mm512_cvtne2ps_pbh(hi, lo); } // lo first
inline floats dot(floats acc, dwords a, dwords b) { return _mm512_dpbf16_ps(acc, (__m512bh) a, (__m512bh) b); }
#else
constexpr int EACH = 1;
inline floats dot(floats acc, dwords a, dwords b) { return fma(as_floats(a), as_floats(b), acc); }
#endif

// Products of integers. A dword holds four bytes (unsigned times signed) or two 16-bit integers.
#if defined(PD_VNNI) && defined(PD_AVX512)
#define PD_INTEGERS
inline dwords dot_integers(dwords acc, dwords a, dwords b) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b)); // by its intrinsic GCC moves sums to and fro, and into memory
    return acc;
}
inline void   store_integers(uint8_t * p, floats v) { // rounded, plus 128
    const __m128i bytes = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v));
    _mm_storeu_si128((__m128i *) p, _mm_xor_si128(bytes, _mm_set1_epi8((char) 0x80)));
}
#define PD_FOUR_INTEGERS
// The same for four vectors.
inline void store_four_integers(uint8_t * p, floats a, floats b, floats c, floats d) {
    const __m512i ab = _mm512_packs_epi32(_mm512_cvtps_epi32(a), _mm512_cvtps_epi32(b)), cd = _mm512_packs_epi32(_mm512_cvtps_epi32(c), _mm512_cvtps_epi32(d));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(p, _mm512_xor_si512(_mm512_permutexvar_epi32(order, _mm512_packs_epi16(ab, cd)), all(0x80808080u)));
}
inline void   store_unsigned(uint8_t * p, floats v) { _mm_storeu_si128((__m128i *) p, _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(v))); } // rounded
#elif !defined(PD_AVX512)
#define PD_INTEGERS
inline __m128i rounded(floats v) { // to 16 bits
    const __m256i i = _mm256_cvtps_epi32(v);
    return _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
}
#ifdef PD_VNNI
inline dwords dot_integers(dwords acc, dwords a, dwords b) { return _mm256_dpbusd_avx_epi32(acc, a, b); }
inline void   store_integers(uint8_t * p, floats v) { // rounded, plus 128
    const __m128i i = rounded(v);
    _mm_storel_epi64((__m128i *) p, _mm_xor_si128(_mm_packs_epi16(i, i), _mm_set1_epi8((char) 0x80)));
}
inline void   store_unsigned(uint8_t * p, floats v) { // rounded
    const __m128i i = rounded(v);
    _mm_storel_epi64((__m128i *) p, _mm_packus_epi16(i, i));
}
inline dwords load_integers(const int8_t * p) { return _mm256_loadu_si256((const __m256i *) p); }
#else
inline dwords dot_integers(dwords acc, dwords a, dwords b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }
inline void   store_integers(int16_t * p, floats v) { _mm_storeu_si128((__m128i *) p, rounded(v)); }
inline dwords load_integers(const int8_t * p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *) p)); }
#endif
#endif

#ifdef PD_VNNI
#define PD_BYTES // attention in bytes, too
#ifdef PD_AVX512
inline dwords rounded_dwords(floats v) { return _mm512_cvtps_epi32(v); }
inline dwords low_byte(dwords v) { return _mm512_and_si512(v, _mm512_set1_epi32(255)); }
inline dwords low_half(dwords v) { return _mm512_and_si512(v, _mm512_set1_epi32(65535)); }
template <int N> inline dwords shifted(dwords v) { return _mm512_slli_epi32(v, N); }
inline dwords either(dwords a, dwords b) { return _mm512_or_si512(a, b); }
// The four bytes of each dword, times the factor of the dword in 1/16384, rounded. The factor is there twice, 16 bits each.
inline dwords scaled_bytes(dwords v, dwords factor) {
    const __m512i even = _mm512_mulhrs_epi16(_mm512_srai_epi16(_mm512_slli_epi16(v, 8), 7), factor);
    const __m512i odd  = _mm512_mulhrs_epi16(_mm512_srai_epi16(_mm512_and_si512(v, all(0xff00ff00u)), 7), factor);
    const __m512i highest = _mm512_set1_epi16(127); // -128 may become 128
    return _mm512_or_si512(_mm512_and_si512(_mm512_min_epi16(even, highest), all(0x00ff00ffu)), _mm512_slli_epi16(_mm512_min_epi16(odd, highest), 8));
}
inline dwords toggled(dwords v) { return _mm512_xor_si512(v, all(0x80808080u)); } // the highest bit of each byte
#else
inline dwords rounded_dwords(floats v) { return _mm256_cvtps_epi32(v); }
inline dwords low_byte(dwords v) { return _mm256_and_si256(v, _mm256_set1_epi32(255)); }
inline dwords low_half(dwords v) { return _mm256_and_si256(v, _mm256_set1_epi32(65535)); }
template <int N> inline dwords shifted(dwords v) { return _mm256_slli_epi32(v, N); }
inline dwords either(dwords a, dwords b) { return _mm256_or_si256(a, b); }
inline dwords scaled_bytes(dwords v, dwords factor) {
    const __m256i even = _mm256_mulhrs_epi16(_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 7), factor);
    const __m256i odd  = _mm256_mulhrs_epi16(_mm256_srai_epi16(_mm256_and_si256(v, all(0xff00ff00u)), 7), factor);
    const __m256i highest = _mm256_set1_epi16(127);
    return _mm256_or_si256(_mm256_and_si256(_mm256_min_epi16(even, highest), all(0x00ff00ffu)), _mm256_slli_epi16(_mm256_min_epi16(odd, highest), 8));
}
inline dwords toggled(dwords v) { return _mm256_xor_si256(v, all(0x80808080u)); }
#endif
// Four vectors of numbers within ±127, rounded, as the bytes of one.
inline dwords four_integers(const floats (&v)[4]) {
    return either(either(low_byte(rounded_dwords(v[0])), shifted<8>(low_byte(rounded_dwords(v[1])))),
                  either(shifted<16>(low_byte(rounded_dwords(v[2]))), shifted<24>(rounded_dwords(v[3]))));
}
#endif

constexpr int BLOCK = WIDTH * EACH; // values in a vector of elements
inline int padded(int k) { return (k + BLOCK - 1) / BLOCK * BLOCK; }

#ifdef PD_AVX512
inline __m256 halves_added(floats v) { return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)); }
#else
inline __m256 halves_added(floats v) { return v; } // it is as long already
#endif

// Stores the sum of the values of each of four vectors.
inline void store_four_sums(float * p, const floats (&v)[4]) {
    const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(halves_added(v[0]), halves_added(v[1])), _mm256_hadd_ps(halves_added(v[2]), halves_added(v[3])));
    _mm_storeu_ps(p, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

// exp(x) as 2^n · p(f), with the Taylor polynomial p of degree 6 on [-ln2/2, ln2/2]. Relative error below 1e-6. x is clamped
// so that the result is a normal float.
inline floats exponential(floats x) {
    x = least(most(x, all(-87.0f)), all(88.0f));
    const floats n = nearest(mul(x, all(1.44269504f)));
    floats f = fnma(n, all(0.693145752f), x);
    f = fnma(n, all(1.42860677e-6f), f);
    floats p = all(1.0f / 720);
    p = fma(p, f, all(1.0f / 120));
    p = fma(p, f, all(1.0f / 24));
    p = fma(p, f, all(1.0f / 6));
    p = fma(p, f, all(0.5f));
    p = fma(p, f, all(1.0f));
    p = fma(p, f, all(1.0f));
    return times_power_of_two(p, n);
}

// 2^f for f in [-1/2, 1/2], by a minimax polynomial of degree 4; relative error below 3e-6.
inline floats power_near_zero(floats f) {
    floats p = all(0x1.3a02c4p-7f);
    p = fma(p, f, all(0x1.c9fc48p-5f));
    p = fma(p, f, all(0x1.ec0378p-3f));
    p = fma(p, f, all(0x1.62e12cp-1f));
    return fma(p, f, all(1.0f));
}

// 2^x for x ≤ 0. The result is 0 where it would be below 2^-126, and NaN for NaN.
inline floats power_of_two(floats x) {
    x = most(all(-160.0f), x); // max returns its second operand if one is NaN
    const floats n = nearest(x), p = power_near_zero(sub(x, n));
#ifdef PD_AVX512
    return times_power_of_two(p, n);
#else
    return where_above(x, -126.0f, times_power_of_two(p, most(all(-126.0f), n)));
#endif
}

#ifdef PD_BYTES
// The same for results of at most 256 that become bytes; relative error below 0.18 %, where rounding 255 to a byte has 0.2 %.
// Of NaN the lowest 9 bits must be 0, as of those that the CPU makes.
inline floats coarse_power_of_two(floats x) {
    x = most(all(-126.0f), x); // max returns its second operand if one is NaN
    const floats large = all(0x1.8p23f), n = add(x, large); // rounded: the lowest bits of the sum
    const floats f = sub(x, sub(n, large));
    floats p = all(0x1.e84d6ep-3f);
    p = fma(p, f, all(0x1.682a56p-1f));
    p = fma(p, f, all(0x1.001d0ap+0f));
    return as_floats(plus(as_dwords(p), shifted<23>(as_dwords(n))));
}
#endif

} // namespace pd::PD_SET
