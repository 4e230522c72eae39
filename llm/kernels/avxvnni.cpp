//go:build !llama_system

// AVX2 with 8-bit integers: Alder Lake and later without AVX-512.
#include "set.h"

#include "instructions.h"
#if PD_SETS

PD_INSTRUCTIONS("avx2,fma,f16c,avxvnni")
#define PD_SET  avxvnni
#define PD_NAME "AVX2 with 8-bit integers for pictures and prompts"
#define PD_VNNI
#include "all.h"
PD_END_INSTRUCTIONS

#endif
