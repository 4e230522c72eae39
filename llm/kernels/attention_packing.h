// Packs the keys and values of one head into panels of bytes.
#ifdef PD_BYTES

namespace pd::PD_SET {

// The rows of a head lie far apart, and the CPU does not prefetch them: those that are read AHEAD rows later are asked for.
constexpr int AHEAD = 8;
inline void ask_for(const char * row, int bytes) {
    for (int at = 0; at < bytes; at += 64) {
        _mm_prefetch(row + at, _MM_HINT_T0);
    }
}

// The scales of rows that are rounded to bytes, from the greatest magnitude of each; NaN if that is not finite.
inline void store_scales(float * out, floats top) {
    store(out, top);
    for (int i = 0; i < WIDTH; i++) {
        out[i] = out[i] - out[i] == 0 ? out[i] / 127 : NAN;
    }
}

// Packs keys less their mean, which changes no weight: what all keys share would coarsen the rest. Each key has a scale.
// value(i, c) returns WIDTH values of key i from index c.
template <typename F> inline void pack_keys_of_bytes(const attention & a, const byte_attention_scratch & at, char * scratch, F && value) {
    floats sum[LONGEST / WIDTH], mean[LONGEST / WIDTH];
    for (int c = 0; c < at.dk; c += WIDTH) {
        sum[c / WIDTH] = zero();
    }
    auto ask_ahead = [&](int i) { ask_for(a.k + (size_t) (i + AHEAD) * a.k_stride, a.dk * 4); };
    for (int i = 0; i < a.keys; i++) {
        ask_ahead(i);
        for (int c = 0; c < at.dk; c += WIDTH) {
            sum[c / WIDTH] = add(sum[c / WIDTH], value(i, c));
        }
    }
    for (int c = 0; c < at.dk; c += WIDTH) {
        mean[c / WIDTH] = mul(sum[c / WIDTH], all(1.0f / a.keys));
    }
    alignas(64) float   rows[WIDTH][LONGEST], to_bytes[WIDTH];
    alignas(64) uint8_t bytes[WIDTH][LONGEST];
    for (int from = 0; from < at.n; from += WIDTH) {
        dwords high[WIDTH];
        for (int j = 0; j < WIDTH; j++) {
            high[j] = all(0u);
            ask_ahead(from + j);
            for (int c = 0; c < at.dk; c += WIDTH) {
                const floats x = from + j < a.keys ? sub(value(from + j, c), mean[c / WIDTH]) : zero();
                high[j] = most(high[j], magnitude(x));
                store(rows[j] + c, x);
            }
        }
        transpose(high);
        for (int j = 1; j < WIDTH; j++) {
            high[0] = most(high[0], high[j]);
        }
        store_scales((float *) (scratch + at.k_scales) + from, as_floats(high[0]));
        store(to_bytes, div(all(127.0f), most(all(0x1p-100f), as_floats(high[0]))));
        for (int j = 0; j < WIDTH; j++) {
            for (int c = 0; c < at.dk; c += WIDTH) {
                store_integers(bytes[j] + c, mul(load(rows[j] + c), all(to_bytes[j])));
            }
        }
        uint32_t * out   = (uint32_t *) (scratch + at.k) + from / PANEL * at.kdim + from % PANEL;
        dwords     start = all(0u);
        for (int c = 0; c < at.dk / 4; c += WIDTH) {
            dwords v[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                v[j] = load((const uint32_t *) bytes[j] + c);
            }
            transpose(v);
            for (int j = 0; j < WIDTH && c + j < at.dk / 4; j++) {
                const dwords x = toggled(v[j]);
                store(out + (c + j) * PANEL, x);
                start = dot_integers(start, all(0x80808080u), x);
            }
        }
        store((uint32_t *) (scratch + at.k_starts) + from, minus(start));
    }
}

// Packs values less their mean, which is added to the results again: weights too small for a byte then stand for the mean.
// Each index of a value has a scale; it is NaN if a value is not finite. value(i, c) returns WIDTH values of value i from index c.
template <typename F> inline void pack_values_of_bytes(const attention & a, const byte_attention_scratch & at, char * scratch, F && value) {
    constexpr int N = 2; // vectors whose sums and limits stay in registers
    for (int from = 0; from < at.dv; from += N * WIDTH) {
        auto ask_ahead = [&](int i) { ask_for(a.v + (size_t) (i + AHEAD) * a.v_stride + from * 4, N * WIDTH * 4); };
        floats sum[N], high[N], low[N];
        for (int c = 0; c < N; c++) {
            sum[c]  = zero();
            high[c] = low[c] = value(0, from + c * WIDTH);
        }
        for (int i = 0; i < a.keys; i++) {
            ask_ahead(i);
#pragma GCC unroll 4
            for (int c = 0; c < N; c++) {
                const floats x = value(i, from + c * WIDTH);
                sum[c]  = add(sum[c], x);
                high[c] = most(high[c], x);
                low[c]  = least(low[c], x);
            }
        }
        floats mean[N], r[N];
        for (int c = 0; c < N; c++) {
            mean[c] = mul(sum[c], all(1.0f / a.keys));
            const floats scale = mul(most(all(0x1p-100f), most(sub(high[c], mean[c]), sub(mean[c], low[c]))), all(1.0f / 127));
            r[c] = div(all(1.0f), scale);
            store((float *) (scratch + at.v_means) + from + c * WIDTH, mean[c]);
            store((float *) (scratch + at.v_scales) + from + c * WIDTH, add(scale, sub(sum[c], sum[c])));
        }
        uint32_t * out = (uint32_t *) (scratch + at.v) + from / PANEL * at.vdim;
        for (int i = 0; i < at.n; i += 4, out += PANEL) {
            for (int j = 0; j < 4; j++) {
                ask_ahead(i + j);
            }
#pragma GCC unroll 4
            for (int c = 0; c < N; c++) {
                floats four[4];
                for (int j = 0; j < 4; j++) {
                    four[j] = i + j < a.keys ? mul(sub(value(i + j, from + c * WIDTH), mean[c]), r[c]) : zero();
                }
                store(out + c * WIDTH, four_integers(four));
            }
        }
    }
}

// Reads WIDTH values of a row of n from index c; zeros follow the last one.
inline floats some_values(ggml_type type, const char * row, int c, int n) {
    if (c + WIDTH <= n) {
        return values(type, row, c);
    }
    alignas(64) char some[WIDTH * 4] = {};
    const size_t size = type == GGML_TYPE_F32 ? 4 : 2;
    if (c < n) {
        memcpy(some, row + c * size, (n - c) * size);
    }
    return values(type, some, 0);
}

// Calls f with what reads WIDTH values from index c of row i, of which the padded ones are zeros.
template <typename F> inline void with_values(ggml_type type, const char * rows, size_t stride, int n, int padded, F && f) {
    if (type == GGML_TYPE_F32 && n == padded) {
        f([=](int i, int c) { return load((const float *) (rows + (size_t) i * stride) + c); });
    } else {
        f([=](int i, int c) { return some_values(type, rows + (size_t) i * stride, c, n); });
    }
}

// Packs keys and values. scratch: the bytes of at.
inline void pack_bytes(const attention & a, const byte_attention_scratch & at, char * scratch) {
    with_values(a.k_type, a.k, a.k_stride, a.dk, at.dk, [&](auto value) { pack_keys_of_bytes(a, at, scratch, value); });
    with_values(a.v_type, a.v, a.v_stride, a.dv, at.dv, [&](auto value) { pack_values_of_bytes(a, at, scratch, value); });
}

} // namespace pd::PD_SET

#endif
