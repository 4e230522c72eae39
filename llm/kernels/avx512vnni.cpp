//go:build !llama_system

// AVX-512 with 8-bit integers: Cascade Lake, Ice Lake, Tiger Lake, Rocket Lake.
#include "set.h"

#include "instructions.h"
#if PD_SETS

PD_INSTRUCTIONS("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#define PD_SET  avx512vnni
#define PD_NAME "AVX-512 with 8-bit integers"
#define PD_AVX512
#define PD_VNNI
#include "all.h"
PD_END_INSTRUCTIONS

#endif
