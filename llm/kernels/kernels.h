// What package kernels gives to others, in plain C.
#pragma once
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// What the set of kernels is called that this CPU can run, or that name asks for ("" for the best); NULL: there is none.
const char * pd_kernels_name(const char * name);

// Hooks that set into ggml's CPU backend, before the first model is loaded. Another call takes another set.
void pd_kernels_enable(const char * name);

// Which products come next: of prompts and pictures (the same for any number of rows) or of the next tokens of the slots
// (8-bit integers where the weights are). A row must not be rounded differently for the company it is in.
void pd_kernels_next_tokens(bool yes);

// Leaves attention of the next tokens to ggml, or takes it back.
void pd_kernels_next_attention(bool on);

// Whether prompts and pictures stay out of integers. For the whole process, before the first graph.
void pd_kernels_exact(bool yes);

#ifdef __cplusplus
}
#endif
