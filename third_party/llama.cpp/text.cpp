//go:build !llama_system

#include "bridge.h"
#include "lifetime.h"

#include "ggml-backend.h"
#include "ggml.h"
#include "llama-context.h"
#include "llama-model.h"
#include "llama.h"

#include <cstring>
#include <vector>

extern char const * LLAMA_COMMIT; // build-info.cpp

extern "C" const char * pd_llama_commit(void) {
    return LLAMA_COMMIT;
}

extern "C" struct llama_model * pd_text_load(const char * path, bool gpu) {
    static ggml_backend_dev_t none[1]; // an empty list: only the CPU is used
    llama_model_params params = llama_model_default_params();
    params.use_mmap     = llama_supports_mmap();
    params.n_gpu_layers = gpu ? 999 : 0;
    if (!gpu) {
        params.devices = none;
    }
    return llama_model_load_from_file(path, params);
}

extern "C" struct llama_context * pd_text_new(struct llama_model * model, const struct llama_context_params * params) {
    pd_free_later later;
    return llama_init_from_model(model, *params);
}

extern "C" void pd_text_free(struct llama_context * ctx) {
    pd_free_later later;
    llama_free(ctx);
}

extern "C" int pd_token_embedding(const struct llama_model * model, int32_t token, float * out) {
    const ggml_tensor * table = model->tok_embd;
    if (table == nullptr || token < 0 || token >= table->ne[1]) {
        return -1;
    }
    const size_t row = ggml_row_size(table->type, table->ne[0]);
    std::vector<uint8_t> buf(row);
    ggml_backend_tensor_get(table, buf.data(), (size_t) token * row, row);
    if (table->type == GGML_TYPE_F32) {
        memcpy(out, buf.data(), row);
        return 0;
    }
    const ggml_type_traits * traits = ggml_get_type_traits(table->type);
    if (traits->to_float == nullptr) {
        return -1;
    }
    traits->to_float(buf.data(), out, table->ne[0]);
    return 0;
}

extern "C" void pd_steps_alike(struct llama_context * ctx, bool alike) {
    ggml_backend_sched_set_batch_size(ctx->get_sched(), alike ? 1 : -1);
}

extern "C" struct llama_sampler * pd_penalties(const struct llama_vocab * vocab, int last, float repeat) {
    (void) vocab;
    return llama_sampler_init_penalties(last, repeat, 0.0f, 0.0f);
}

extern "C" void pd_text_memory(const struct llama_context * ctx, uint64_t * weights, uint64_t * kv, uint64_t * compute) {
    *weights = *kv = *compute = 0;
    for (const auto & [type, bytes] : ctx->memory_breakdown()) {
        *weights += bytes.model;
        *kv      += bytes.context;
        *compute += bytes.compute;
    }
}
