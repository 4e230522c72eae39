// What package kernels gives to others, in plain C.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Whether the kernels are in this build, and this CPU can run them.
bool pd_kernels_supported(void);

// Hooks them into ggml's CPU backend, once in a process, before the first model is loaded.
void pd_kernels_enable(void);

// Which products come next: of prompts and pictures (bfloat16 for any number of rows) or of the next tokens of the slots
// (8-bit integers where the weights are). A row must not be rounded differently for the company it is in.
void pd_kernels_next_tokens(bool yes);

#ifdef __cplusplus
}
#endif
