//go:build !llama_system

// AVX2: Haswell and later, Zen, Alder Lake.
#include "set.h"

#include "instructions.h"
#if PD_SETS

PD_INSTRUCTIONS("avx2,fma,f16c")
#define PD_SET  avx2
#define PD_NAME "AVX2"
#include "all.h"
PD_END_INSTRUCTIONS

#endif
