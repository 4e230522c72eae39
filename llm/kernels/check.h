// For the tests: computes one operation through ggml's CPU backend, with or without the kernels.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Turns the kernels on or off, for the whole process.
void pd_kernels_use(int on);

// out[b][m][n] = sum over k of x[b][m][k] · w[n][k]. w is first converted to the ggml type. next_tokens is as in
// pd_kernels_next_tokens. Returns 0, or -1 if rows of k values do not fill whole blocks of the type.
int pd_check_product(int type, int k, int n, int m, int batches, int threads, int next_tokens, const float * w, const float * x, float * out);

// The same with one batch and Q8_0 weights in their stored form: n×k values and a scale for each 32 of them.
void pd_check_q8(int k, int n, int m, int threads, int next_tokens, const int8_t * w, const float * scales, const float * x, float * out);

// Operands of an attention. heads/kv_heads heads share keys and values, which are converted to the ggml type.
// With next_tokens the layout is that of a KV cache: keys are streams × keys × kv_heads × dk, queries
// streams × queries × heads × dk. Otherwise keys are streams × kv_heads × keys × dk, queries
// streams × heads × queries × dk. mask: streams × mask_heads × queries × keys, or NULL.
// sinks: one for each head, or NULL.
struct pd_attention {
    int type, dk, dv, queries, keys, heads, kv_heads, streams, mask_heads, threads, next_tokens, in_bytes;
    float scale, alibi, softcap;
    const float *q, *k, *v, *mask, *sinks;
};

// out: streams × queries × heads × dv.
void pd_check_attention(const struct pd_attention * a, float * out);

// A small encoder of one layer: patches × patches of 4×4 pixels in three colours, embeddings of embd values, heads of 32,
// weights of the ggml type. data holds floats for all weights and pixels, in turn. merge: pd_kernels_merge runs before. shared:
// the last product is used twice, with its bias and without. out: embd × patches² values. Returns the number of operations in the graph.
int pd_check_encoder(int type, int embd, int patches, int threads, int merge, int shared, const float * data, float * out);

// A norm, read by two products, one of which has GELU and is read by a third; all with Q8_0 weights and merged. read: what
// else reads floats: 0 nothing, 1 an addition the norm, 2 a view the result of GELU, 3 whoever takes that as an output.
// leave: nothing is rounded before a product reads it, as if nothing had been noted.
struct pd_rounded {
    int embd, hidden, rows, planned, threads, read, head, leave; // head: values in a head of attention; 0: there is none
};

// Computes rows × embd values. data is as for pd_check_encoder. Returns how many operations write rounded values.
int pd_check_rounded(const struct pd_rounded * r, const float * data, float * out);

// Two products of k × n weights, in Q8_0, with the same activations: m rows of k values times factor. The same graph is computed
// several times, with m other rows each time. merged: only the kernels may compute the products; for the rest they are turned
// off the second time. out: times × 2 × m × n.
void pd_check_shared(int k, int n, int m, int threads, int next_tokens, int merged, int times, const float * w, const float * factor, const float * x, float * out);

// rows × heads × n values, turned by the positions of the rows. mode is one of ggml's; factors: n/2 of frequencies, or NULL.
void pd_check_rope(int n, int heads, int rows, int threads, int mode, float freq_scale, float yarn, const int32_t * positions, const float * factors, const float * x, float * out);

void pd_check_gelu(int n, int threads, const float * x, float * out);

// rows × heads × n values, normed along n. strided: they lie as rows × (heads + 1) × n.
void pd_check_rms_norm(int n, int heads, int rows, int threads, int strided, const float * x, float * out);

#ifdef __cplusplus
}
#endif
