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

// out[q][h][dv] = softmax over keys of (q[h][q]·k[h][key] · scale + mask[q][key]) · v[h][key]; keys and values are
// rounded to half precision and shared by heads/kv_heads heads. mask: queries × keys floats, or NULL.
void pd_check_attention(int dk, int dv, int queries, int keys, int heads, int kv_heads, int threads, float scale,
                        const float * q, const float * k, const float * v, const float * mask, float * out);

void pd_check_gelu(int n, int threads, const float * x, float * out);

#ifdef __cplusplus
}
#endif
