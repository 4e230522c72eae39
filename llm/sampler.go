package llm

/*
#include <stdlib.h>
#include <string.h>
#include "bridge.h"
#include "llama.h"
#include "step.h"

static struct pd_sampler * new_sampler(void) { return calloc(1, sizeof(struct pd_sampler)); }

static void free_sampler(struct pd_sampler * s) {
    if (s->grammar != NULL) {
        llama_sampler_free(s->grammar);
    }
    if (s->chain != NULL) {
        llama_sampler_free(s->chain);
    }
    free(s->not_first);
    free(s);
}

static void not_first(struct pd_sampler * s, const int32_t * tokens, int n) {
    s->not_first = malloc(n * sizeof(*tokens));
    if (s->not_first != NULL) {
        memcpy(s->not_first, tokens, n * sizeof(*tokens));
        s->n_not_first = n;
    }
}
*/
import "C"

import (
	"errors"
	"unsafe"
)

// Sampling says how tokens are chosen. The zero value is greedy.
type Sampling struct {
	Temperature   float64 // 0: greedy
	TopP          float64 // 0 or 1: off
	RepeatPenalty float64 // 0 or 1: off; over the last 64 tokens
	Seed          uint32  // every answer starts from it, so that output does not depend on batching
}

// retryPenalty is the least repeat penalty of a retry.
const retryPenalty = 1.3

// retry is the sampling of a further attempt, after so many tokens were sampled.
func (s Sampling) retry(sampled int) Sampling {
	s.RepeatPenalty = max(s.RepeatPenalty, retryPenalty)
	s.Seed += uint32(sampled) + 1
	return s
}

// sampler chooses the tokens of one answer; nil is greedy. It must be closed.
type sampler struct {
	p *C.struct_pd_sampler
}

func newSampler(m *textModel, s Sampling, grammar string) (*sampler, error) {
	chain := newChain(m, s)
	if chain == nil && grammar == "" {
		return nil, nil
	}
	p := C.new_sampler()
	p.chain = chain
	if grammar != "" {
		if p.grammar = newGrammar(m, grammar); p.grammar == nil {
			C.free_sampler(p)
			return nil, errors.New("llama.cpp cannot parse the grammar of a prompt; the log says why")
		}
	}
	handles.Add(1)
	return &sampler{p: p}, nil
}

func newGrammar(m *textModel, grammar string) *C.struct_llama_sampler {
	text, root := C.CString(grammar), C.CString("root")
	defer C.free(unsafe.Pointer(text))
	defer C.free(unsafe.Pointer(root))
	return C.llama_sampler_init_grammar(m.vocab, text, root)
}

func newChain(m *textModel, s Sampling) *C.struct_llama_sampler {
	penalty := s.RepeatPenalty != 0 && s.RepeatPenalty != 1
	if s.Temperature <= 0 && !penalty {
		return nil
	}
	chain := C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
	if penalty {
		C.llama_sampler_chain_add(chain, C.pd_penalties(m.vocab, 64, C.float(s.RepeatPenalty)))
	}
	if s.Temperature <= 0 {
		C.llama_sampler_chain_add(chain, C.llama_sampler_init_greedy())
	} else {
		if s.TopP > 0 && s.TopP < 1 {
			C.llama_sampler_chain_add(chain, C.llama_sampler_init_top_p(C.float(s.TopP), 1))
		}
		C.llama_sampler_chain_add(chain, C.llama_sampler_init_temp(C.float(s.Temperature)))
		C.llama_sampler_chain_add(chain, C.llama_sampler_init_dist(C.uint32_t(s.Seed)))
	}
	return chain
}

func (s *sampler) pointer() *C.struct_pd_sampler {
	if s == nil {
		return nil
	}
	return s.p
}

// avoid applies the repeat penalty to the tokens of earlier attempts and forbids
// their first tokens at the start.
func (s *sampler) avoid(before sampled) {
	for _, t := range before.all {
		C.llama_sampler_accept(s.p.chain, C.llama_token(t))
	}
	if len(before.first) > 0 {
		C.not_first(s.p, (*C.int32_t)(&before.first[0]), C.int(len(before.first)))
	}
}

func (s *sampler) close() {
	if s != nil && s.p != nil {
		C.free_sampler(s.p)
		s.p = nil
		handles.Add(-1)
	}
}
