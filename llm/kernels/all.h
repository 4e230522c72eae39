// All kernels of one set. Included by the file that chooses the instructions.
#include "simd.h"

#include "tile.h"

#include "pack.h"

#include "gelu.h"

#include "finish.h"

#include "rotation.h"

#include "product.h"

#ifdef PD_INTEGERS
#include "rounding.h"
#endif

#include "attention_bytes.h"

#include "attention_packing.h"

#include "attention_stages.h"

#include "attention.h"

#include "next_attention.h"

#if defined(PD_VNNI) && defined(PD_AVX512)
#define PD_NEXT_INTEGERS
#include "q8.h"
#endif

#ifdef PD_INTEGERS
#include "integers.h"
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
#ifdef PD_INTEGERS
    integer_rows_bytes,
    integer_row,
    clear_integer_rows,
    GROUP_PANELS,
    integer_panel_bytes,
    multiply_integer_panels,
#else
    nullptr,
    nullptr,
    nullptr,
    1,
    nullptr,
    nullptr,
#endif
#ifdef PD_NEXT_INTEGERS
    q8_rows_bytes,
    q8_row,
    q8_multiply,
#else
    nullptr,
    nullptr,
    nullptr,
#endif
#ifdef PD_BYTES
    true,
#else
    false,
#endif
    attention_bytes,
    visible_by,
    pack_keys_and_values,
    attend,
    next_bytes,
    attend_next,
    gelu,
    norm,
    rms_norm,
    rotate,
};

} // namespace pd::PD_SET
