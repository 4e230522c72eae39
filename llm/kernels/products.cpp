//go:build !llama_system

// Products of weights with activations.
#include "merge.h"
#include "operations.h"

#include "ggml-cpu.h"

#include <algorithm>
#include <vector>

namespace pd {

// Rounded activations that several products read, as those of queries, keys and values, or of gate and up, of a language
// model's prompt. Threads read and change it on either side of a barrier.
static struct {
    const ggml_tensor * of; // whose rows are here; or null
    std::vector<char>   memory;
    char * rows() { return (char *) aligned((size_t) memory.data()); }
} shared;

// Whether products keep what they round of x: hook.cpp calls forget_rounded when such an operation is computed.
static bool shares(const ggml_tensor * x) { return x->op == GGML_OP_MUL; }

void forget_rounded(const ggml_tensor * x) {
    if (shared.of == x) {
        shared.of = nullptr;
    }
}

// Called before a graph is computed. The memory is kept for the next one.
static void reserve_shared(size_t size) {
    if (ALIGN + size > shared.memory.size()) {
        shared.of = nullptr;
        shared.memory.resize(ALIGN + size);
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
        return op->src[0]->type == GGML_TYPE_Q8_0 && op->src[1]->type == GGML_TYPE_F32 && use->multiply_integer_panels != nullptr &&
               (!exact || noted(op->src[1], ROUNDED) || noted(op, ROUNDED));
    }

    // The number of integer panels that a thread computes together, so that a row's activations are read once for all of
    // them. The packed panels must fit the L2 cache, and there must be several chunks for each thread. Where results are
    // rounded, the columns that share a scale stay together.
    static int together(const ggml_tensor * op, int threads) {
        const int fit = (int) (384 * 1024 / use->integer_panel_bytes((int) op->src[0]->ne[0])), step = noted(op, ROUNDED) ? use->group_panels : 1;
        const int panels = ((int) op->src[0]->ne[1] + use->panel - 1) / use->panel;
        return std::max(1, std::min(fit, panels / (threads == 1 ? 1 : 4 * threads)) / step) * step;
    }

    // The memory for rounded activations, and what of it the work buffer has.
    static size_t rows_bytes(const ggml_tensor * x) { return x->ne[2] * use->integer_rows_bytes((int) x->ne[1], (int) x->ne[0]); }
    static size_t own_rows_bytes(const ggml_tensor * x) { return noted(x, ROUNDED) || shares(x) ? 0 : rows_bytes(x); }

    bool work_size(int threads, const ggml_tensor * op, size_t & size) override {
        const int k = (int) op->src[0]->ne[0];
        const size_t rows = (size_t) ggml_nrows(op->src[1]);
        size = aligned(rows * use->row_dwords(k) * 4) + threads * aligned(use->panel_bytes(k));
        if (in_integers(op)) {
            size = std::max(size, op->src[1]->ne[2] * use->q8_rows_bytes((int) op->src[1]->ne[1], k));
        }
        if (wide_integers(op)) {
            size = std::max(size, own_rows_bytes(op->src[1]) + threads * together(op, threads) * use->integer_panel_bytes(k));
            if (shares(op->src[1])) {
                reserve_shared(rows_bytes(op->src[1]));
            }
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
        const size_t batch   = use->integer_rows_bytes(m, k);
        char *       scratch = work(p);
        char *       a       = noted(x, ROUNDED) ? (char *) x->data : shares(x) ? shared.rows() : scratch;
        char *       rounded = noted(op, ROUNDED) ? (char *) op->data : nullptr;
        const bool   ready   = noted(x, ROUNDED) || shared.of == x;
        for (int i = p->ith; !ready && i < m * batches; i += p->nth) {
            use->integer_row((const float *) row(x, i), k, i % m, a + i / m * batch);
        }
        if (rounded != nullptr && p->ith == 0) {
            use->clear_integer_rows(m, n, rounded);
        }
        start_chunks(p);
        if (shares(x) && p->ith == 0) {
            shared.of = x;
        }
        scratch += own_rows_bytes(x);
        // ggml may have planned the buffer for more threads than now compute.
        const size_t room = p->wsize - (scratch - (char *) p->wdata);
        const int panels = (n + use->panel - 1) / use->panel, step = rounded == nullptr ? 1 : use->group_panels;
        const int each = std::min(together(op, p->nth), (int) (room / p->nth / use->integer_panel_bytes(k))) / step * step;
        scratch += p->ith * each * use->integer_panel_bytes(k);
        by_chunks(p, (panels + each - 1) / each, [&](int chunk) {
            // The chunk that this thread takes next, if all are equally fast.
            const int from = std::min(panels, (chunk + p->nth) * each) * use->panel, to = std::min(panels, (chunk + p->nth + 1) * each) * use->panel;
            for (int b = 0; b < batches; b++) {
                const integer_product t = { m, n, k, a + b * batch, (const char *) w->data, w->nb[1],
                                            (float *) ((char *) op->data + b * op->nb[2]), op->nb[1] / 4, then(op), rounded,
                                            (const char *) w->data + std::min(n, from) * w->nb[1], (std::min(n, to) - std::min(n, from)) * w->nb[1] };
                use->multiply_integer_panels(t, chunk * each, std::min(panels, (chunk + 1) * each), scratch);
            }
        });
    }

    static void integers(ggml_compute_params * p, ggml_tensor * op) {
        const ggml_tensor * w = op->src[0];
        const ggml_tensor * x = op->src[1];
        const int    k = (int) w->ne[0], n = (int) w->ne[1], m = (int) x->ne[1], batches = (int) x->ne[2];
        const size_t batch = use->q8_rows_bytes(m, k);
        char *       a     = work(p);
        for (int i = p->ith; i < m * batches; i += p->nth) {
            use->q8_row((const float *) row(x, i), k, i % m, a + i / m * batch);
        }
        start_chunks(p);
        const int each = 64; // columns in a chunk
        by_chunks(p, (n + each - 1) / each, [&](int chunk) {
            for (int b = 0; b < batches; b++) {
                const q8_product t = { m, n, k, a + b * batch, (const char *) w->data, w->nb[1],
                                       (float *) ((char *) op->data + b * op->nb[2]), op->nb[1] / 4 };
                use->q8_multiply(t, chunk * each, std::min(n, (chunk + 1) * each));
            }
        });
    }
};

bool can_merge(const ggml_tensor * product) { return mul_mat::takes(product); }
bool in_integers(const ggml_tensor * product) { return product->src[0]->type == GGML_TYPE_Q8_0; }
bool rounds(const ggml_tensor * product) { return mul_mat::takes(product) && mul_mat::wide_integers(product); }
size_t rounded_bytes(const ggml_tensor * t) { return use->integer_rows_bytes((int) t->ne[1], (int) t->ne[0]); }

ggml::cpu::tensor_traits * products(const ggml_tensor * op) {
    static mul_mat all;
    return mul_mat::takes(op) ? &all : nullptr;
}

} // namespace pd
