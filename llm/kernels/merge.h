// Operations of an encoder's graph that are done while a product is still in registers, instead of one after the other.
#pragma once
#include "ggml.h"

namespace pd {

// What pd_kernels_merge notes in a tensor's op_params, behind what ggml keeps there.
constexpr int NOTE = 8;
enum note : int32_t {
    MERGED = 1 << 0, // only the kernels here compute it: there are more sources than ggml knows
    GELU   = 1 << 1,
    BYTES  = 1 << 2, // attention: its products may be in bytes
};

inline bool noted(const ggml_tensor * op, note n) { return (op->op_params[NOTE] & n) != 0; }
inline void set_note(ggml_tensor * op, note n) { op->op_params[NOTE] |= n; }

// Of hook.cpp: whether there are kernels, whether they compute a product once it is merged, and whether that is in integers.
bool enabled();
bool can_merge(const ggml_tensor * product);
bool in_integers(const ggml_tensor * product);

// Sources of a merged product beside the two that ggml knows, and of a norm.
enum { PRODUCT_BIAS = 2, PRODUCT_ADD = 3, NORM_FACTOR = 1, NORM_BIAS = 2 };

} // namespace pd
