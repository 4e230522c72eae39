//go:build !llama_system

// Rotary position embeddings of queries and keys. Their sines are computed once for all layers.
#include "operations.h"

#include "ggml-cpu.h"

#include <cmath>
#include <cstring>
#include <vector>

namespace pd {

// rope: heads of n values × heads × rows, positions of rows, and factors of frequencies, or null.
struct rope : ggml::cpu::tensor_traits {
    enum { DIMS = 1, MODE = 2, BASE = 5, SCALE = 6, YARN = 7, SIZE = 8 }; // in op_params

    static float number(const ggml_tensor * op, int i) {
        float f;
        memcpy(&f, (const float *) op->op_params + i, sizeof f);
        return f;
    }

    static bool takes(const ggml_tensor * op) {
        const ggml_tensor *x = op->src[0], *positions = op->src[1], *factors = op->src[2];
        const int mode = op->op_params[MODE];
        return (mode == GGML_ROPE_TYPE_NORMAL || mode == GGML_ROPE_TYPE_NEOX) && number(op, YARN) == 0 && op->op_params[DIMS] == x->ne[0] && x->ne[0] % 32 == 0 &&
               x->type == GGML_TYPE_F32 && op->type == GGML_TYPE_F32 && x->nb[0] == 4 && op->nb[0] == 4 && x->ne[3] == 1 && ggml_is_contiguous(positions) &&
               (factors == nullptr || ggml_is_contiguous(factors));
    }

    // What the sines follow from, and the sines, one row of them for each position.
    std::vector<int32_t> parameters, positions;
    std::vector<float>   factors, turns;

    bool known(const ggml_tensor * op) const {
        auto same = [](const auto & known, const void * data, size_t n) { return known.size() == n && (n == 0 || memcmp(known.data(), data, n * 4) == 0); };
        const ggml_tensor * f = op->src[2];
        return same(parameters, op->op_params + DIMS, SIZE) && same(positions, op->src[1]->data, op->src[1]->ne[0]) &&
               same(factors, f == nullptr ? nullptr : f->data, f == nullptr ? 0 : op->ne[0] / 2);
    }

    void compute_turns(const ggml_tensor * op) {
        const ggml_tensor *p = op->src[1], *f = op->src[2];
        const int n = (int) op->ne[0];
        parameters.assign(op->op_params + DIMS, op->op_params + DIMS + SIZE);
        positions.assign((const int32_t *) p->data, (const int32_t *) p->data + p->ne[0]);
        factors.clear();
        if (f != nullptr) {
            factors.assign((const float *) f->data, (const float *) f->data + n / 2);
        }
        turns.resize(positions.size() * n);
        const float ratio = powf(number(op, BASE), -2.0f / n), scale = number(op, SCALE), size = number(op, SIZE);
        const bool  halves = op->op_params[MODE] == GGML_ROPE_TYPE_NEOX;
        for (size_t row = 0; row < positions.size(); row++) {
            float * t = turns.data() + row * n;
            float angle = (float) positions[row];
            for (int i = 0; i < n / 2; i++, angle *= ratio) {
                const float a = scale * (factors.empty() ? angle : angle / factors[i]);
                t[halves ? i : 2 * i]             = cosf(a) * size;
                t[halves ? i + n / 2 : 2 * i + 1] = sinf(a) * size;
            }
        }
    }

    bool work_size(int, const ggml_tensor *, size_t &) override { return false; } // as much as ggml wants

    bool compute_forward(ggml_compute_params * p, ggml_tensor * op) override {
        if (!known(op)) { // for all threads alike
            ggml_barrier(p->threadpool);
            if (p->ith == 0) {
                compute_turns(op);
            }
            ggml_barrier(p->threadpool);
        }
        const ggml_tensor * x = op->src[0];
        const int64_t heads = op->ne[1], n = heads * op->ne[2];
        for (int64_t i = n * p->ith / p->nth; i < n * (p->ith + 1) / p->nth; i++) {
            const int64_t row = i / heads, head = i % heads;
            use->rotate((const float *) ((const char *) x->data + head * x->nb[1] + row * x->nb[2]), (float *) ((char *) op->data + head * op->nb[1] + row * op->nb[2]),
                        turns.data() + row * op->ne[0], (int) op->ne[0], op->op_params[MODE] == GGML_ROPE_TYPE_NEOX);
        }
        return true;
    }
};

ggml::cpu::tensor_traits * rotations(const ggml_tensor * op) {
    static rope all;
    return rope::takes(op) ? &all : nullptr;
}

} // namespace pd
