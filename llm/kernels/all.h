// Everything of a set, for the file that chose the instructions.
#include "simd.h"

#include "tile.h"

#include "pack.h"

#include "product.h"

#include "attention.h"

#include "next_attention.h"

#include "gelu.h"

#ifdef PD_VNNI
#include "q8.h"
#endif

namespace pd::PD_SET {

extern const set all_kernels;

const set all_kernels = {
    PD_NAME,
    [](int k) -> size_t { return padded(k) / EACH; },
    convert_row,
    PANEL,
    panel_bytes,
    multiply_panel,
#ifdef PD_VNNI
    q8_bytes,
    quantise_row,
    q8_multiply,
#else
    nullptr,
    nullptr,
    nullptr,
#endif
    attention_bytes,
    pack_keys_and_values,
    attend,
    next_bytes,
    attend_next,
    gelu,
};

} // namespace pd::PD_SET
