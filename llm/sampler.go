package llm

/*
#include "llama.h"
*/
import "C"

// Sampling says how tokens are chosen. The zero value is greedy.
type Sampling struct {
	Temperature   float64 // 0: greedy
	TopP          float64 // 0 or 1: off
	RepeatPenalty float64 // 0 or 1: off; over the last 64 tokens
	Seed          uint32  // the same for every photo, so that a photo's text does not depend on its neighbours
}

// sampler is a photo's own chain of llama.cpp samplers; nil picks greedily.
type sampler struct {
	p *C.struct_llama_sampler
}

func newSampler(s Sampling) *sampler {
	penalty := s.RepeatPenalty != 0 && s.RepeatPenalty != 1
	if s.Temperature <= 0 && !penalty {
		return nil
	}
	chain := C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
	if penalty {
		C.llama_sampler_chain_add(chain, C.llama_sampler_init_penalties(64, C.float(s.RepeatPenalty), 0, 0))
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
	handles.Add(1)
	return &sampler{p: chain}
}

func (s *sampler) pointer() *C.struct_llama_sampler {
	if s == nil {
		return nil
	}
	return s.p
}

func (s *sampler) close() {
	if s != nil && s.p != nil {
		C.llama_sampler_free(s.p)
		s.p = nil
		handles.Add(-1)
	}
}
