// Operations of an encoder's graph that are done while a product is still in registers, instead of one after the other.
#pragma once
#include "ggml.h"

namespace pd {

// What pd_kernels_merge notes in a tensor's op_params, behind what ggml keeps there.
constexpr int NOTE = 8;
enum note : int32_t {
    MERGED  = 1 << 0, // only the kernels here compute it: there are more sources than ggml knows, or a source is ROUNDED
    GELU    = 1 << 1,
    BYTES   = 1 << 2, // attention: its products may be in bytes
    ROUNDED = 1 << 3, // the result is not floats but rows of integers (rounding.h), at the beginning of its memory
};

// Other operations have parameters of their own there.
inline bool has_notes(const ggml_tensor * op) {
    return op->op == GGML_OP_MUL_MAT || op->op == GGML_OP_NORM || op->op == GGML_OP_FLASH_ATTN_EXT || op->op == GGML_OP_RESHAPE;
}

inline bool noted(const ggml_tensor * op, note n) { return has_notes(op) && (op->op_params[NOTE] & n) != 0; }
inline void set_note(ggml_tensor * op, note n) { op->op_params[NOTE] |= n; }

// Of hook.cpp: whether there are kernels, and whether attention may be noted ROUNDED.
bool enabled();
bool rounds_attention(const ggml_tensor * op);

// Of products.cpp: whether the kernels compute a product once it is merged, whether its weights are those of integers, whether it
// rounds its activations to rows of integers, and the size of a tensor (one batch) in such rows.
bool can_merge(const ggml_tensor * product);
bool in_integers(const ggml_tensor * product);
bool rounds(const ggml_tensor * product);
size_t rounded_bytes(const ggml_tensor * t);

// Sources of a merged product beside the two that ggml knows, and of a norm.
enum { PRODUCT_BIAS = 2, PRODUCT_ADD = 3, NORM_FACTOR = 1, NORM_BIAS = 2 };

} // namespace pd
