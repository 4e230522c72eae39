#include "step.h"

#include "llama.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

// The first of the largest values. A block's maximum is found in vectors, its place only where it is the largest so far.
static int32_t argmax(const float * v, int n) {
    enum { LANES = 16, BLOCK = 32 * LANES };
    float best = -INFINITY;
    int from = 0, to = 1;
    for (int i = 0; i < n; i += BLOCK) {
        const int end = i + BLOCK < n ? i + BLOCK : n;
        float top = -INFINITY;
        int j = i;
        if (end - i == BLOCK) {
            float lanes[LANES];
            for (int l = 0; l < LANES; l++) {
                lanes[l] = -INFINITY;
            }
            for (; j < end; j += LANES) {
                for (int l = 0; l < LANES; l++) {
                    lanes[l] = v[j + l] > lanes[l] ? v[j + l] : lanes[l];
                }
            }
            for (int l = 0; l < LANES; l++) {
                top = lanes[l] > top ? lanes[l] : top;
            }
        }
        for (; j < end; j++) {
            top = v[j] > top ? v[j] : top;
        }
        if (top > best) {
            best = top;
            from = i;
            to = end;
        }
    }
    for (int i = from; i < to; i++) {
        if (v[i] == best) {
            return i;
        }
    }
    return from;
}

// Whether a grammar allows a token.
static int allows(struct llama_sampler * grammar, int32_t token) {
    llama_token_data one = { token, 0.0f, 0.0f };
    llama_token_data_array just = { &one, 1, -1, false };
    llama_sampler_apply(grammar, &just);
    return one.logit == 0.0f;
}

// Asking a grammar about every token of a vocabulary takes longer than a step
// of a small model. So the likeliest ones are asked for one by one first.
static int32_t likeliest_allowed(struct llama_sampler * grammar, const float * v, int n) {
    int32_t last = -1;
    for (int tries = 0; tries < 32; tries++) {
        int32_t best = -1;
        for (int i = 0; i < n; i++) {
            const int left = last < 0 || v[i] < v[last] || (v[i] == v[last] && i > last);
            if (left && (best < 0 || v[i] > v[best])) {
                best = i;
            }
        }
        if (best < 0 || v[best] == -INFINITY) {
            return -1;
        }
        if (allows(grammar, best)) {
            return best;
        }
        last = best;
    }
    return -1;
}

// Picks a token after row i of the last step.
static int32_t pick(struct llama_context * ctx, int i, int vocab, struct pd_sampler * s, const int32_t * never, int n_never) {
    float * logits = llama_get_logits_ith(ctx, i);
    if (logits == NULL) {
        return -101;
    }
    for (int k = 0; k < n_never; k++) {
        logits[never[k]] = -INFINITY;
    }
    if (s == NULL) {
        return argmax(logits, vocab);
    }
    for (; s->n_not_first > 0; s->n_not_first--) {
        logits[s->not_first[s->n_not_first - 1]] = -INFINITY;
    }
    if (s->grammar == NULL) {
        return llama_sampler_sample(s->chain, ctx, i);
    }
    int32_t token = s->chain == NULL ? likeliest_allowed(s->grammar, logits, vocab) : -1;
    if (token < 0) {
        llama_token_data * data = malloc(vocab * sizeof(*data));
        if (data == NULL) {
            return -100;
        }
        for (int t = 0; t < vocab; t++) {
            data[t] = (llama_token_data) { t, logits[t], 0.0f };
        }
        llama_token_data_array all = { data, vocab, -1, false };
        llama_sampler_apply(s->grammar, &all);
        int best = 0;
        for (int t = 1; t < vocab; t++) {
            if (data[t].logit > data[best].logit) {
                best = t;
            }
        }
        token = data[best].logit == -INFINITY ? -2 : data[best].id;
        if (token >= 0 && s->chain != NULL) {
            llama_sampler_apply(s->chain, &all);
            token = all.selected < 0 ? -2 : all.data[all.selected].id;
        }
        free(data);
    }
    if (token >= 0) {
        llama_sampler_accept(s->grammar, token);
        if (s->chain != NULL) {
            llama_sampler_accept(s->chain, token);
        }
    }
    return token;
}

int pd_step(struct llama_context * ctx, int n, const int32_t * tokens, const float * embd,
            const int32_t * pos, const int32_t * seq, const int8_t * want,
            struct pd_sampler ** samplers, const int32_t * never, int n_never, int32_t * picked) {
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
        picked[i] = pick(ctx, i, vocab, samplers == NULL ? NULL : samplers[i], never, n_never);
        if (picked[i] <= -100) {
            return picked[i];
        }
    }
    return 0;
}

void pd_list_tokens(const struct llama_vocab * vocab, int32_t * silent, int * n_silent, int32_t * named, int * n_named) {
    *n_silent = *n_named = 0;
    for (int32_t t = 0; t < llama_vocab_n_tokens(vocab); t++) {
        if (llama_vocab_is_eog(vocab, t)) {
            continue;
        }
        char none[1];
        if (llama_token_to_piece(vocab, t, none, 0, 0, false) == 0) {
            silent[(*n_silent)++] = t;
        } else if (llama_vocab_get_attr(vocab, t) & LLAMA_TOKEN_ATTR_USER_DEFINED) {
            named[(*n_named)++] = t;
        }
    }
}
