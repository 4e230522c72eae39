// The C interface of package kernels.
#pragma once
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// Describes the set called name, or the best that this CPU can run if name is "". NULL: the CPU cannot run it.
const char * pd_kernels_name(const char * name);

// Hooks that set into ggml's CPU backend, before the first model is loaded. A later call replaces the set; graphs merged
// before it can no longer be computed.
void pd_kernels_enable(const char * name);

// Sets the kind of the products that follow: of pictures and prompts, or of the next tokens of the slots (in 8-bit integers
// if the weights are). Within a kind, a row's rounding does not depend on the number of rows.
void pd_kernels_next_tokens(bool yes);

// Whether the attention of next tokens is computed here (the default) or by ggml.
void pd_kernels_next_attention(bool on);

// Whether pictures and prompts are multiplied in floats even if the weights are Q8_0. For the whole process; call it before
// the first graph.
void pd_kernels_exact(bool yes);

// Merges operations of an encoder's graph before its memory is planned. Only the kernels here can compute it then, of any
// set. Does nothing where there are none.
struct ggml_cgraph;
void pd_kernels_merge(struct ggml_cgraph * graph);

#ifdef __cplusplus
}
#endif
