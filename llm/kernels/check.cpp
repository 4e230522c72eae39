//go:build !llama_system

#include "check.h"

#include "kernels.h"

#include "merge.h"

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"

#include <cstdlib>
#include <cstring>
#include <vector>

// A ggml context for one graph. Each tensor has its own memory and no more than it needs, so that AddressSanitizer sees what is
// read or written beyond it.
struct one_graph {
    ggml_context *      ctx;
    std::vector<void *> memory;
    one_graph() : ctx(ggml_init({ 1 << 20, nullptr, true })) {}
    ~one_graph() {
        ggml_free(ctx);
        for (void * m : memory) {
            free(m);
        }
    }

    void * take(size_t bytes) {
        void * m = nullptr;
        if (posix_memalign(&m, 64, bytes) != 0) {
            abort();
        }
        memory.push_back(m);
        return memset(m, 0xff, bytes); // NaN
    }
    ggml_tensor * tensor(ggml_type type, int64_t a, int64_t b, int64_t c, const float * data, int64_t d = 1) {
        ggml_tensor * t = ggml_new_tensor_4d(ctx, type, a, b, c, d);
        t->data = take(ggml_nbytes(t));
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
    void compute(ggml_cgraph * g, int threads) {
        for (int i = 0; i < ggml_graph_n_nodes(g); i++) {
            ggml_tensor * t = ggml_graph_node(g, i);
            if (t->data == nullptr) {
                t->data = take(ggml_nbytes(t));
            }
        }
        ggml_cplan plan = ggml_graph_plan(g, threads, nullptr);
        plan.work_data = (uint8_t *) take(plan.work_size);
        ggml_graph_compute(g, &plan);
    }
    void compute(ggml_tensor * result, int threads, bool next_tokens, float * out) {
        ggml_cgraph * g = ggml_new_graph(ctx);
        ggml_build_forward_expand(g, result);
        pd_kernels_next_tokens(next_tokens);
        compute(g, threads);
        memcpy(out, result->data, ggml_nbytes(result));
    }
};

// Plans the memory of a graph and computes it, with at most as many threads as were planned. Memory begins as NaN.
static void compute_planned(ggml_cgraph * graph, int planned, int threads, const ggml_tensor * result, float * out) {
    ggml_gallocr_t memory = ggml_gallocr_new(ggml_backend_cpu_buffer_type());
    ggml_gallocr_alloc_graph(memory, graph);
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        ggml_tensor * t = ggml_graph_node(graph, i);
        if (t->view_src == nullptr) { // otherwise it may be one of weights
            memset(t->data, 0xff, ggml_nbytes(t));
        }
    }
    ggml_cplan plan = ggml_graph_plan(graph, planned, nullptr);
    std::vector<uint8_t> work(plan.work_size);
    plan.work_data = work.data();
    plan.n_threads = threads;
    pd_kernels_next_tokens(false);
    ggml_graph_compute(graph, &plan);
    memcpy(out, result->data, ggml_nbytes(result));
    ggml_gallocr_free(memory);
}

extern "C" int pd_check_product(int type, int k, int n, int m, int batches, int threads, int next_tokens, const float * w, const float * x, float * out) {
    const ggml_type t = (ggml_type) type;
    if (k % ggml_blck_size(t) != 0) {
        return -1;
    }
    one_graph g;
    ggml_tensor * a = g.tensor(t, k, n, 1, w);
    ggml_tensor * b = g.tensor(GGML_TYPE_F32, k, m, batches, x);
    g.compute(ggml_mul_mat(g.ctx, a, b), threads, next_tokens != 0, out);
    return 0;
}

extern "C" void pd_check_q8(int k, int n, int m, int threads, int next_tokens, const int8_t * w, const float * scales, const float * x, float * out) {
    one_graph g;
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
    one_graph g;
    auto rows_of = [&](ggml_type type, int values, int n, int heads, const float * data) {
        if (a->next_tokens) {
            return ggml_permute(g.ctx, g.tensor(type, values, heads, n, data, a->streams), 0, 2, 1, 3);
        }
        return g.tensor(type, values, n, heads, data, a->streams);
    };
    ggml_tensor * q = rows_of(GGML_TYPE_F32, a->dk, a->queries, a->heads, a->q);
    ggml_tensor * k = rows_of((ggml_type) a->type, a->dk, a->keys, a->kv_heads, a->k);
    ggml_tensor * v = rows_of((ggml_type) a->type, a->dv, a->keys, a->kv_heads, a->v);
    ggml_tensor * mask = a->mask == nullptr ? nullptr : g.tensor(GGML_TYPE_F16, a->keys, a->queries, a->mask_heads, a->mask, a->streams);
    ggml_tensor * op = ggml_flash_attn_ext(g.ctx, q, k, v, mask, a->scale, a->alibi, a->softcap);
    if (a->sinks != nullptr) {
        ggml_flash_attn_ext_add_sinks(op, g.tensor(GGML_TYPE_F32, a->heads, 1, 1, a->sinks));
    }
    if (a->in_bytes) {
        pd::set_note(op, pd::BYTES);
    }
    g.compute(op, a->threads, a->next_tokens != 0, out);
}

extern "C" int pd_check_encoder(int type, int embd, int patches, int threads, int merge, int shared, const float * data, float * out) {
    const int n = patches * patches, hidden = 2 * embd, edge = 4 * patches;
    one_graph g; // weights
    ggml_context * c = ggml_init({ 4 << 20, nullptr, true });                      // operations, whose memory is planned
    auto take = [&](ggml_type t, int64_t x, int64_t y = 1, int64_t z = 1) {
        ggml_tensor * w = g.tensor(t, x, y, z, data);
        data += x * y * z;
        return w;
    };
    auto bias = [&](int values) { return take(GGML_TYPE_F32, values); };
    ggml_tensor * last = nullptr; // product
    auto product = [&](ggml_tensor * x, int to) {
        ggml_tensor * w = take((ggml_type) type, x->ne[0], to);
        last = ggml_mul_mat(c, w, x);
        return ggml_add(c, last, bias(to));
    };
    auto norm = [&](ggml_tensor * x) {
        ggml_tensor * times = ggml_mul(c, ggml_norm(c, x, 1e-6f), bias(embd));
        return ggml_add(c, times, bias(embd));
    };
    ggml_tensor * pixels  = take(GGML_TYPE_F32, edge, edge, 3);
    ggml_tensor * filters = ggml_reshape_4d(c, take(GGML_TYPE_F16, 4 * 4 * 3, embd), 4, 4, 3, embd);
    ggml_tensor * x = ggml_reshape_2d(c, ggml_conv_2d(c, filters, pixels, 4, 4, 0, 0, 1, 1), n, embd);
    x = ggml_add(c, ggml_cont(c, ggml_transpose(c, x)), bias(embd));
    x = ggml_add(c, x, take(GGML_TYPE_F32, embd, n));
    ggml_tensor * y = norm(x);
    ggml_tensor * qkv[3];
    for (ggml_tensor *& t : qkv) {
        t = ggml_permute(c, ggml_reshape_3d(c, product(y, embd), 32, embd / 32, n), 0, 2, 1, 3);
    }
    y = ggml_flash_attn_ext(c, qkv[0], ggml_cast(c, qkv[1], GGML_TYPE_F16), ggml_cast(c, qkv[2], GGML_TYPE_F16), nullptr, 0.2f, 0, 0);
    x = ggml_add(c, product(ggml_reshape_2d(c, y, embd, n), embd), x);
    y = ggml_gelu(c, product(norm(x), hidden));
    x = ggml_add(c, x, product(y, embd));
    if (shared) {
        x = ggml_add(c, x, last);
    }
    ggml_cgraph * graph = ggml_new_graph(c);
    ggml_build_forward_expand(graph, x);
    if (merge) {
        pd_kernels_merge(graph);
    }
    compute_planned(graph, threads, threads, ggml_graph_node(graph, -1), out);
    const int operations = ggml_graph_n_nodes(graph);
    ggml_free(c);
    return operations;
}

extern "C" int pd_check_rounded(const pd_rounded * r, const float * data, float * out) {
    const int k = r->embd, hidden = r->hidden, n = r->rows;
    one_graph g; // weights
    ggml_context * c = ggml_init({ 4 << 20, nullptr, true });               // operations, whose memory is planned
    auto take = [&](ggml_type t, int64_t x, int64_t y = 1) {
        ggml_tensor * w = g.tensor(t, x, y, 1, data);
        data += x * y;
        return w;
    };
    auto product = [&](ggml_tensor * x, int to) {
        ggml_tensor * y = ggml_mul_mat(c, take(GGML_TYPE_Q8_0, x->ne[0], to), x);
        return ggml_add(c, y, take(GGML_TYPE_F32, to));
    };
    ggml_tensor * x = take(GGML_TYPE_F32, k, n);
    ggml_tensor * y = ggml_mul(c, ggml_norm(c, x, 1e-6f), take(GGML_TYPE_F32, k));
    y = ggml_add(c, y, take(GGML_TYPE_F32, k));
    ggml_tensor * other  = product(y, k); // a second product of the norm
    ggml_tensor * middle = ggml_gelu(c, product(y, hidden));
    ggml_tensor * last   = ggml_add(c, product(middle, k), other);
    if (r->head > 0) {
        auto heads = [&]() { return ggml_permute(c, ggml_reshape_3d(c, product(y, k), r->head, k / r->head, n), 0, 2, 1, 3); };
        ggml_tensor *q = heads(), *keys = ggml_cast(c, heads(), GGML_TYPE_F16), *values = ggml_cast(c, heads(), GGML_TYPE_F16);
        ggml_tensor * all = ggml_flash_attn_ext(c, q, keys, values, nullptr, 0.2f, 0, 0);
        last = ggml_add(c, last, product(ggml_reshape_2d(c, all, k, n), k));
        if (r->read == 4) {
            last = ggml_add(c, last, ggml_reshape_2d(c, all, k, n));
        }
    }
    if (r->read == 1) {
        last = ggml_add(c, last, y);
    } else if (r->read == 2) {
        last = ggml_add(c, last, ggml_cont(c, ggml_view_2d(c, middle, k, n, middle->nb[1], 0)));
    } else if (r->read == 3) {
        ggml_set_output(middle);
    }
    ggml_cgraph * graph = ggml_new_graph(c);
    ggml_build_forward_expand(graph, last);
    pd_kernels_merge(graph);
    int rounded = 0;
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        ggml_tensor * t = ggml_graph_node(graph, i);
        rounded += pd::noted(t, pd::ROUNDED) && t->op != GGML_OP_RESHAPE;
        if (r->leave) {
            t->op_params[pd::NOTE] &= ~pd::ROUNDED;
        }
    }
    compute_planned(graph, r->planned, r->threads, ggml_graph_node(graph, -1), out);
    ggml_free(c);
    return rounded;
}

extern "C" void pd_check_shared(int k, int n, int m, int threads, int next_tokens, int merged, int times, const float * w, const float * factor, const float * x, float * out) {
    one_graph g;
    ggml_tensor * in     = g.tensor(GGML_TYPE_F32, k, m, 1, x);
    ggml_tensor * common = ggml_mul(g.ctx, in, g.tensor(GGML_TYPE_F32, k, 1, 1, factor));
    ggml_cgraph * graph  = ggml_new_graph(g.ctx);
    ggml_tensor * products[2];
    for (int i = 0; i < 2; i++) {
        products[i] = ggml_mul_mat(g.ctx, g.tensor(GGML_TYPE_Q8_0, k, n, 1, w + i * k * n), common);
        ggml_build_forward_expand(graph, products[i]);
        if (merged) {
            pd::set_note(products[i], pd::MERGED);
        }
    }
    pd_kernels_next_tokens(next_tokens != 0);
    for (int i = 0; i < times; i++) {
        memcpy(in->data, x + i * k * m, ggml_nbytes(in));
        pd_kernels_use(!merged || i != 1);
        g.compute(graph, threads);
        pd_kernels_use(1);
        for (const ggml_tensor * t : products) {
            memcpy(out, t->data, ggml_nbytes(t));
            out += n * m;
        }
    }
}

extern "C" void pd_check_rms_norm(int n, int heads, int rows, int threads, int strided, const float * x, float * out) {
    one_graph g;
    ggml_tensor * t = g.tensor(GGML_TYPE_F32, n, heads + strided, rows, x);
    g.compute(ggml_rms_norm(g.ctx, ggml_view_3d(g.ctx, t, n, heads, rows, t->nb[1], t->nb[2], 0), 1e-5f), threads, false, out);
}

extern "C" void pd_check_rope(int n, int heads, int rows, int threads, int mode, float freq_scale, float yarn, const int32_t * positions, const float * factors, const float * x, float * out) {
    one_graph g;
    ggml_tensor * p = g.tensor(GGML_TYPE_I32, rows, 1, 1, nullptr);
    memcpy(p->data, positions, ggml_nbytes(p));
    ggml_tensor * f = factors == nullptr ? nullptr : g.tensor(GGML_TYPE_F32, n / 2, 1, 1, factors);
    g.compute(ggml_rope_ext(g.ctx, g.tensor(GGML_TYPE_F32, n, heads, rows, x), p, f, n, mode, 4096, 10000, freq_scale, yarn, 1.1f, 32, 1), threads, false, out);
}

extern "C" void pd_check_gelu(int n, int threads, const float * x, float * out) {
    one_graph g;
    g.compute(ggml_gelu(g.ctx, g.tensor(GGML_TYPE_F32, n, 1, 1, x)), threads, false, out);
}
