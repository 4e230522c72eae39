//go:build !llama_system

// Merges operations of an encoder's graph, before its memory is planned: biases, GELU and residuals into the products
// before them, factors and biases into norms. Attention reads keys and values as they are instead of copies in half
// precision. Weights of patches become the first operand of their product, whose result is then in order without turning it.
// Norms, products and attention write integers if only products in integers read them.
#include "kernels.h"
#include "merge.h"

#include "ggml-impl.h"

#include <utility>

namespace pd {

struct merger {
    ggml_cgraph * g;

    // The only node that uses a tensor, and where it is in the graph; null where there are several or none.
    ggml_tensor * user(const ggml_tensor * t, int * at) const {
        ggml_tensor * found = nullptr;
        if ((t->flags & GGML_TENSOR_FLAG_OUTPUT) != 0) {
            return nullptr;
        }
        for (int i = 0; i < g->n_nodes; i++) {
            for (const ggml_tensor * s : g->nodes[i]->src) {
                if (s == t && g->nodes[i] != t) { // a copy is a source of its own
                    if (found != nullptr) {
                        return nullptr;
                    }
                    found = g->nodes[i];
                    *at   = i;
                }
            }
        }
        return found;
    }

    // Puts t, which is at from, in the place of the node at to, whose users become t's.
    void take_place(ggml_tensor * t, int from, int to) {
        ggml_tensor * old = g->nodes[to];
        for (int i = 0; i < g->n_nodes; i++) {
            for (ggml_tensor *& s : g->nodes[i]->src) {
                if (s == old) {
                    s = t;
                }
            }
            if (g->nodes[i]->view_src == old) {
                g->nodes[i]->view_src = t;
            }
        }
        t->flags |= old->flags & GGML_TENSOR_FLAG_OUTPUT;
        g->nodes[to] = t;
        for (int i = from; i + 1 < g->n_nodes; i++) {
            g->nodes[i] = g->nodes[i + 1];
        }
        g->n_nodes--;
    }

    static bool floats(const ggml_tensor * t) { return t != nullptr && t->type == GGML_TYPE_F32 && ggml_is_contiguous(t); }
    static bool row_of(const ggml_tensor * t, int64_t n) { return floats(t) && t->ne[0] == n && ggml_nelements(t) == n; }

    // The other operand of an operation of two.
    static ggml_tensor * other(const ggml_tensor * op, const ggml_tensor * t) { return op->src[0] == t ? op->src[1] : op->src[0]; }

    // A product of weights with one batch of rows, the product at i.
    bool product(int i) {
        ggml_tensor * t = g->nodes[i];
        if (t->op != GGML_OP_MUL_MAT || !floats(t) || t->ne[0] % 32 != 0 || t->ne[2] != 1 || t->ne[3] != 1 || !can_merge(t)) {
            return false;
        }
        int to;
        ggml_tensor * next = user(t, &to);
        if (next == nullptr || !floats(next) || !ggml_are_same_shape(next, t)) {
            return false;
        }
        ggml_tensor *& bias = t->src[PRODUCT_BIAS];
        ggml_tensor *& add  = t->src[PRODUCT_ADD];
        if (next->op == GGML_OP_ADD && row_of(other(next, t), t->ne[0]) && bias == nullptr && add == nullptr && !noted(t, GELU)) {
            bias = other(next, t);
        } else if (next->op == GGML_OP_UNARY && ggml_get_unary_op(next) == GGML_UNARY_OP_GELU && add == nullptr && !noted(t, GELU)) {
            set_note(t, GELU);
        } else if (next->op == GGML_OP_ADD && floats(other(next, t)) && ggml_are_same_shape(other(next, t), t) && add == nullptr) {
            add = other(next, t);
        } else {
            return false;
        }
        set_note(t, MERGED);
        take_place(t, i, to);
        return true;
    }

    bool norm(int i) {
        ggml_tensor * t = g->nodes[i];
        int times_at, plus_at;
        if (t->op != GGML_OP_NORM || !floats(t) || !floats(t->src[0]) || noted(t, MERGED)) {
            return false;
        }
        ggml_tensor * times = user(t, &times_at);
        if (times == nullptr || times->op != GGML_OP_MUL || !row_of(other(times, t), t->ne[0])) {
            return false;
        }
        ggml_tensor * plus = user(times, &plus_at);
        if (plus == nullptr || plus->op != GGML_OP_ADD || !row_of(other(plus, times), t->ne[0])) {
            return false;
        }
        t->src[NORM_FACTOR] = other(times, t);
        t->src[NORM_BIAS]   = other(plus, times);
        set_note(t, MERGED);
        take_place(t, i, plus_at);
        remove(times);
        return true;
    }

    void remove(const ggml_tensor * t) {
        int n = 0;
        for (int i = 0; i < g->n_nodes; i++) {
            if (g->nodes[i] != t) {
                g->nodes[n++] = g->nodes[i];
            }
        }
        g->n_nodes = n;
    }

    // What a tensor shows, through views and copies.
    static const ggml_tensor * origin(const ggml_tensor * t) {
        while (t != nullptr && (t->op == GGML_OP_VIEW || t->op == GGML_OP_RESHAPE || t->op == GGML_OP_PERMUTE || t->op == GGML_OP_CPY)) {
            t = t->src[0];
        }
        return t;
    }

    bool attention(int i) {
        ggml_tensor * t = g->nodes[i];
        if (t->op != GGML_OP_FLASH_ATTN_EXT) {
            return false;
        }
        for (int j = 1; j <= 2; j++) { // keys, values
            ggml_tensor * copy = t->src[j];
            int at;
            if (copy->op == GGML_OP_CPY && copy->src[0]->type == GGML_TYPE_F32 && copy->src[0]->nb[0] == 4 && user(copy, &at) == t &&
                ggml_are_same_shape(copy, copy->src[0])) {
                t->src[j] = copy->src[0];
                set_note(t, MERGED);
                remove(copy);
                return true;
            }
        }
        const ggml_tensor * keys = origin(t->src[1]);
        if (!noted(t, BYTES) && t->src[3] == nullptr && keys != nullptr && keys->op == GGML_OP_MUL_MAT && in_integers(keys)) {
            set_note(t, BYTES);
        }
        return false;
    }

    // The norm, product or attention at i, once all are merged: its values are rounded where they are computed.
    void rounded(int i) const {
        ggml_tensor * t = g->nodes[i];
        bool rows = noted(t, MERGED) && (t->op == GGML_OP_NORM || (t->op == GGML_OP_MUL_MAT && rounds(t) && t->src[PRODUCT_ADD] == nullptr));
        int at;
        ggml_tensor * attention = nullptr;
        if (t->op == GGML_OP_FLASH_ATTN_EXT && rounds_attention(t) && (t->flags & GGML_TENSOR_FLAG_OUTPUT) == 0) {
            attention = t;
            t         = user(attention, &at); // all heads' values as rows
            rows      = t != nullptr && t->op == GGML_OP_RESHAPE && t->ne[0] == attention->ne[0] * attention->ne[1];
        }
        if (!rows || t->ne[0] % 32 != 0 || t->ne[2] != 1 || t->ne[3] != 1 || (t->flags & GGML_TENSOR_FLAG_OUTPUT) != 0) {
            return;
        }
        bool read = false;
        for (int n = 0; n < g->n_nodes; n++) {
            for (int s = 0; s < GGML_MAX_SRC; s++) {
                const ggml_tensor * user = g->nodes[n];
                if (user->src[s] == t && (s != 1 || user->op != GGML_OP_MUL_MAT || !rounds(user))) {
                    return;
                }
                read = read || user->src[s] == t;
            }
        }
        if (!read || rounded_bytes(t) > ggml_nbytes(t)) { // few rows fill no tile
            return;
        }
        set_note(t, ROUNDED);
        if (attention != nullptr) {
            set_note(attention, ROUNDED);
            set_note(attention, MERGED);
        }
        for (int n = 0; n < g->n_nodes; n++) {
            if (g->nodes[n]->src[1] == t) {
                set_note(g->nodes[n], MERGED);
            }
        }
    }

    // Patches times weights, transposed: the weights become the first operand, and the result has the right order at once.
    bool patches(int i) {
        ggml_tensor * t = g->nodes[i];
        if (t->op != GGML_OP_MUL_MAT || origin(t->src[0])->op != GGML_OP_IM2COL || origin(t->src[1])->op != GGML_OP_NONE || t->src[1]->type != t->src[0]->type ||
            !ggml_is_contiguous(t->src[0]) || !ggml_is_contiguous(t->src[1]) || t->ne[1] % 32 != 0) {
            return false;
        }
        // Copies that change nothing, until one that transposes.
        ggml_tensor * last = t;
        int at = i, moves = 0;
        bool transposed = false;
        while (last->op != GGML_OP_CONT || !transposed) {
            last = user(last, &at);
            if (last == nullptr || ++moves > 8) {
                return false;
            }
            switch (last->op) {
                case GGML_OP_RESHAPE: break;
                case GGML_OP_CONT:    break;
                case GGML_OP_PERMUTE:
                    if (last->src[0]->ne[0] != last->ne[0] || last->nb[0] != 4 || !ggml_is_contiguous(last)) {
                        return false; // its only other dimensions have one value each
                    }
                    break;
                case GGML_OP_TRANSPOSE:
                    if (transposed || last->src[0]->ne[0] != t->ne[0] || last->src[0]->ne[1] != t->ne[1] || ggml_nelements(last) != t->ne[0] * t->ne[1]) {
                        return false;
                    }
                    transposed = true;
                    break;
                default: return false;
            }
        }
        if (last->ne[0] != t->ne[1] || last->ne[1] != t->ne[0]) {
            return false;
        }
        for (ggml_tensor * between = last->src[0]; between != t;) {
            ggml_tensor * before = between->src[0];
            remove(between);
            between = before;
        }
        std::swap(t->src[0], t->src[1]);
        std::swap(t->ne[0], t->ne[1]);
        for (int d = 1; d < GGML_MAX_DIMS; d++) {
            t->nb[d] = t->nb[d - 1] * t->ne[d - 1];
        }
        set_note(t, MERGED); // activations of half precision are for the kernels here
        for (int n = 0; n < g->n_nodes; n++) {
            if (g->nodes[n] == t) {
                i = n;
            } else if (g->nodes[n] == last) {
                at = n;
            }
        }
        take_place(t, i, at);
        return true;
    }
};

} // namespace pd

extern "C" void pd_kernels_merge(ggml_cgraph * graph) {
    if (!pd::enabled()) {
        return;
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i]->view_src == nullptr && graph->nodes[i]->data != nullptr) {
            return; // views have their memory already
        }
    }
    pd::merger m = { graph };
    for (int i = 0; i < graph->n_nodes;) {
        if (m.patches(i) || m.norm(i) || m.product(i) || m.attention(i)) {
            i = 0; // places have changed
        } else {
            i++;
        }
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        m.rounded(i);
    }
}
