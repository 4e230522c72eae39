//go:build !llama_system

// AVX-512: Skylake-X.
#include "set.h"

#include "instructions.h"
#if PD_SETS

PD_INSTRUCTIONS("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")
#define PD_SET  avx512
#define PD_NAME "AVX-512"
#define PD_AVX512
#include "all.h"
PD_END_INSTRUCTIONS

#endif
