#pragma once
#include <stdint.h>

struct llama_context;
struct llama_sampler;
struct llama_vocab;

// How the tokens of one answer are picked. grammar: what the answer must keep
// to, NULL: anything. chain: what picks, NULL: the likeliest.
struct pd_sampler {
    struct llama_sampler * grammar;
    struct llama_sampler * chain;
    int32_t * not_first; // tokens that the answer does not begin with
    int n_not_first;     // 0 once it has begun
};

// One call does one whole step: decodes n entries and picks a token for each
// entry that wants one. Exactly one of tokens (n) and embd (n × embedding
// length) is given. samplers[i] == NULL picks the likeliest. picked[i] is the
// token, -1 for an entry that wants none, or -2 where the grammar allows none.
// The n_never tokens of never are not picked: their logits become -INFINITY.
// Returns llama_decode's code: 0 done, 1 no room in the KV cache, 2 aborted,
// negative: failed; -100: out of memory; -101: no logits for an entry.
int pd_step(struct llama_context * ctx, int n, const int32_t * tokens, const float * embd,
            const int32_t * pos, const int32_t * seq, const int8_t * want,
            struct pd_sampler ** samplers, const int32_t * never, int n_never, int32_t * picked);

// Lists tokens of a vocabulary that do not end an answer. silent: those without a
// text, control tokens among them. named: those with a text that the vocabulary
// calls user-defined. Each array must hold the whole vocabulary.
void pd_list_tokens(const struct llama_vocab * vocab, int32_t * silent, int * n_silent, int32_t * named, int * n_named);
