#pragma once
#include <stdint.h>

struct llama_context;
struct llama_sampler;

// How the tokens of one answer are picked. grammar: what the answer must keep
// to, NULL: anything. chain: what picks, NULL: the likeliest.
struct pd_sampler {
    struct llama_sampler * grammar;
    struct llama_sampler * chain;
};

// One call does one whole step: decodes n entries and picks a token for each
// entry that wants one. Exactly one of tokens (n) and embd (n × embedding
// length) is given. samplers[i] == NULL picks the likeliest. picked[i] is the
// token, -1 for an entry that wants none, or -2 where the grammar allows none.
// Returns llama_decode's code: 0 done, 1 no room in the KV cache, 2 aborted,
// negative: failed; -100: out of memory; -101: no logits for an entry.
int pd_step(struct llama_context * ctx, int n, const int32_t * tokens, const float * embd,
            const int32_t * pos, const int32_t * seq, const int8_t * want,
            struct pd_sampler ** samplers, int32_t * picked);
