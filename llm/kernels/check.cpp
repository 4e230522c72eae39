#include "check.h"

#include "kernels.h"

#include "ggml-cpu.h"
#include "ggml.h"

#include <cstring>

// A context of one graph; what it computes is in the graph's last node.
struct one_graph {
    ggml_context * ctx;
    explicit one_graph(size_t bytes) : ctx(ggml_init({ bytes + (1 << 20), nullptr, false })) {}
    ~one_graph() { ggml_free(ctx); }

    ggml_tensor * tensor(ggml_type type, int64_t a, int64_t b, int64_t c, const float * data) {
        ggml_tensor * t = ggml_new_tensor_3d(ctx, type, a, b, c);
        if (type == GGML_TYPE_F32) {
            memcpy(t->data, data, ggml_nbytes(t));
        } else {
            ggml_quantize_chunk(type, data, t->data, 0, b * c, a, nullptr);
        }
        return t;
    }
    void compute(ggml_tensor * result, int threads, bool next_tokens, float * out) {
        ggml_cgraph * g = ggml_new_graph(ctx);
        ggml_build_forward_expand(g, result);
        pd_kernels_next_tokens(next_tokens);
        ggml_graph_compute_with_ctx(ctx, g, threads);
        memcpy(out, result->data, ggml_nbytes(result));
    }
};

extern "C" int pd_check_product(int type, int k, int n, int m, int batches, int threads, int next_tokens, const float * w, const float * x, float * out) {
    const ggml_type t = (ggml_type) type;
    if (k % ggml_blck_size(t) != 0) {
        return -1;
    }
    one_graph g((size_t) 4 * 4 * ((size_t) k * n + (size_t) k * m * batches + (size_t) n * m * batches) + (16 << 20));
    ggml_tensor * a = g.tensor(t, k, n, 1, w);
    ggml_tensor * b = g.tensor(GGML_TYPE_F32, k, m, batches, x);
    g.compute(ggml_mul_mat(g.ctx, a, b), threads, next_tokens != 0, out);
    return 0;
}

extern "C" void pd_check_attention(int dk, int dv, int queries, int keys, int heads, int kv_heads, int threads, float scale,
                                   const float * q, const float * k, const float * v, const float * mask, float * out) {
    one_graph g((size_t) 16 * ((size_t) heads * queries * (dk + dv) + (size_t) kv_heads * keys * (dk + dv) + (size_t) (queries + 64) * keys) + (64 << 20));
    ggml_tensor * tq = g.tensor(GGML_TYPE_F32, dk, queries, heads, q);
    ggml_tensor * tk = g.tensor(GGML_TYPE_F16, dk, keys, kv_heads, k);
    ggml_tensor * tv = g.tensor(GGML_TYPE_F16, dv, keys, kv_heads, v);
    ggml_tensor * tm = mask == nullptr ? nullptr : g.tensor(GGML_TYPE_F16, keys, queries, 1, mask);
    g.compute(ggml_flash_attn_ext(g.ctx, tq, tk, tv, tm, scale, 0.0f, 0.0f), threads, false, out);
}

extern "C" void pd_check_gelu(int n, int threads, const float * x, float * out) {
    one_graph g((size_t) n * 16);
    g.compute(ggml_gelu(g.ctx, g.tensor(GGML_TYPE_F32, n, 1, 1, x)), threads, false, out);
}
