// One operation at a time through ggml's CPU backend, with the kernels or without: what the tests compare.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Turns the kernels off and on again, for the whole process.
void pd_kernels_use(int on);

// out[b][m][n] = sum over k of x[b][m][k] · w[n][k]; w is first converted to the ggml type. next_tokens: as
// pd_kernels_next_tokens. Returns 0, or -1 when the type cannot hold rows of k values.
int pd_check_product(int type, int k, int n, int m, int batches, int threads, int next_tokens, const float * w, const float * x, float * out);

// The same with one batch and Q8_0 weights as they are stored: n×k values and a scale for each 32 of them.
void pd_check_q8(int k, int n, int m, int threads, int next_tokens, const int8_t * w, const float * scales, const float * x, float * out);

// Attention. heads/kv_heads heads share keys and values, which are converted to the ggml type. With next_tokens they lie
// as in a KV cache, and so do the queries: streams × keys × kv_heads × dk, streams × queries × heads × dk; else, with one
// stream, kv_heads × keys × dk and heads × queries × dk. mask: streams × mask_heads × queries × keys, or NULL; sinks: one
// for each head, or NULL.
struct pd_attention {
    int type, dk, dv, queries, keys, heads, kv_heads, streams, mask_heads, threads, next_tokens;
    float scale, alibi, softcap;
    const float *q, *k, *v, *mask, *sinks;
};

// out: streams × queries × heads × dv.
void pd_check_attention(const struct pd_attention * a, float * out);

void pd_check_gelu(int n, int threads, const float * x, float * out);

#ifdef __cplusplus
}
#endif
