// Attention in bytes of whole tiles of queries, in stages, with the same bits as attend_by_rows. The products of the next stage's
// keys take the units that multiply, and the powers of two of this stage mostly the others, so they are mixed.
#ifdef PD_BYTES

namespace pd::PD_SET {

#ifdef PD_AVX512

// KEYS keys, or what is left of them, of TOGETHER queries.
struct byte_stage {
    const float * scores;
    uint8_t *     weights;
    float         factor[TOGETHER], less[TOGETHER];
    alignas(64) float sums[TOGETHER][WIDTH];

    // The weights of WIDTH keys of query m, from key i of the stage.
    void weigh(int m, int i) {
        const floats e = coarse_power_of_two(fma(load(scores + (size_t) m * LINE + i), all(factor[m]), all(less[m])));
        store(sums[m], add(load(sums[m]), e));
        store_unsigned(weights + (size_t) m * LINE + i, e);
    }
};

// A panel of packed keys.
struct byte_keys {
    const uint32_t * dwords;
    const uint32_t * starts;
    const float *    scales;
};

// The scores of TOGETHER queries and a panel of keys. If before is not null, the weights of as many keys of that stage are
// computed meanwhile, from key at.
inline void score_panel(int steps, const uint8_t * q, size_t ldq, const byte_keys & k, float * scores, byte_stage * before, int at) {
    constexpr int M = TOGETHER;
    dwords acc[M][2];
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
        acc[m][0] = load(k.starts);
        acc[m][1] = load(k.starts + WIDTH);
    }
    const uint32_t * a = (const uint32_t *) q;
    int done = 0;
    for (int step = 0; step < steps; step++) {
        const dwords b0 = load(k.dwords + (size_t) step * PANEL), b1 = load(k.dwords + (size_t) step * PANEL + WIDTH);
#pragma GCC unroll 8
        for (int m = 0; m < M; m++) {
            const dwords x = all(a[m * ldq + step]);
            acc[m][0] = dot_integers(acc[m][0], x, b0);
            acc[m][1] = dot_integers(acc[m][1], x, b1);
        }
        if (before != nullptr && done < 2 * M) {
            before->weigh(done / 2, at + done % 2 * WIDTH);
            done++;
        }
    }
    for (; before != nullptr && done < 2 * M; done++) {
        before->weigh(done / 2, at + done % 2 * WIDTH);
    }
    const floats s0 = load(k.scales), s1 = load(k.scales + WIDTH);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
        store(scores + (size_t) m * LINE, mul(to_floats(acc[m][0]), s0));
        store(scores + (size_t) m * LINE + WIDTH, mul(to_floats(acc[m][1]), s1));
    }
}

// Stages of tiles·TOGETHER queries: those of a tile follow one another. The scores and queries of two stages are kept.
struct byte_stages {
    const attention &            a;
    const byte_attention_scratch at;
    char *                       scratch;
    int                          from; // the first query
    int                          blocks; // stages of a tile
    float                        factor[2][TOGETHER];

    int first(int stage) const { return stage % blocks * KEYS; }
    int size(int stage) const { return at.n - first(stage) < KEYS ? at.n - first(stage) : KEYS; }
    float * scores(int stage) const { return (float *) (scratch + at.scores) + (size_t) (stage % 2) * TOGETHER * LINE; }

    // Computes the scores of a stage, and the weights of the one before it (or null), which has size behind.
    void score(int stage, byte_stage * before, int behind) {
        const int tile = stage / blocks, n = size(stage);
        uint8_t * q = (uint8_t *) (scratch + at.q) + (size_t) (tile % 2) * TOGETHER * at.dk;
        for (int m = 0; first(stage) == 0 && m < TOGETHER; m++) {
            const float f = query_of_bytes(a, at.dk, from + tile * TOGETHER + m, q + (size_t) m * at.dk);
            factor[tile % 2][m] = f == 0 ? 0x1p-126f : f; // 0 times the score of a missing key would be NaN
            // Needed in two stages: the next tile's query, and where this one's result goes.
            ask_for(a.q + (size_t) (from + (tile + 1) * TOGETHER + m) * a.q_stride, a.dk * 4);
            if (a.rounded == nullptr) {
                ask_for(a.out + (size_t) (from + tile * TOGETHER + m) * a.out_stride, a.dv * 4);
            }
        }
        for (int i = 0; i < n; i += PANEL) {
            const int key = first(stage) + i;
            const byte_keys k = { (const uint32_t *) (scratch + at.k) + key / PANEL * at.kdim, (const uint32_t *) (scratch + at.k_starts) + key, (const float *) (scratch + at.k_scales) + key };
            score_panel((a.dk + 3) / 4, q, at.dk / 4, k, scores(stage) + i, i < behind ? before : nullptr, i);
        }
        weigh(before, n, behind);
        for (int m = 0; m < TOGETHER; m++) {
            for (int i = a.keys - first(stage); i < n; i++) { // keys beyond the last one
                scores(stage)[(size_t) m * LINE + i] = -INFINITY;
            }
        }
    }

    // The weights of keys i..n of a stage.
    static void weigh(byte_stage * stage, int i, int n) {
        for (; i < n; i += WIDTH) {
            for (int m = 0; m < TOGETHER; m++) {
                stage->weigh(m, i);
            }
        }
    }
};

inline void attend_in_stages(const attention & a, int from, int tiles, char * scratch) {
    constexpr int M = TOGETHER;
    const byte_attention_scratch at(a.keys, a.dk, a.dv);
    byte_stages stages = { a, at, scratch, from, (at.n + KEYS - 1) / KEYS, {} };
    float *     sums = (float *) (scratch + at.sums);
    float       top[M], part[M];
    stages.score(0, nullptr, 0);
    for (int i = 0; i < tiles * stages.blocks; i++) {
        const int  tile = i / stages.blocks, first = stages.first(i), n = stages.size(i);
        byte_stage stage;
        stage.scores  = stages.scores(i);
        stage.weights = (uint8_t *) (scratch + at.weights);
        for (int m = 0; m < M; m++) {
            if (first == 0) {
                top[m]  = -INFINITY;
                part[m] = 0;
            }
            const float f = stages.factor[tile % 2][m];
            raise_top(highest(stage.scores + (size_t) m * LINE, n) * f, first > 0, at.dv, top[m], part[m], sums + m * at.dv);
            stage.factor[m] = f;
            stage.less[m]   = WEIGHT_LOG - top[m];
            store(stage.sums[m], zero());
        }
        if (i + 1 < tiles * stages.blocks) {
            stages.score(i + 1, &stage, n);
        } else {
            stages.weigh(&stage, 0, n);
        }
        for (int m = 0; m < M; m++) {
            part[m] += sum_of(load(stage.sums[m]));
        }
        add_values<M>(at, scratch, stage.weights, first, n);
        for (int m = 0; first + n == at.n && m < M; m++) {
            write_result(a, at, scratch, from + tile * M + m, sums + m * at.dv, part[m]);
        }
    }
}

#endif

// Computes queries from..to of a head whose keys and values are packed in scratch.
inline void attend_in_bytes(const attention & a, int from, int to, char * scratch) {
#ifdef PD_AVX512
    const int tiles = (to - from) / TOGETHER;
    if (tiles > 0) {
        attend_in_stages(a, from, tiles, scratch);
        from += tiles * TOGETHER;
    }
#endif
    attend_by_rows(a, from, to, scratch);
}

} // namespace pd::PD_SET

#endif
