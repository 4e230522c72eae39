#include "check.h"

#include "kernels.h"

#include "ggml-cpu.h"
#include "ggml.h"

#include <cstring>

// A ggml context for one graph.
struct one_graph {
    ggml_context * ctx;
    explicit one_graph(size_t bytes) : ctx(ggml_init({ bytes + (1 << 20), nullptr, false })) {}
    ~one_graph() { ggml_free(ctx); }

    ggml_tensor * tensor(ggml_type type, int64_t a, int64_t b, int64_t c, const float * data, int64_t d = 1) {
        ggml_tensor * t = ggml_new_tensor_4d(ctx, type, a, b, c, d);
        if (data == nullptr) {
            return t;
        }
        if (type == GGML_TYPE_F32) {
            memcpy(t->data, data, ggml_nbytes(t));
        } else {
            ggml_quantize_chunk(type, data, t->data, 0, b * c * d, a, nullptr);
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

extern "C" void pd_check_q8(int k, int n, int m, int threads, int next_tokens, const int8_t * w, const float * scales, const float * x, float * out) {
    one_graph g((size_t) 4 * 4 * ((size_t) k * n + (size_t) k * m + (size_t) n * m) + (16 << 20));
    ggml_tensor * a = g.tensor(GGML_TYPE_Q8_0, k, n, 1, nullptr);
    for (int i = 0; i < k * n / 32; i++) {
        char * block = (char *) a->data + i * ggml_type_size(GGML_TYPE_Q8_0);
        const ggml_fp16_t d = ggml_fp32_to_fp16(scales[i]);
        memcpy(block, &d, 2);
        memcpy(block + 2, w + i * 32, 32);
    }
    ggml_tensor * b = g.tensor(GGML_TYPE_F32, k, m, 1, x);
    g.compute(ggml_mul_mat(g.ctx, a, b), threads, next_tokens != 0, out);
}

extern "C" void pd_check_attention(const pd_attention * a, float * out) {
    const size_t rows = (size_t) a->streams * ((size_t) a->heads * a->queries + 2 * (size_t) a->kv_heads * a->keys);
    one_graph g(16 * (rows * (a->dk + a->dv) + (size_t) a->streams * a->mask_heads * a->queries * a->keys) + (64 << 20));
    auto rows_of = [&](ggml_type type, int values, int n, int heads, const float * data) {
        if (a->next_tokens) {
            return ggml_permute(g.ctx, g.tensor(type, values, heads, n, data, a->streams), 0, 2, 1, 3);
        }
        return g.tensor(type, values, n, heads, data);
    };
    ggml_tensor * q = rows_of(GGML_TYPE_F32, a->dk, a->queries, a->heads, a->q);
    ggml_tensor * k = rows_of((ggml_type) a->type, a->dk, a->keys, a->kv_heads, a->k);
    ggml_tensor * v = rows_of((ggml_type) a->type, a->dv, a->keys, a->kv_heads, a->v);
    ggml_tensor * mask = a->mask == nullptr ? nullptr : g.tensor(GGML_TYPE_F16, a->keys, a->queries, a->mask_heads, a->mask, a->streams);
    ggml_tensor * op = ggml_flash_attn_ext(g.ctx, q, k, v, mask, a->scale, a->alibi, a->softcap);
    if (a->sinks != nullptr) {
        ggml_flash_attn_ext_add_sinks(op, g.tensor(GGML_TYPE_F32, a->heads, 1, 1, a->sinks));
    }
    g.compute(op, a->threads, a->next_tokens != 0, out);
}

extern "C" void pd_check_gelu(int n, int threads, const float * x, float * out) {
    one_graph g((size_t) n * 16);
    g.compute(ggml_gelu(g.ctx, g.tensor(GGML_TYPE_F32, n, 1, 1, x)), threads, false, out);
}
