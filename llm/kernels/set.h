// A set of kernels, compiled for one instruction set. choose.cpp selects one when the program starts.
#pragma once
#include "ggml.h"

#include <cstddef>
#include <cstdint>

namespace pd {

// What is done to a product while it is in registers, in this order. Columns are then a multiple of 32.
struct finish {
    const float * bias;   // added to each row; or null
    bool          gelu;
    const float * add;    // rows that are added, ldc floats apart as those of the product; or null
};

// c[m][n] = sum over k of a[m][k] · w[n][k].
struct product {
    int rows, columns, k; // m, n, k

    const uint32_t * a;   // rows of elements, made by convert_row
    size_t           lda; // dwords between them

    ggml_type    type;    // of w
    const char * w;
    size_t       stride;  // bytes between rows of w

    float * c;
    size_t  ldc;          // floats between rows of c
    finish  then;
};

// The same in integers: w is Q8_0, a is made by integer_row.
struct integer_product {
    int rows, columns, k;

    const char * a;
    const char * w;
    size_t       stride;

    float * c;
    size_t  ldc;
    finish  then;
    char *  rounded; // instead of c, if not null: integer rows of columns values, cleared. then.add is null

    const char * next;       // the weights that this thread will probably want after these; fetched meanwhile
    size_t       next_bytes;
};

// The same for few rows: a is made by q8_row.
struct q8_product {
    int rows, columns, k;

    const char * a;
    const char * w;
    size_t       stride;

    float * c;
    size_t  ldc;
};

// What a query's mask shows of the keys, as numbers of keys. from, plain_from and plain_to are multiples of the panel.
struct visible_keys {
    int from, to;             // those before and behind are hidden
    int plain_from, plain_to; // among them, some to whose scores the mask adds 0
};

// Attention of heads that share keys, values and mask.
struct attention {
    int heads;
    int queries, keys;
    int dk, dv;            // length of a key (and a query), of a value

    const char * q;        // F32 rows
    size_t       q_head, q_stride; // bytes from head to head, from query to query
    const char * k;        // F32, F16 or BF16
    ggml_type    k_type;
    size_t       k_stride;
    const char * v;        // F32, F16 or BF16
    ggml_type    v_type;
    size_t       v_stride;
    const char * mask;     // F16 rows, one for each query, added to the scores; or null
    size_t       mask_stride;
    const visible_keys * visible; // of each query, if there is a mask
    float        scale;
    bool         in_bytes; // where the set has products of bytes; without a mask, dk ≤ 256, scale > 0

    char * out;            // F32 rows of dv values
    size_t out_head, out_stride;
    char * rounded;        // instead of out, if not null and in_bytes: integer rows, cleared, of which each head has dv values
    int    row_values;     // of such a row
    int    column;         // the first head's first one; where a scale's columns begin, as is its end
};

// One query's attention over the KV cache, for some of its kv heads. Each kv head is shared by a group of query heads.
// Strides are in bytes.
struct next_attention {
    int kv_heads, group;   // the query has kv_heads · group heads
    int keys, dk, dv;      // number of cells, length of a key (and a query), of a value

    const char * q;        // F32
    size_t       q_head;   // from head to head
    const char * k;        // F16
    size_t       k_head, k_stride; // from head to head, from cell to cell
    const char * v;        // F16
    size_t       v_head, v_stride;
    const char * mask;     // F16, one for each cell, added to the scores; or null
    float        scale;

    char * out;            // F32
    size_t out_head;
};

struct set {
    const char * name; // as shown to people

    // Converts rows of activations to elements: padded(k) values, EACH of them in a dword.
    size_t (*row_dwords)(int k);
    void   (*convert_row)(ggml_type type, const void * row, int k, uint32_t * out);

    // Computes a product in panels of columns. Each thread needs panel_bytes(k).
    int    panel; // columns
    size_t (*panel_bytes)(int k);
    void   (*multiply_panel)(const product & p, int panel, char * scratch);

    // The same in integers for many rows; null if that is no faster. Each thread needs integer_panel_bytes(k) for each panel.
    size_t (*integer_rows_bytes)(int rows, int k);
    void   (*integer_row)(const float * x, int k, int row, char * out);
    void   (*clear_integer_rows)(int rows, int k, char * out); // before several threads write parts of them
    int    group_panels; // panels whose columns share a scale once they are rounded; from is a multiple if they are, to unless it is the end
    size_t (*integer_panel_bytes)(int k);
    void   (*multiply_integer_panels)(const integer_product & p, int from, int to, char * scratch);

    // The same in integers for few rows; null if the CPU has no dot products of bytes.
    size_t (*q8_rows_bytes)(int rows, int k);
    void   (*q8_row)(const float * x, int k, int row, char * out);
    void   (*q8_multiply)(const q8_product & p, int from, int to); // columns; from a multiple of 16

    bool   bytes_in_attention; // whether attend knows in_bytes
    size_t (*attention_bytes)(int keys, int dk, int dv);
    visible_keys (*visible_by)(const uint16_t * mask, int keys);
    void   (*pack_keys_and_values)(const attention & a, int from, int to, char * scratch); // for queries from..to
    void   (*attend)(const attention & a, int from, int to, char * scratch);

    // Each thread needs next_bytes(a).
    size_t (*next_bytes)(const next_attention & a);
    void   (*attend_next)(const next_attention & a, char * scratch);

    void (*gelu)(const float * x, float * y, int64_t n);

    // A row of n values less their mean, by their standard deviation (eps is added to its square), times w, plus b.
    void (*norm)(const float * x, const float * w, const float * b, float eps, float * y, int n);

    // A row of n values by the root of the mean of their squares (eps is added to the mean). y may be x.
    void (*rms_norm)(const float * x, float eps, float * y, int n);

    // Turns pairs of values, see rotation.h.
    void (*rotate)(const float * x, float * y, const float * turns, int n, bool by_halves);
};

// Returns the set called name, or the best one if name is ""; null if this CPU cannot run it.
const set * choose(const char * name);

} // namespace pd
