// Rounds activations to integers, for the products of integers.h.
namespace pd::PD_SET {

constexpr int Q8 = 32; // values in a block of weights

#ifdef PD_VNNI
using integer = uint8_t;             // 128 is added to activations
constexpr float INTEGER_MOST = 127;
constexpr int   FINENESS     = 4;
constexpr int   GROUP        = 2; // blocks of weights, and of activations, that share a scale in the products
#else
using integer = int16_t;
constexpr float INTEGER_MOST = 32767; // 32 products with bytes stay below 2^27
constexpr int   FINENESS     = 1;
constexpr int   GROUP        = 1;
#endif

constexpr int INTEGERS   = 4 / sizeof(integer); // in a dword
constexpr int Q8_STEPS   = Q8 / INTEGERS;       // dwords of a block

constexpr float    SCALE_LEAST = 0x1p-60f, SCALE_LIMIT = 0x1p100f; // of activations
constexpr uint32_t SCALE_STEP  = (1u << 23) / FINENESS;

// Scales of activations are rounded up to (1 + variant/FINENESS) · 2^exponent. The panel has the weights' scales times
// each variant, so the product of both scales is an integer addition to the exponent, which does not use the units that
// multiply. To keep exponents positive, the weights' scales are divided by 2^EXPONENTS.
constexpr int EXPONENTS = 64;

// Activations are stored in the order in which they are read, so that the CPU prefetches them: the first groups of
// INTEGER_ROWS rows, their second groups, and so on; of the last, only the first values may be used. A float for each row
// follows: 0, or NaN if a value of the row is not finite or too large. It is added to the results, so that such a row does
// not look like numbers.
struct row_group {
    integer  q[GROUP * Q8];
    uint32_t exponent; // in the bits of a float's exponent
    uint32_t variant;  // offset in bytes from the first variant of a panel's scales
};

inline int groups(int k) { return (k / Q8 + GROUP - 1) / GROUP; }
inline int blocks_of_group(int k, int g) { return k / Q8 - g * GROUP < GROUP ? k / Q8 - g * GROUP : GROUP; }

inline size_t integer_tile_bytes(int k) { return ((size_t) groups(k) * sizeof(row_group) + sizeof(float)) * INTEGER_ROWS; }
inline size_t integer_rows_bytes(int rows, int k) {
    return ((rows + INTEGER_ROWS - 1) / INTEGER_ROWS * integer_tile_bytes(k) + 63) / 64 * 64;
}

// Rounds n values, which share a scale. Returns 0, or NaN if a value is not finite or too large.
inline float round_group(const float * x, int n, row_group * out) {
    dwords high = all(0u);
#pragma GCC unroll 8
    for (int i = 0; i < n; i += WIDTH) {
        high = most(high, magnitude(load(x + i)));
    }
    const float    top = most_of(high) / INTEGER_MOST;
    const uint32_t d   = (bits_of(top < SCALE_LEAST ? SCALE_LEAST : top < SCALE_LIMIT ? top : SCALE_LIMIT) + SCALE_STEP - 1) / SCALE_STEP * SCALE_STEP;
    const floats   r   = all(1.0f / float_of(d));
    int i = 0;
#ifdef PD_FOUR_INTEGERS
    for (; i + 4 * WIDTH <= n; i += 4 * WIDTH) {
        store_four_integers(out->q + i, mul(load(x + i), r), mul(load(x + i + WIDTH), r), mul(load(x + i + 2 * WIDTH), r), mul(load(x + i + 3 * WIDTH), r));
    }
#endif
    for (; i < n; i += WIDTH) {
        store_integers(out->q + i, mul(load(x + i), r));
    }
    out->exponent = (d >> 23 << 23) - ((127u - EXPONENTS) << 23);
    out->variant  = d / SCALE_STEP % FINENESS * PANEL * 4;
    return top < SCALE_LIMIT ? 0.0f : NAN;
}

// Writes row number row of the rows at out.
inline void integer_row(const float * x, int k, int row, char * out) {
    const int   m      = row % INTEGER_ROWS;
    row_group * first  = (row_group *) (out + row / INTEGER_ROWS * integer_tile_bytes(k));
    float       poison = 0;
    for (int g = 0; g < groups(k); g++) {
        poison += round_group(x + g * GROUP * Q8, blocks_of_group(k, g) * Q8, first + g * INTEGER_ROWS + m);
    }
    ((float *) (first + groups(k) * INTEGER_ROWS))[m] = poison;
}

// Writes group number g of M rows from row on, which begin stride values apart. k values are in the whole rows, whose poison
// has been cleared: it is set only where a value is not finite or too large, because other threads write other groups.
template <int M> inline void integer_columns(const float * x, size_t stride, int k, int g, int row, char * out) {
    row_group * first  = (row_group *) (out + row / INTEGER_ROWS * integer_tile_bytes(k));
    float *     poison = (float *) (first + groups(k) * INTEGER_ROWS);
    for (int m = 0; m < M; m++) {
        const float p = round_group(x + m * stride, blocks_of_group(k, g) * Q8, first + g * INTEGER_ROWS + m);
        if (p != 0) {
            poison[m] = p;
        }
    }
}

// Writes n values of a row from column on, whole groups, as integer_columns does.
inline void integer_part(const float * x, int n, int k, int column, int row, char * out) {
    const int   m      = row % INTEGER_ROWS;
    row_group * first  = (row_group *) (out + row / INTEGER_ROWS * integer_tile_bytes(k));
    for (int i = 0; i < n; i += GROUP * Q8) {
        const float p = round_group(x + i, GROUP * Q8, first + (column + i) / (GROUP * Q8) * INTEGER_ROWS + m);
        if (p != 0) {
            ((float *) (first + groups(k) * INTEGER_ROWS))[m] = p;
        }
    }
}

// Clears the poison of rows.
inline void clear_integer_rows(int rows, int k, char * out) {
    for (int row = 0; row < rows; row += INTEGER_ROWS, out += integer_tile_bytes(k)) {
        memset((row_group *) out + groups(k) * INTEGER_ROWS, 0, INTEGER_ROWS * sizeof(float));
    }
}

} // namespace pd::PD_SET
