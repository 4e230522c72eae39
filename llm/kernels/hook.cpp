//go:build !llama_system

// Hooks the kernels into ggml's CPU backend. Before ggml computes an operation, it asks each of its "extra buffer types"
// whether it will, in the same threads. The one added here owns no buffers and stores no weights. It only takes the
// operations that it computes faster. Weights stay mapped and shared.
#include "kernels.h"

#include "check.h"
#include "merge.h"
#include "set.h"

#include "ggml-backend-impl.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml-cpu-impl.h"
#include "traits.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

namespace pd {

static const set * use; // the set in use

static std::atomic<bool> decoding{false};
static std::atomic<bool> used{true};
static std::atomic<bool> use_next{true}; // whether flash::next is used
static std::atomic<bool> exact{false};

static size_t aligned(size_t n) { return (n + 63) / 64 * 64; }

// The work buffer of an operation. ggml's need not be aligned, so ALIGN more bytes are requested.
constexpr size_t ALIGN = 64;
static char * work(const ggml_compute_params * p) { return (char *) aligned((size_t) p->wdata); }

// The threads of an operation take chunks 0, 1, … as they become free; each starts with the chunk of its own number. This
// resets the counter and waits for all threads.
static void start_chunks(ggml_compute_params * p) {
    if (p->ith == 0) {
        ggml_threadpool_chunk_set(p->threadpool, p->nth);
    }
    ggml_barrier(p->threadpool);
}

template <typename F> static void by_chunks(ggml_compute_params * p, int chunks, F && f) {
    for (int i = p->ith; i < chunks; i = ggml_threadpool_chunk_add(p->threadpool, 1)) {
        f(i);
    }
}

// The work buffer that ggml needs if the operation is left to it.
static size_t own_product_bytes(const ggml_tensor * op) {
    const ggml_type t = ggml_get_type_traits_cpu(op->src[0]->type)->vec_dot_type;
    return op->src[1]->type == t ? 0 : ggml_row_size(t, ggml_nelements(op->src[1]));
}

// mul_mat: weights (k × n, any type, rows contiguous) times activations (k × m × batches, F32).
struct mul_mat : ggml::cpu::tensor_traits {
    static bool takes(const ggml_tensor * op) {
        const ggml_tensor * w = op->src[0];
        const ggml_tensor * x = op->src[1];
        if (x->type != GGML_TYPE_F32 && !(x->type == GGML_TYPE_F16 && noted(op, MERGED))) {
            return false;
        }
        if (op->type != GGML_TYPE_F32 || w->nb[0] != ggml_type_size(w->type) || x->nb[0] != ggml_type_size(x->type) || op->nb[0] != 4) {
            return false;
        }
        if (w->ne[3] != 1 || x->ne[3] != 1 || w->ne[2] != 1) {
            return false;
        }
        return w->ne[0] >= 32 && (w->type == GGML_TYPE_F32 || ggml_get_type_traits(w->type)->to_float != nullptr);
    }

    static bool in_integers(const ggml_tensor * op) { return op->src[0]->type == GGML_TYPE_Q8_0 && use->q8_multiply != nullptr; }
    static bool wide_integers(const ggml_tensor * op) {
        return op->src[0]->type == GGML_TYPE_Q8_0 && op->src[1]->type == GGML_TYPE_F32 && use->multiply_integer_panels != nullptr && !exact;
    }

    // The number of integer panels that a thread computes together, so that a row's activations are read once for all of
    // them. The packed panels must fit the L2 cache, and there must be several chunks for each thread.
    static int together(const ggml_tensor * op, int threads) {
        const size_t fit = 384 * 1024 / use->integer_panel_bytes((int) op->src[0]->ne[0]);
        const int panels = ((int) op->src[0]->ne[1] + use->panel - 1) / use->panel;
        return std::max(1, std::min((int) fit, panels / (threads == 1 ? 1 : 4 * threads)));
    }

    bool work_size(int threads, const ggml_tensor * op, size_t & size) override {
        const int k = (int) op->src[0]->ne[0];
        const size_t rows = (size_t) ggml_nrows(op->src[1]);
        size = aligned(rows * use->row_dwords(k) * 4) + threads * aligned(use->panel_bytes(k));
        if (in_integers(op)) {
            size = std::max(size, rows * use->q8_bytes(k));
        }
        if (wide_integers(op)) {
            size = std::max<size_t>(size, op->src[1]->ne[2] * use->integer_rows_bytes((int) op->src[1]->ne[1], k) + threads * together(op, threads) * use->integer_panel_bytes(k));
        }
        size = ALIGN + std::max(size, own_product_bytes(op));
        return true;
    }

    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        if (!decoding || noted(op, MERGED)) {
            if (wide_integers(op)) {
                panels_of_integers(p, op);
            } else {
                elements(p, op);
            }
            return true;
        }
        // Also for many next tokens: a row's rounding must not depend on their number.
        if (in_integers(op)) {
            integers(p, op);
            return true;
        }
        return false;
    }

    static const char * row(const ggml_tensor * x, int i) {
        const int m = (int) x->ne[1];
        return (const char *) x->data + (i / m) * x->nb[2] + (i % m) * x->nb[1];
    }

    static finish then(const ggml_tensor * op) {
        if (!noted(op, MERGED)) {
            return {};
        }
        auto data = [&](int i) { return op->src[i] == nullptr ? nullptr : (const float *) op->src[i]->data; };
        return { data(PRODUCT_BIAS), noted(op, GELU), data(PRODUCT_ADD) };
    }

    static void elements(ggml_compute_params * p, ggml_tensor * op) {
        const ggml_tensor * w = op->src[0];
        const ggml_tensor * x = op->src[1];
        const int    k = (int) w->ne[0], m = (int) x->ne[1], batches = (int) x->ne[2];
        const size_t lda = use->row_dwords(k);
        uint32_t *   a   = (uint32_t *) work(p);
        for (int i = p->ith; i < m * batches; i += p->nth) {
            use->convert_row(x->type, row(x, i), k, a + i * lda);
        }
        start_chunks(p);
        char * scratch = (char *) a + aligned((size_t) m * batches * lda * 4) + p->ith * aligned(use->panel_bytes(k));
        const int panels = ((int) w->ne[1] + use->panel - 1) / use->panel;
        by_chunks(p, panels * batches, [&](int chunk) {
            const int b = chunk / panels;
            const product t = { m, (int) w->ne[1], k, a + (size_t) b * m * lda, lda, w->type, (const char *) w->data, w->nb[1],
                                (float *) ((char *) op->data + b * op->nb[2]), op->nb[1] / 4, then(op) };
            use->multiply_panel(t, chunk % panels, scratch);
        });
    }

    static void panels_of_integers(ggml_compute_params * p, ggml_tensor * op) {
        const ggml_tensor * w = op->src[0];
        const ggml_tensor * x = op->src[1];
        const int    k = (int) w->ne[0], n = (int) w->ne[1], m = (int) x->ne[1], batches = (int) x->ne[2];
        const size_t batch = use->integer_rows_bytes(m, k);
        char *       a   = work(p);
        for (int i = p->ith; i < m * batches; i += p->nth) {
            use->integer_row((const float *) row(x, i), k, i % m, a + i / m * batch);
        }
        start_chunks(p);
        // ggml may have planned the buffer for more threads than now compute.
        const size_t room = p->wsize - (a + batches * batch - (char *) p->wdata);
        const int panels = (n + use->panel - 1) / use->panel;
        const int each = std::min(together(op, p->nth), (int) (room / p->nth / use->integer_panel_bytes(k)));
        char * scratch = a + batches * batch + p->ith * each * use->integer_panel_bytes(k);
        by_chunks(p, (panels + each - 1) / each, [&](int chunk) {
            // The chunk that this thread takes next, if all are equally fast.
            const int from = std::min(panels, (chunk + p->nth) * each) * use->panel, to = std::min(panels, (chunk + p->nth + 1) * each) * use->panel;
            for (int b = 0; b < batches; b++) {
                const integer_product t = { m, n, k, a + b * batch, (const char *) w->data, w->nb[1],
                                            (float *) ((char *) op->data + b * op->nb[2]), op->nb[1] / 4, then(op),
                                            (const char *) w->data + std::min(n, from) * w->nb[1], (std::min(n, to) - std::min(n, from)) * w->nb[1] };
                use->multiply_integer_panels(t, chunk * each, std::min(panels, (chunk + 1) * each), scratch);
            }
        });
    }

    static void integers(ggml_compute_params * p, ggml_tensor * op) {
        const ggml_tensor * w = op->src[0];
        const ggml_tensor * x = op->src[1];
        const int    k = (int) w->ne[0], n = (int) w->ne[1], m = (int) x->ne[1], batches = (int) x->ne[2];
        const size_t lda = use->q8_bytes(k);
        char *       a   = work(p);
        for (int i = p->ith; i < m * batches; i += p->nth) {
            use->q8_row((const float *) row(x, i), k, a + i * lda);
        }
        start_chunks(p);
        const int each = 64; // columns in a chunk
        by_chunks(p, (n + each - 1) / each, [&](int chunk) {
            for (int b = 0; b < batches; b++) {
                const q8_product t = { m, n, k, a + (size_t) b * m * lda, (const char *) w->data, w->nb[1],
                                       (float *) ((char *) op->data + b * op->nb[2]), op->nb[1] / 4 };
                use->q8_multiply(t, chunk * each, std::min(n, (chunk + 1) * each));
            }
        });
    }
};

// flash_attn_ext: q (dk × queries × heads × streams), k and v, mask.
struct flash : ggml::cpu::tensor_traits {
    static bool takes(const ggml_tensor * op) {
        const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2], *mask = op->src[3];
        float bias, softcap;
        memcpy(&bias, (const float *) op->op_params + 1, 4);
        memcpy(&softcap, (const float *) op->op_params + 2, 4);
        auto plain = [](const ggml_tensor * t) { return (t->type == GGML_TYPE_F16 || t->type == GGML_TYPE_F32 || t->type == GGML_TYPE_BF16) && t->nb[0] == ggml_type_size(t->type); };
        return bias == 0 && softcap == 0 && op->src[4] == nullptr && q->type == GGML_TYPE_F32 && q->nb[0] == 4 && plain(k) && plain(v) &&
               (mask == nullptr || mask->type == GGML_TYPE_F16) && op->type == GGML_TYPE_F32 && q->ne[1] > 0;
    }

    // Packing the keys does not pay for few queries, so next tokens have a kernel of their own. It takes the types and
    // shapes of a KV cache; anything else is left to ggml.
    static bool takes_next(const ggml_tensor * op) {
        const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2], *mask = op->src[3];
        return use_next && k->type == GGML_TYPE_F16 && v->type == GGML_TYPE_F16 && k->ne[2] == v->ne[2] && q->ne[3] == k->ne[3] && q->ne[3] == v->ne[3] &&
               (mask == nullptr || mask->ne[2] == 1);
    }

    bool work_size(int threads, const ggml_tensor * op, size_t & size) override {
        const ggml_tensor *k = op->src[1], *v = op->src[2];
        size = threads * std::max(aligned(use->attention_bytes((int) k->ne[1], (int) k->ne[0], (int) v->ne[0])), takes_next(op) ? next_bytes(op) : 0);
        size = ALIGN + std::max<size_t>(size, sizeof(float) * (k->ne[0] + 2 * v->ne[0] + 16) * threads);
        return true;
    }

    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        if (decoding && !noted(op, MERGED)) {
            if (!takes_next(op)) {
                return false;
            }
            next(p, op);
            return true;
        }
        const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2], *mask = op->src[3];
        const int queries = (int) q->ne[1], heads = (int) q->ne[2], streams = (int) q->ne[3];
        int parts = 1; // of a head's queries; the keys are packed again for each
        while (heads * streams * parts < 2 * p->nth && queries / parts >= 64) {
            parts *= 2;
        }
        const int each = (queries + parts - 1) / parts;
        char * scratch = work(p) + p->ith * aligned(use->attention_bytes((int) k->ne[1], (int) k->ne[0], (int) v->ne[0]));
        start_chunks(p);
        by_chunks(p, heads * streams * parts, [&](int chunk) {
            const int s = chunk / (heads * parts), h = chunk / parts % heads, part = chunk % parts;
            const int kh = h / (heads / (int) k->ne[2]), vh = h / (heads / (int) v->ne[2]);
            attention a = {};
            a.queries     = queries;
            a.keys        = (int) k->ne[1];
            a.dk          = (int) k->ne[0];
            a.dv          = (int) v->ne[0];
            a.q           = (const char *) q->data + h * q->nb[2] + s * q->nb[3];
            a.q_stride    = q->nb[1];
            a.k           = (const char *) k->data + kh * k->nb[2] + s * k->nb[3];
            a.k_type      = k->type;
            a.k_stride    = k->nb[1];
            a.v           = (const char *) v->data + vh * v->nb[2] + s * v->nb[3];
            a.v_type      = v->type;
            a.v_stride    = v->nb[1];
            if (mask != nullptr) {
                a.mask        = (const char *) mask->data + (h % mask->ne[2]) * mask->nb[2] + (s % mask->ne[3]) * mask->nb[3];
                a.mask_stride = mask->nb[1];
            }
            memcpy(&a.scale, op->op_params, 4);
            a.in_bytes   = noted(op, BYTES) && !exact && use->bytes_in_attention && mask == nullptr && a.dk <= 256 && a.scale > 0;
            a.out        = (char *) op->data + h * op->nb[1] + s * op->nb[3]; // dv × heads × queries
            a.out_stride = op->nb[2];
            use->pack_keys_and_values(a, scratch);
            use->attend(a, part * each, std::min(queries, (part + 1) * each), scratch);
        });
        return true;
    }

    // The memory of one thread for one query and all heads. It suffices for a part of the heads, too.
    static size_t next_bytes(const ggml_tensor * op) {
        const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2];
        next_attention a = {};
        a.kv_heads = (int) k->ne[2];
        a.group    = (int) (q->ne[2] / k->ne[2]);
        a.keys     = (int) k->ne[1];
        a.dk       = (int) k->ne[0];
        a.dv       = (int) v->ne[0];
        return aligned(use->next_bytes(a));
    }

    static void next(ggml_compute_params * p, ggml_tensor * op) {
        const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2], *mask = op->src[3];
        const int queries = (int) q->ne[1], kv_heads = (int) k->ne[2], streams = (int) q->ne[3], group = (int) q->ne[2] / kv_heads;
        int parts = 1; // of a query's heads: more if there are too few queries for the threads
        while (parts < kv_heads && p->nth > 1 && (streams * queries * parts < 4 * p->nth || kv_heads % parts != 0)) {
            parts++;
        }
        char * scratch = work(p) + p->ith * next_bytes(op);
        start_chunks(p);
        by_chunks(p, streams * queries * parts, [&](int chunk) {
            const int s = chunk / (queries * parts), i = chunk / parts % queries, kh = chunk % parts * (kv_heads / parts);
            next_attention a = {};
            a.kv_heads = kv_heads / parts;
            a.group    = group;
            a.keys     = (int) k->ne[1];
            a.dk       = (int) k->ne[0];
            a.dv       = (int) v->ne[0];
            a.q        = (const char *) q->data + i * q->nb[1] + kh * group * q->nb[2] + s * q->nb[3];
            a.q_head   = q->nb[2];
            a.k        = (const char *) k->data + kh * k->nb[2] + s * k->nb[3];
            a.k_head   = k->nb[2];
            a.k_stride = k->nb[1];
            a.v        = (const char *) v->data + kh * v->nb[2] + s * v->nb[3];
            a.v_head   = v->nb[2];
            a.v_stride = v->nb[1];
            if (mask != nullptr) {
                a.mask = (const char *) mask->data + i * mask->nb[1] + (s % mask->ne[3]) * mask->nb[3];
            }
            memcpy(&a.scale, op->op_params, 4);
            a.out      = (char *) op->data + kh * group * op->nb[1] + i * op->nb[2] + s * op->nb[3]; // dv × heads × queries
            a.out_head = op->nb[1];
            use->attend_next(a, scratch);
        });
    }
};

struct unary : ggml::cpu::tensor_traits {
    static bool takes(const ggml_tensor * op) {
        return ggml_get_unary_op(op) == GGML_UNARY_OP_GELU && op->type == GGML_TYPE_F32 && op->src[0]->type == GGML_TYPE_F32 &&
               ggml_is_contiguous(op->src[0]) && ggml_is_contiguous(op);
    }
    bool work_size(int, const ggml_tensor *, size_t &) override { return false; }
    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        const int64_t n = ggml_nelements(op), from = n * p->ith / p->nth, to = n * (p->ith + 1) / p->nth;
        use->gelu((const float *) op->src[0]->data + from, (float *) op->data + from, to - from);
        return true;
    }
};

// A norm that pd_kernels_merge gave a factor and a bias.
struct norm : ggml::cpu::tensor_traits {
    bool work_size(int, const ggml_tensor *, size_t &) override { return false; }
    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        const int64_t n = op->ne[0], rows = ggml_nrows(op);
        auto data = [&](int i) { return (const float *) op->src[i]->data; };
        float eps;
        memcpy(&eps, op->op_params, 4);
        for (int64_t i = p->ith; i < rows; i += p->nth) {
            use->norm(data(0) + i * n, data(NORM_FACTOR), data(NORM_BIAS), eps, (float *) op->data + i * n, (int) n);
        }
        return true;
    }
};

bool enabled() { return use != nullptr; }
bool can_merge(const ggml_tensor * product) { return mul_mat::takes(product); }
bool in_integers(const ggml_tensor * product) { return product->src[0]->type == GGML_TYPE_Q8_0; }

struct kernels : ggml::cpu::extra_buffer_type {
    mul_mat products;
    flash   attentions;
    unary   unaries;
    norm    norms;

    // Nothing is ever stored in a buffer of this type.
    bool supports_op(ggml_backend_dev_t, const ggml_tensor *) override { return false; }

    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override {
        if (!used && !noted(op, MERGED)) {
            return nullptr;
        }
        switch (op->op) {
            case GGML_OP_MUL_MAT:        return mul_mat::takes(op) ? &products : nullptr;
            case GGML_OP_FLASH_ATTN_EXT: return flash::takes(op) ? &attentions : nullptr;
            case GGML_OP_NORM:           return noted(op, MERGED) ? &norms : nullptr;
            case GGML_OP_UNARY:          return unary::takes(op) ? &unaries : nullptr;
            default:                     return nullptr;
        }
    }
};

} // namespace pd

static void enable(void) {
    static pd::kernels all;
    static ggml_backend_buffer_type type = {};
    type.device  = ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0);
    type.context = &all;
    type.iface.get_name      = [](ggml_backend_buffer_type_t) { return "photodesc"; };
    type.iface.get_alignment = [](ggml_backend_buffer_type_t) -> size_t { return 64; };
    // On the first call ggml copies its list for code that chooses buffers for weights. It is called here first, because
    // weights must not go into this type.
    auto list = (ggml_backend_dev_get_extra_bufts_t) ggml_backend_reg_get_proc_address(ggml_backend_cpu_reg(), "ggml_backend_dev_get_extra_bufts");
    if (list != nullptr) {
        list(type.device);
    }
    ggml_backend_cpu_get_extra_buffer_types().push_back(&type);
}

extern "C" const char * pd_kernels_name(const char * name) {
    const pd::set * s = pd::choose(name);
    return s == nullptr ? nullptr : s->name;
}

extern "C" void pd_kernels_enable(const char * name) {
    static std::once_flag once;
    const pd::set * s = pd::choose(name);
    if (s != nullptr) {
        pd::use = s;
        std::call_once(once, enable);
    }
}

extern "C" void pd_kernels_use(int on) { pd::used = on != 0; }

extern "C" void pd_kernels_exact(bool yes) { pd::exact = yes; }

extern "C" void pd_kernels_next_tokens(bool yes) { pd::decoding = yes; }

extern "C" void pd_kernels_next_attention(bool on) { pd::use_next = on; }
