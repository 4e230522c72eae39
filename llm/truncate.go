package llm

/*
#include "llama.h"
*/
import "C"

// canTruncateKV tells whether the end of a sequence can be removed. The state of a
// recurrent model has no positions: such a model must read the picture again.
func (m *textModel) canTruncateKV() bool {
	return !bool(C.llama_model_is_recurrent(m.p)) && !bool(C.llama_model_is_hybrid(m.p))
}

// truncate keeps only the first pos positions of a slot in the KV cache.
func (c *textContext) truncate(slot, pos int) {
	C.llama_memory_seq_rm(C.llama_get_memory(c.p), C.llama_seq_id(slot), C.llama_pos(pos), -1)
}

// copySlot gives a slot what another holds in the KV cache.
func (c *textContext) copySlot(from, to int) {
	C.llama_memory_seq_cp(C.llama_get_memory(c.p), C.llama_seq_id(from), C.llama_seq_id(to), -1, -1)
}
