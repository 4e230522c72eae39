//go:build !llama_system

// AVX-512 with bfloat16 and 8-bit integers: Zen 4 and later, Cooper Lake, Sapphire Rapids.
#include "set.h"

#include "instructions.h"
#if PD_SETS

PD_INSTRUCTIONS("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni")
#define PD_SET  avx512bf16
#define PD_NAME "AVX-512 with bfloat16 and 8-bit integers"
#define PD_AVX512
#define PD_BF16
#define PD_VNNI
#include "all.h"
PD_END_INSTRUCTIONS

#endif
