#include "step.h"

#include "llama.h"

#include <stdlib.h>

static int32_t argmax(const float * v, int n) {
    int32_t best = 0;
    for (int i = 1; i < n; i++) {
        if (v[i] > v[best]) {
            best = i;
        }
    }
    return best;
}

int pd_step(struct llama_context * ctx, int n, const int32_t * tokens, const float * embd,
            const int32_t * pos, const int32_t * seq, const int8_t * want,
            struct llama_sampler ** samplers, int32_t * picked) {
    // One sequence for each entry.
    int32_t * counts = malloc(n * sizeof(*counts));
    llama_seq_id ** ids = malloc(n * sizeof(*ids));
    if (counts == NULL || ids == NULL) {
        free(counts);
        free(ids);
        return -100;
    }
    for (int i = 0; i < n; i++) {
        counts[i] = 1;
        ids[i]    = (llama_seq_id *) &seq[i];
    }
    struct llama_batch batch = {
        .n_tokens = n,
        .token    = (llama_token *) tokens,
        .embd     = (float *) embd,
        .pos      = (llama_pos *) pos,
        .n_seq_id = counts,
        .seq_id   = ids,
        .logits   = (int8_t *) want,
    };
    const int rc = llama_decode(ctx, batch);
    free(counts);
    free(ids);
    if (rc != 0) {
        return rc;
    }
    const int vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(ctx)));
    for (int i = 0; i < n; i++) {
        picked[i] = -1;
        if (!want[i]) {
            continue;
        }
        if (samplers != NULL && samplers[i] != NULL) {
            picked[i] = llama_sampler_sample(samplers[i], ctx, i);
        } else {
            const float * logits = llama_get_logits_ith(ctx, i);
            if (logits == NULL) {
                return -101;
            }
            picked[i] = argmax(logits, vocab);
        }
    }
    return 0;
}
