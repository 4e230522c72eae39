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
// streams × queries × heads × dk. Otherwise streams is 1, keys are kv_heads × keys × dk, queries heads × queries × dk.
// mask: streams × mask_heads × queries × keys, or NULL. sinks: one for each head, or NULL.
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

void pd_check_gelu(int n, int threads, const float * x, float * out);

#ifdef __cplusplus
}
#endif
