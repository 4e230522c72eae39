//go:build !llama_system

// Hooks the kernels into ggml's CPU backend. Before ggml computes an operation, it asks each of its "extra buffer types"
// whether it will, in the same threads. The one added here owns no buffers and stores no weights. It only takes the
// operations that it computes faster. Weights stay mapped and shared.
#include "kernels.h"

#include "check.h"
#include "merge.h"
#include "operations.h"

#include "ggml-backend-impl.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace pd {

const set * use;
std::atomic<bool> decoding{false}, exact{false};

static std::atomic<bool> used{true};
static std::atomic<bool> use_next{true}; // whether flash::next is used

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

    static bool can_be_in_bytes(const ggml_tensor * op) {
        float scale;
        memcpy(&scale, op->op_params, 4);
        return noted(op, BYTES) && use->bytes_in_attention && op->src[3] == nullptr && op->src[1]->ne[0] <= 256 && op->ne[0] <= 256 && scale > 0;
    }

    bool work_size(int threads, const ggml_tensor * op, size_t & size) override {
        const ggml_tensor *k = op->src[1], *v = op->src[2];
        size = visible_bytes(op) + threads * std::max(aligned(use->attention_bytes((int) k->ne[1], (int) k->ne[0], (int) v->ne[0])), takes_next(op) ? next_bytes(op) : 0);
        size = ALIGN + std::max<size_t>(size, sizeof(float) * (k->ne[0] + 2 * v->ne[0] + 16) * threads);
        return true;
    }

    // The memory for what the mask shows to each query.
    static size_t visible_bytes(const ggml_tensor * op) { return op->src[3] == nullptr ? 0 : aligned(ggml_nrows(op->src[3]) * sizeof(visible_keys)); }

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
        // Heads that share keys, values and mask are computed together where that leaves enough for each thread.
        const int shared = k->ne[2] == v->ne[2] && (mask == nullptr || mask->ne[2] == 1) ? heads / (int) k->ne[2] : 1;
        const int group  = p->nth == 1 || heads / shared * streams >= 4 * p->nth ? shared : 1, groups = heads / group;
        int parts = 1; // of a head's queries; the keys are packed again for each
        while (groups * streams * parts < 2 * p->nth && queries / parts >= 64) {
            parts *= 2;
        }
        const int each = (queries + parts - 1) / parts;
        visible_keys * visible = (visible_keys *) work(p);
        char *         scratch = work(p) + visible_bytes(op) + p->ith * aligned(use->attention_bytes((int) k->ne[1], (int) k->ne[0], (int) v->ne[0]));
        for (int64_t i = p->ith; mask != nullptr && i < ggml_nrows(mask); i += p->nth) {
            const int64_t m = mask->ne[1], h = mask->ne[2];
            visible[i] = use->visible_by((const uint16_t *) ((const char *) mask->data + i % m * mask->nb[1] + i / m % h * mask->nb[2] + i / m / h * mask->nb[3]), (int) k->ne[1]);
        }
        if (noted(op, ROUNDED) && p->ith == 0) {
            use->clear_integer_rows(queries, (int) (op->ne[0] * op->ne[1]), (char *) op->data);
        }
        start_chunks(p);
        by_chunks(p, groups * streams * parts, [&](int chunk) {
            const int s = chunk / (groups * parts), h = chunk / parts % groups * group, part = chunk % parts;
            const int kh = h / (heads / (int) k->ne[2]), vh = h / (heads / (int) v->ne[2]);
            attention a = {};
            a.heads       = group;
            a.queries     = queries;
            a.keys        = (int) k->ne[1];
            a.dk          = (int) k->ne[0];
            a.dv          = (int) v->ne[0];
            a.q           = (const char *) q->data + h * q->nb[2] + s * q->nb[3];
            a.q_head      = q->nb[2];
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
                a.visible     = visible + (h % mask->ne[2] + s % mask->ne[3] * mask->ne[2]) * mask->ne[1];
            }
            memcpy(&a.scale, op->op_params, 4);
            a.in_bytes   = can_be_in_bytes(op) && (!exact || noted(op, ROUNDED));
            if (noted(op, ROUNDED)) {
                a.rounded    = (char *) op->data;
                a.row_values = (int) (op->ne[0] * op->ne[1]);
                a.column     = h * a.dv;
            }
            a.out        = (char *) op->data + h * op->nb[1] + s * op->nb[3]; // dv × heads × queries
            a.out_head   = op->nb[1];
            a.out_stride = op->nb[2];
            const int from = part * each, to = std::min(queries, from + each);
            use->pack_keys_and_values(a, from, to, scratch);
            use->attend(a, from, to, scratch);
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

struct rms_norm : ggml::cpu::tensor_traits {
    static bool takes(const ggml_tensor * op) {
        return op->type == GGML_TYPE_F32 && op->src[0]->type == GGML_TYPE_F32 && op->nb[0] == 4 && op->src[0]->nb[0] == 4;
    }
    bool work_size(int, const ggml_tensor *, size_t &) override { return false; }
    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        const ggml_tensor * x = op->src[0];
        float eps;
        memcpy(&eps, op->op_params, 4);
        for (int64_t i = p->ith; i < ggml_nrows(op); i += p->nth) {
            const int64_t a = i % op->ne[1], b = i / op->ne[1] % op->ne[2], c = i / op->ne[1] / op->ne[2];
            use->rms_norm((const float *) ((const char *) x->data + a * x->nb[1] + b * x->nb[2] + c * x->nb[3]), eps,
                          (float *) ((char *) op->data + a * op->nb[1] + b * op->nb[2] + c * op->nb[3]), (int) op->ne[0]);
        }
        return true;
    }
};

// A product of values is left to ggml, once what was rounded of the values before is forgotten.
struct mul : ggml::cpu::tensor_traits {
    bool work_size(int, const ggml_tensor *, size_t &) override { return false; }
    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        if (p->ith == 0) {
            forget_rounded(op);
        }
        return false;
    }
};

// A norm that pd_kernels_merge gave a factor and a bias.
struct norm : ggml::cpu::tensor_traits {
    static size_t row_bytes(const ggml_tensor * op) { return aligned(op->ne[0] * sizeof(float)); }

    bool work_size(int threads, const ggml_tensor * op, size_t & size) override {
        size = ALIGN + threads * row_bytes(op);
        return noted(op, ROUNDED);
    }
    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        const int64_t n = op->ne[0], rows = ggml_nrows(op);
        auto data = [&](int i) { return (const float *) op->src[i]->data; };
        float eps;
        memcpy(&eps, op->op_params, 4);
        for (int64_t i = rows * p->ith / p->nth; i < rows * (p->ith + 1) / p->nth; i++) {
            float * y = noted(op, ROUNDED) ? (float *) (work(p) + p->ith * row_bytes(op)) : (float *) op->data + i * n;
            use->norm(data(0) + i * n, data(NORM_FACTOR), data(NORM_BIAS), eps, y, (int) n);
            if (noted(op, ROUNDED)) {
                use->integer_row(y, (int) n, (int) i, (char *) op->data);
            }
        }
        return true;
    }
};

bool enabled() { return use != nullptr; }

bool rounds_attention(const ggml_tensor * op) {
    return !exact && flash::takes(op) && flash::can_be_in_bytes(op) && op->ne[3] == 1 && op->ne[0] % (use->group_panels * use->panel) == 0;
}

struct kernels : ggml::cpu::extra_buffer_type {
    flash    attentions;
    unary    unaries;
    norm     norms;
    rms_norm rms_norms;
    mul      muls;

    // Nothing is ever stored in a buffer of this type.
    bool supports_op(ggml_backend_dev_t, const ggml_tensor *) override { return false; }

    ggml::cpu::tensor_traits * get_tensor_traits(const ggml_tensor * op) override {
        if (!used && !noted(op, MERGED) && op->op != GGML_OP_MUL) { // what is rounded of it is forgotten in any case
            return nullptr;
        }
        switch (op->op) {
            case GGML_OP_MUL_MAT:        return products(op);
            case GGML_OP_FLASH_ATTN_EXT: return flash::takes(op) ? &attentions : nullptr;
            case GGML_OP_NORM:           return noted(op, MERGED) ? &norms : nullptr;
            case GGML_OP_RMS_NORM:       return rms_norm::takes(op) ? &rms_norms : nullptr;
            case GGML_OP_MUL:            return &muls;
            case GGML_OP_ROPE:           return rotations(op);
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
