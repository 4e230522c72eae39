package llm

/*
#include "llama.h"
*/
import "C"

// canTruncateKV tells whether a sequence can go back to an earlier position. A
// recurrent model's state has no positions: it must read the picture again.
func (m *textModel) canTruncateKV() bool {
	return !bool(C.llama_model_is_recurrent(m.p)) && !bool(C.llama_model_is_hybrid(m.p))
}

// truncate leaves the first pos positions of a slot in the KV cache.
func (c *textContext) truncate(slot, pos int) {
	C.llama_memory_seq_rm(C.llama_get_memory(c.p), C.llama_seq_id(slot), C.llama_pos(pos), -1)
}
