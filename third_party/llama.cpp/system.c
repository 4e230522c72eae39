//go:build llama_system

// What differs from version to version of llama.cpp. The program is compiled for one of
// them: make passes its version on from pkg-config, and Check of link_system.go compares
// it with that of the library which is found when the program starts.
#include "system.h"

#include "bridge.h"
#include "ggml-backend.h"
#include "gguf.h"
#include "llama.h"
#include "mtmd-helper.h"
#include "mtmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(PD_LLAMA_MAJOR)
#error "the version of llama.cpp is not known: build with `make build LLAMA=system` or LLAMA=DIR"
#elif PD_LLAMA_MAJOR > 1000 || (PD_LLAMA_MAJOR == 0 && PD_LLAMA_MINOR < 5)
#error "llama.cpp 0.5.0 or newer is needed; what was numbered by builds, as b9190, is older"
#endif

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char * pd_system_built(void) {
    return TEXT(PD_LLAMA_MAJOR) "." TEXT(PD_LLAMA_MINOR) "." TEXT(PD_LLAMA_PATCH);
}

bool pd_system_tree(void) {
#ifdef PD_LLAMA_STAMP
    return true;
#else
    return false;
#endif
}

static void no_log(enum ggml_log_level level, const char * text, void * data) {
    (void) level, (void) text, (void) data;
}

void pd_system_load_backends(void) {
    ggml_log_set(no_log, NULL);
    ggml_backend_load_all();
}

struct llama_model * pd_text_load(const char * path, bool gpu) {
    static ggml_backend_dev_t none[1]; // an empty list: only the CPU is used
    struct llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = gpu ? 999 : 0;
    if (!gpu) {
        params.devices = none;
    }
    return llama_model_load_from_file(path, params);
}

struct llama_context * pd_text_new(struct llama_model * model, const struct llama_context_params * params) {
    return llama_init_from_model(model, *params);
}

void pd_text_free(struct llama_context * ctx) {
    llama_free(ctx);
}

// The public headers have no such hint: ggml decides.
void pd_steps_alike(struct llama_context * ctx, bool alike) {
    (void) ctx, (void) alike;
}

static uint64_t meta_number(const struct llama_model * model, const char * arch, const char * name) {
    char key[256], value[64];
    snprintf(key, sizeof(key), "%s.%s", arch, name);
    return llama_model_meta_val_str(model, key, value, sizeof(value)) > 0 ? strtoull(value, NULL, 10) : 0;
}

// The public headers do not tell what a context holds. The KV cache is computed from the model's shape; compute
// buffers are not known.
void pd_text_memory(const struct llama_context * ctx, uint64_t * weights, uint64_t * kv, uint64_t * compute) {
    const struct llama_model * model = llama_get_model(ctx);
    char arch[128] = "";
    llama_model_meta_val_str(model, "general.architecture", arch, sizeof(arch));
    const uint64_t heads = llama_model_n_head(model);
    uint64_t keys = meta_number(model, arch, "attention.key_length"), values = meta_number(model, arch, "attention.value_length");
    if (keys == 0 && heads > 0) {
        keys = llama_model_n_embd(model) / heads;
    }
    values = values == 0 ? keys : values;
    *weights = llama_model_size(model);
    *kv      = 2 * (keys + values) * llama_model_n_head_kv(model) * llama_model_n_layer(model) * llama_n_ctx(ctx);
    *compute = 0;
}

struct llama_sampler * pd_penalties(const struct llama_vocab * vocab, int last, float repeat) {
    return llama_sampler_init_penalties(llama_vocab_n_tokens(vocab), last, repeat, 0.0f, 0.0f);
}

int pd_vision_projector(const char * path, char * out, size_t cap) {
    struct gguf_init_params params = { .no_alloc = true, .ctx = NULL };
    struct gguf_context * file = gguf_init_from_file(path, params);
    if (file == NULL) {
        return -1;
    }
    snprintf(out, cap, "%s", "");
    const char * keys[] = { "clip.vision.projector_type", "clip.projector_type" };
    for (int i = 0; i < 2; i++) {
        const int64_t id = gguf_find_key(file, keys[i]);
        if (id >= 0 && gguf_get_kv_type(file, id) == GGUF_TYPE_STRING) {
            snprintf(out, cap, "%s", gguf_get_val_str(file, id));
        }
    }
    gguf_free(file);
    return 0;
}

uint32_t pd_system_number(const char * path, const char * key, bool * failed) {
    struct gguf_init_params params = { .no_alloc = true, .ctx = NULL };
    struct gguf_context * file = gguf_init_from_file(path, params);
    *failed = file == NULL;
    if (file == NULL) {
        return 0;
    }
    const int64_t id = gguf_find_key(file, key);
    const uint32_t n = id >= 0 && gguf_get_kv_type(file, id) == GGUF_TYPE_UINT32 ? gguf_get_val_u32(file, id) : 0;
    gguf_free(file);
    return n;
}

struct mtmd_context * pd_system_load(const char * path, const struct llama_model * model, bool gpu, int threads) {
    struct mtmd_context_params params = mtmd_context_params_default();
    params.use_gpu       = gpu;
    params.print_timings = false;
    params.warmup        = false;
    params.n_threads     = threads;
    return mtmd_init_from_file(path, model, params);
}

struct mtmd_input_chunks * pd_system_cut(const struct mtmd_context * ctx, const uint8_t * rgb, int width, int height) {
    struct mtmd_bitmap * picture = mtmd_bitmap_init(width, height, rgb);
    struct mtmd_input_chunks * chunks = mtmd_input_chunks_init();
    const char * marker = mtmd_get_marker(ctx);
    const struct mtmd_input_text text = { .text = marker, .text_len = strlen(marker), .add_special = false, .parse_special = true };
    const struct mtmd_bitmap * pictures[] = { picture };
    const int rc = picture == NULL || chunks == NULL ? -1 : mtmd_tokenize(ctx, chunks, &text, pictures, 1);
    if (picture != NULL) {
        mtmd_bitmap_free(picture);
    }
    if (rc != 0 && chunks != NULL) {
        mtmd_input_chunks_free(chunks);
        chunks = NULL;
    }
    return chunks;
}

int pd_system_encode(struct mtmd_context * ctx, const struct mtmd_input_chunk * chunk, int embd, float * out) {
    if (mtmd_encode_chunk(ctx, chunk) != 0) {
        return -1;
    }
    memcpy(out, mtmd_get_output_embd(ctx), mtmd_input_chunk_get_n_tokens(chunk) * embd * sizeof(float));
    return 0;
}

int pd_system_decode(struct mtmd_context * ctx, struct llama_context * text, const struct mtmd_input_chunk * chunk,
                     float * embd, int pos, int sequence, int batch, int * end) {
    llama_pos next = pos;
    const int rc = mtmd_helper_decode_image_chunk(ctx, text, chunk, embd, pos, sequence, batch, &next, NULL, NULL);
    *end = next;
    return rc;
}

bool pd_system_non_causal(const struct mtmd_context * ctx, const struct mtmd_input_chunk * chunk) {
    return mtmd_decode_use_non_causal(ctx, chunk);
}
