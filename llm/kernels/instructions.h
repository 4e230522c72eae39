// PD_INSTRUCTIONS(list) … PD_END_INSTRUCTIONS compile a part of a file for other instructions. System headers used inside
// must be included before it, or they would be compiled for those instructions as well.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define PD_SETS 1

#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#define PD_PRAGMA(x) _Pragma(#x)
#ifdef __clang__
#define PD_INSTRUCTIONS(list) PD_PRAGMA(clang attribute push(__attribute__((target(list))), apply_to = function))
#define PD_END_INSTRUCTIONS _Pragma("clang attribute pop")
#else
#define PD_INSTRUCTIONS(list) _Pragma("GCC push_options") PD_PRAGMA(GCC target(list))
#define PD_END_INSTRUCTIONS _Pragma("GCC pop_options")
#endif

#else
#define PD_SETS 0
#endif
